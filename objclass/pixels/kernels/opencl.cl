// Filters over the neighbours of a voxel and votes of a forest, as in filters.py and forest.py.
// The caller defines the kinds of features, N_CLASSES and N_WEIGHTS.

#ifdef cl_khr_fp64
typedef double real; // what NumPy's twin computes with double precision
#else
typedef float real;
#endif

// Where a voxel and its neighbours lie; beyond the edge is the edge itself.
typedef struct { int z, y, x; } Voxel;

inline size_t place(int z, int y, int x) {
  return ((size_t)z * get_global_size(1) + y) * get_global_size(0) + x;
}

inline Voxel here(void) {
  Voxel v = {get_global_id(2), get_global_id(1), get_global_id(0)};
  return v;
}

inline float at(__global const float *values, Voxel v, int dz, int dy, int dx) {
  const int z = clamp(v.z + dz, 0, (int)get_global_size(2) - 1);
  const int y = clamp(v.y + dy, 0, (int)get_global_size(1) - 1);
  const int x = clamp(v.x + dx, 0, (int)get_global_size(0) - 1);
  return values[place(z, y, x)];
}

inline size_t n_voxels(void) {
  return (size_t)get_global_size(0) * get_global_size(1) * get_global_size(2);
}

float laplace_box(__global const float *blurred, Voxel v, int flat) {
  if (flat) {
    real value = (real)8 * at(blurred, v, 0, 0, 0);
    for (int y = -1; y <= 1; y++)
      for (int x = -1; x <= 1; x++)
        if (x || y) value -= at(blurred, v, 0, y, x);
    return value;
  }
  float value = 0; // APOC weights the centre by 1
  for (int x = -1; x <= 1; x++)
    for (int y = -1; y <= 1; y++)
      for (int z = -1; z <= 1; z++) {
        const float near = at(blurred, v, z, y, x);
        value += (x || y || z) ? -near : near;
      }
  return value;
}

float laplace_by_distance(__global const float *blurred, Voxel v, int flat, __global const float *weights) {
  const float centre = at(blurred, v, 0, 0, 0);
  float value = 0;
  for (int y = -1; y <= 1; y++)
    for (int x = -1; x <= 1; x++) {
      const int across = 2 * abs(y) + abs(x);
      value += weights[across] * (centre - at(blurred, v, 0, y, x));
      if (!flat)
        value += weights[4 + across] * ((centre - at(blurred, v, -1, y, x)) + (centre - at(blurred, v, 1, y, x)));
    }
  return value;
}

// Derivatives along x, y and z. `outer` weighs neighbours along z, y and x in the smoothing across.
void sobel(__global const float *blurred, Voxel v, int flat, const float outer[3], float gradient[3]) {
  gradient[0] = gradient[1] = gradient[2] = 0;
  for (int y = -1; y <= 1; y++)
    for (int x = -1; x <= 1; x++) {
      const float wy = y ? outer[1] : 4 - 2 * outer[1], wx = x ? outer[2] : 4 - 2 * outer[2];
      float through = at(blurred, v, 0, y, x);
      if (!flat) {
        const float before = at(blurred, v, -1, y, x), after = at(blurred, v, 1, y, x);
        through = outer[0] * (before + after) + (4 - 2 * outer[0]) * through;
        gradient[2] += wx * wy * (after - before);
      }
      gradient[0] += x * wy * through;
      gradient[1] += wx * y * through;
    }
}

float norm(const float gradient[3], float ix, float iy, float iz) {
  const float x = gradient[0] * ix, y = gradient[1] * iy, z = gradient[2] * iz;
  return sqrt(x * x + y * y + z * z);
}

float central_gradient(__global const float *blurred, Voxel v, int flat, __global const float *inverse) {
  float gradient[3];
  gradient[0] = (at(blurred, v, 0, 0, 1) - at(blurred, v, 0, 0, -1)) / 2;
  gradient[1] = (at(blurred, v, 0, 1, 0) - at(blurred, v, 0, -1, 0)) / 2;
  gradient[2] = flat ? 0 : (at(blurred, v, 1, 0, 0) - at(blurred, v, -1, 0, 0)) / 2;
  return norm(gradient, inverse[2], inverse[1], inverse[0]);
}

// An eigenvalue of a symmetric matrix: 0 the largest, 1 the middle, 2 the smallest.
real eigenvalue(real xx, real xy, real yy, real xz, real yz, real zz, int flat, int which) {
  if (flat) {
    const real middle = (xx + yy) / 2, half_width = hypot((xx - yy) / 2, xy);
    return which == 0 ? middle + half_width : middle - half_width;
  }
  const real middle = (xx + yy + zz) / 3;
  real a = xx - middle, b = yy - middle, c = zz - middle;
  const real spread = sqrt((a * a + b * b + c * c + 2 * (xy * xy + xz * xz + yz * yz)) / 6);
  if (spread == 0) return middle;
  a /= spread, b /= spread, c /= spread;
  const real d = xy / spread, e = xz / spread, f = yz / spread;
  const real half_det = (a * (b * c - f * f) - d * (d * c - f * e) + e * (d * f - b * e)) / 2;
  const real turn = (real)2.0943951023931954923 * (which == 2 ? 1 : which == 1 ? -1 : 0);
  return middle + 2 * spread * cos(acos(clamp(half_det, (real)-1, (real)1)) / 3 + turn);
}

