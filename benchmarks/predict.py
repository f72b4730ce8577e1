"""Training and prediction against APOC on PoCL, SciPy and scikit-learn."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import ndimage as ndi
from sklearn.ensemble import RandomForestClassifier

import objclass
from objclass._common.parallel import n_threads, single_threaded
from objclass.pixels.extraction import FeatureCache
from objclass.pixels.filter_bank import gaussian

from .common import Row, clock, compare, in_child, nuclei, tiled

SPEC = " ".join(map(str, objclass.pixels.features.parse_features("object_size_1_to_5_px")))
PEAK = """
import json, resource, sys
import numpy as np, objclass
from benchmarks.common import tiled
image, scribbles = tiled({shape})
classifier = objclass.train_object_classifier(image, scribbles)
objclass.segment(image[:16, :64, :64], classifier, engine="cpu")
status = lambda key: int(open("/proc/self/status").read().split(key + ":")[1].split()[0]) / 1024
before = status("VmRSS")
labels = objclass.segment(image, classifier, engine="cpu", progress=False)
print(json.dumps({{"mb": status("VmHWM") - before - labels.nbytes / 2**20, "objects": int(labels.max())}}))
"""


def predict(image: np.ndarray, classifier: objclass.ObjectClassifier) -> np.ndarray:
    """Classify with the engine of objclass, whatever cards this machine has."""
    return objclass.classify_pixels(image, classifier, engine="cpu", progress=False)


class Apoc:
    """APOC on a graphics card, or whatever OpenCL device there is."""

    def __init__(self) -> None:
        import apoc
        import pyclesperanto_prototype as cle

        from tests.conftest import rank

        self.device = cle.select_device(score_key=rank).name
        self._folder = tempfile.TemporaryDirectory()
        path = str(Path(self._folder.name) / "peer.cl")
        self.classifier = apoc.PixelClassifier(opencl_filename=path)

    def train(self, image: np.ndarray, scribbles: np.ndarray) -> None:
        """Train with the features of all comparisons here."""
        self.classifier.train(SPEC, scribbles, image)

    def predict(self, image: np.ndarray) -> np.ndarray:
        """Classify, and fetch the result from the device."""
        return np.asarray(self.classifier.predict(image=image))


def scipy_features(image: np.ndarray) -> np.ndarray:
    """Compute the 16 features of SPEC with SciPy: (n_voxels, 16)."""
    pixels = image.astype(np.float32)

    def blur(sigma: float) -> np.ndarray:
        return ndi.gaussian_filter(pixels, sigma, mode="nearest")

    blurs = [blur(sigma) for sigma in range(1, 6)]
    differences = [blur(0.9 * sigma) - blur(1.1 * sigma) for sigma in range(1, 6)]
    size, centre = 3**image.ndim, 2 if image.ndim == 3 else 9
    boxes = [centre * b - size * ndi.uniform_filter(b, 3, mode="nearest") for b in blurs]
    return np.stack([pixels, *blurs, *differences, *boxes], -1).reshape(-1, 16)


def scikit_learn(features: np.ndarray, scribbles: np.ndarray, **parameters: int) -> RandomForestClassifier:
    """Train scikit-learn's forest, which predicts on all cores."""
    model = RandomForestClassifier(100, random_state=0, n_jobs=-1, **parameters)
    chosen = scribbles.ravel() > 0
    return model.fit(features[chosen], scribbles.ravel()[chosen])


def run() -> Iterator[Row]:
    """Yield the figures."""
    yield from small_volume()
    yield from deeper_forests()
    yield from plane_picture()
    yield from large_volume()
    yield from growth()


def small_volume() -> Iterator[Row]:
    """Compare on 48×256×256 voxels."""
    image, _, scribbles = nuclei()
    classifier = objclass.train_object_classifier(image, scribbles)
    name = "48×256×256, 16 features, 100 trees of depth 2"
    peer = Apoc()
    peer.train(image, scribbles)
    yield compare(
        name, lambda: predict(image, classifier), "APOC on PoCL", lambda: peer.predict(image), peer_repeats=1
    )
    model = scikit_learn(scipy_features(image), scribbles, max_depth=2)

    def plain() -> np.ndarray:
        return model.predict(scipy_features(image))

    yield compare(name, lambda: predict(image, classifier), "SciPy + scikit-learn", plain)
    ours = clock(lambda: predict(image, classifier))
    blurs = [gaussian(s) for at in range(1, 6) for s in (at, 0.9 * at, 1.1 * at)]
    multiply_adds = 3 * sum(2 * blur.radius + 1 for blur in blurs) * image.size
    rate = f"{image.size / ours.median / 1e6:.1f} Mvoxel/s"
    yield Row(
        f"{name}: rate", rate, note=f"{multiply_adds / ours.median / 1e9:.0f} billion multiply-adds a second"
    )
    with single_threaded():
        alone = clock(lambda: predict(image, classifier))
    yield Row(
        f"{name}: 1 to {n_threads()} threads", str(ours), "1 thread", str(alone), alone.median / ours.median
    )