real hessian(__global const float *blurred, Voxel v, int flat, __global const float *inverse, int which) {
  const real iz = inverse[0], iy = inverse[1], ix = inverse[2];
#define CORNERS(a, b, c, d) ((((real)(a) - (b)) - (c)) + (d))
  const real twice = (real)2 * at(blurred, v, 0, 0, 0);
  const real xx = ((real)at(blurred, v, 0, 0, 1) + at(blurred, v, 0, 0, -1) - twice) * ix * ix;
  const real yy = ((real)at(blurred, v, 0, 1, 0) + at(blurred, v, 0, -1, 0) - twice) * iy * iy;
  const real xy = CORNERS(at(blurred, v, 0, 1, 1), at(blurred, v, 0, 1, -1), at(blurred, v, 0, -1, 1),
                          at(blurred, v, 0, -1, -1)) * ix * iy / 4;
  if (flat) return eigenvalue(xx, xy, yy, 0, 0, 0, flat, which);
  const real zz = ((real)at(blurred, v, 1, 0, 0) + at(blurred, v, -1, 0, 0) - twice) * iz * iz;
  const real xz = CORNERS(at(blurred, v, 1, 0, 1), at(blurred, v, 1, 0, -1), at(blurred, v, -1, 0, 1),
                          at(blurred, v, -1, 0, -1)) * ix * iz / 4;
  const real yz = CORNERS(at(blurred, v, 1, 1, 0), at(blurred, v, 1, -1, 0), at(blurred, v, -1, 1, 0),
                          at(blurred, v, -1, -1, 0)) * iy * iz / 4;
  return eigenvalue(xx, xy, yy, xz, yz, zz, flat, which);
}

// Write a feature of one blurred image to its place in the stack.
__kernel void derive(__global const float *blurred, __global float *features, __global const float *all_weights,
                     const int kind, const int which, const int flat, const int filter,
                     const int slot) {
  const Voxel v = here();
  __global const float *weights = all_weights + filter * N_WEIGHTS;
  const float ones[3] = {1, 1, 1}, outer[3] = {weights[0], weights[1], weights[2]};
  float value = at(blurred, v, 0, 0, 0), gradient[3];
  switch (kind) {
    case LAPLACE: value = laplace_box(blurred, v, flat); break;
    case LAPLACE_BY_DISTANCE: value = laplace_by_distance(blurred, v, flat, weights); break;
    case SOBEL:
      sobel(blurred, v, flat, ones, gradient);
      value = norm(gradient, 1, 1, 1);
      break;
    case SOBEL_BY_DISTANCE:
      sobel(blurred, v, flat, outer, gradient);
      value = norm(gradient, weights[5], weights[4], weights[3]);
      break;
    case GRADIENT: value = central_gradient(blurred, v, flat, weights); break;
    case HESSIAN:
      value = hessian(blurred, v, flat, weights, which);
      break;
  }
  features[slot * n_voxels() + place(v.z, v.y, v.x)] = value;
}

// Write the product of the derivatives along two axes, 0 (x) to 2 (z).
__kernel void multiply_derivatives(__global const float *blurred, __global float *product, const int flat,
                                   const int first, const int second, const float by_first, const float by_second) {
  const Voxel v = here();
  const float ones[3] = {1, 1, 1};
  float gradient[3];
  sobel(blurred, v, flat, ones, gradient);
  product[place(v.z, v.y, v.x)] = (gradient[first] * by_first) * (gradient[second] * by_second);
}

// Write an eigenvalue of the structure tensor to its place in the stack.
__kernel void derive_structure(__global const float *xx, __global const float *xy, __global const float *yy,
                               __global const float *xz, __global const float *yz, __global const float *zz,
                               __global float *features, const int flat, const int which, const int slot) {
  const Voxel v = here();
  const size_t i = place(v.z, v.y, v.x);
  features[slot * n_voxels() + i] = eigenvalue(xx[i], xy[i], yy[i], xz[i], yz[i], zz[i], flat, which);
}

// Add the votes of all trees, each rounded as the program of a .cl file rounds it.
// A node is a feature (-1 for a leaf), and its children; votes are pairs of floats that add up to a double.
void sum_votes(__global const float *features, __global const int *nodes, __global const float *thresholds,
               __global const float *votes, __global const int *roots, int n_trees, size_t i, float *sums) {
  for (int c = 0; c < N_CLASSES; c++) sums[c] = 0;
  for (int t = 0; t < n_trees; t++) {
    int node = roots[t];
    while (nodes[3 * node] >= 0) {
      const int is_left = features[nodes[3 * node] * n_voxels() + i] < thresholds[node];
      node = nodes[3 * node + (is_left ? 1 : 2)];
    }
    for (int c = 0; c < N_CLASSES; c++) {
      __global const float *vote = votes + 2 * ((size_t)node * N_CLASSES + c);
      sums[c] = (real)sums[c] + ((real)vote[0] + vote[1]);
    }
  }
}

__kernel void classify(__global const float *features, __global const int *nodes, __global const float *thresholds,
                       __global const float *votes, __global const int *roots, const int n_trees,
                       __global uchar *classes) {
  const Voxel v = here();
  const size_t i = place(v.z, v.y, v.x);
  float sums[N_CLASSES];
  sum_votes(features, nodes, thresholds, votes, roots, n_trees, i, sums);
  int best = 0;
  for (int c = 1; c < N_CLASSES; c++)
    if (sums[c] > sums[best]) best = c;
  classes[i] = best + 1;
}

__kernel void divide_votes(__global const float *features, __global const int *nodes,
                           __global const float *thresholds, __global const float *votes,
                           __global const int *roots, const int n_trees, __global const int *is_wanted,
                           __global float *probability) {
  const Voxel v = here();
  const size_t i = place(v.z, v.y, v.x);
  float sums[N_CLASSES], wanted = 0, total = 0;
  sum_votes(features, nodes, thresholds, votes, roots, n_trees, i, sums);
  for (int c = 0; c < N_CLASSES; c++) {
    total += sums[c];
    wanted += is_wanted[c] ? sums[c] : 0;
  }
  probability[i] = wanted / total;
}