def deeper_forests() -> Iterator[Row]:
    """Compare forests of depth 5 and 10, alone and with the features."""
    image, labels, scribbles = nuclei()
    features = scipy_features(image)
    rng = np.random.default_rng(1)
    for depth, n_classes in ((5, 3), (10, 5)):
        finer = np.where(scribbles == 2, 2 + labels % (n_classes - 1), scribbles).astype(np.uint8)
        finer[(labels == 0) & (rng.random(labels.shape) < 0.001)] = 1
        classifier = objclass.train_object_classifier(image, finer, max_depth=depth)
        model = scikit_learn(features, finer, max_depth=depth)
        name = f"48×256×256, depth {depth}, {n_classes} classes"
        whole = clock(lambda classifier=classifier: predict(image, classifier), 3)
        without = objclass.train_object_classifier(
            image, finer, max_depth=1, n_estimators=1, features="original"
        )
        reading = clock(lambda without=without: predict(image, without), 3)
        peers = {
            "scikit-learn on ready features": lambda model=model: model.predict(features),
            "SciPy + scikit-learn": lambda model=model: model.predict(scipy_features(image)),
        }
        for peer, run_peer in peers.items():
            theirs = clock(run_peer, 1)
            yield Row(
                f"{name}, whole prediction",
                str(whole),
                peer,
                str(theirs),
                theirs.median / whole.median,
                f"of which reading and writing {reading}",
            )


def plane_picture() -> Iterator[Row]:
    """Compare on 4096×4096 pixels."""
    image, _, scribbles = nuclei((4096, 4096), 4000)
    scribbles[512:] = 0
    classifier = objclass.train_object_classifier(image, scribbles)
    peer = Apoc()
    peer.train(image[:512], scribbles[:512])
    yield compare(
        "2D 4096×4096",
        lambda: predict(image, classifier),
        "APOC on PoCL",
        lambda: peer.predict(image),
        peer_repeats=1,
    )


def large_volume() -> Iterator[Row]:
    """Report 128×512×512: the whole, one plane, training, memory."""
    image, scribbles = tiled((128, 512, 512))
    scribbles[[z for z in range(128) if z not in (24, 72, 120)]] = 0
    classifier = objclass.train_object_classifier(image, scribbles)
    whole = clock(lambda: predict(image, classifier))
    yield Row("128×512×512", str(whole), note=f"{image.size / whole.median / 1e6:.1f} Mvoxel/s")

    def plane(cache: FeatureCache | None = None) -> np.ndarray:
        return objclass.predict_plane(image, classifier, index=64, cache=cache)

    known = FeatureCache()
    for what, cache in (("cold", None), ("features cached", known)):
        plane(cache)
        once = clock(lambda cache=cache: plane(cache))
        yield Row(
            f"one plane of 128×512×512, {what}",
            str(once),
            "the whole",
            str(whole),
            whole.median / once.median,
        )
    part, part_scribbles = np.ascontiguousarray(image[:24]), np.ascontiguousarray(scribbles[8:32])
    peer = Apoc()
    yield compare(
        "training on three planes of 128×512×512",
        lambda: objclass.train_object_classifier(image, scribbles),
        "APOC on PoCL",
        lambda: peer.train(part, part_scribbles),
        peer_repeats=1,
        scale=len(part) / len(image),
        note="APOC on 24 of the planes, extrapolated",
    )
    for shape in ((128, 512, 512), (256, 512, 512)):
        peak = in_child(PEAK.format(shape=shape))
        name = "×".join(map(str, shape))
        yield Row(f"peak memory of segment, {name}", f"{peak['mb']:.0f} MB above input and output")


def growth() -> Iterator[Row]:
    """Report how time grows with voxels, trees, depth and sigma."""
    image, _, scribbles = nuclei()
    base = {"n_estimators": 100, "max_depth": 2, "features": SPEC}
    cases = [("voxels", {}, image[: 48 // k]) for k in (4, 2, 1)]
    cases += [("trees", {"n_estimators": n}, image) for n in (10, 100, 1000)]
    cases += [("depth", {"max_depth": n}, image) for n in (1, 2, 5, 10)]
    cases += [("sigma", {"features": f"gaussian_blur={n}"}, image) for n in (1, 5, 25)]
    for what, change, part in cases:
        classifier = objclass.train_object_classifier(image, scribbles, **{**base, **change})
        predict(part, classifier)
        value = part.size if what == "voxels" else next(iter(change.values()))
        yield Row(f"growth with {what}: {value}", str(clock(lambda p=part, c=classifier: predict(p, c), 3)))
