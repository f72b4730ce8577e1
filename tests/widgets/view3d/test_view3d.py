import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

pytest.importorskip("k3d", reason="k3d is not installed")

from objclass.plots.colors import MISSING, UNSELECTED, group_color, to_hex
from objclass.widgets.view3d.meshes import mesh_objects
from objclass.widgets.view3d.scene import LEVELS, plateau_map, shrink
from objclass.widgets.view3d.still import draw_surfaces
from objclass.widgets.view3d.view3d import View3D, view3d


@pytest.fixture(scope="module")
def balls() -> np.ndarray:
    """Three balls, of radius 8, 5 and 3 voxels, with gaps in their numbers."""
    labels = np.zeros((24, 24, 60), np.int32)
    grid = np.indices(labels.shape)
    for label, radius, x in ((4, 8, 12), (9, 5, 32), (30, 3, 50)):
        centre = np.array([12, 12, x]).reshape(3, 1, 1, 1)
        labels[((grid - centre) ** 2).sum(axis=0) <= radius**2] = label
    return labels


def signed_volume(vertices: np.ndarray, triangles: np.ndarray) -> float:
    a, b, c = np.moveaxis(vertices[triangles].astype(float), 1, 0)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def parts(mesh):
    vertices = np.split(np.arange(len(mesh.vertices)), np.cumsum(mesh.vertex_counts)[:-1])
    triangles = np.split(mesh.triangles, np.cumsum(mesh.triangle_counts)[:-1])
    return vertices, triangles


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 0.5, 0.7)])
def test_surfaces_enclose_their_objects(balls: np.ndarray, spacing) -> None:
    mesh = mesh_objects(balls, np.array([4, 9, 30]), spacing=spacing)
    vertices, triangles = parts(mesh)
    for label, own, faces in zip(mesh.labels, vertices, triangles, strict=True):
        places = np.argwhere(balls == label) * spacing
        centre = mesh.vertices[own].mean(axis=0)[::-1]
        np.testing.assert_allclose(centre, places.mean(axis=0), atol=0.35 * max(spacing))
        true = (balls == label).sum() * np.prod(spacing)
        assert signed_volume(mesh.vertices, faces) == pytest.approx(true, rel=0.25)
        assert np.isin(faces, own).all()


def test_the_budget_is_kept(balls: np.ndarray) -> None:
    small = mesh_objects(balls, np.array([4, 9, 30]), budget=600)
    large = mesh_objects(balls, np.array([4, 9, 30]), budget=9000)
    assert len(small.triangles) < 800
    assert len(large.triangles) > 1.5 * len(small.triangles)


def test_objects_that_are_not_there_have_no_surface(balls: np.ndarray) -> None:
    mesh = mesh_objects(balls, np.array([9, 10, 9999, 4]))
    assert (mesh.triangle_counts > 0).tolist() == [True, False, False, True]
    assert mesh.label_of(0) == 9
    assert mesh.label_of(len(mesh.vertices) - 1) == 4
    assert mesh.spread(np.arange(4)).shape == (len(mesh.vertices),)


def test_one_voxel_and_very_large_numbers() -> None:
    labels = np.zeros((3, 3, 3), np.int64)
    labels[1, 1, 1] = 2**40
    mesh = mesh_objects(labels, np.array([2**40]))
    assert mesh.triangle_counts[0] > 7
    np.testing.assert_allclose(mesh.vertices.mean(axis=0), 1, atol=0.05)


def test_no_objects() -> None:
    labels = np.zeros((4, 4, 4), int)
    assert view3d(np.ones(labels.shape), labels).mesh.triangles.shape == (0, 3)


def shown_colors(view: View3D) -> dict[int, str]:
    """The colour of each object in the scene."""
    starts = np.concatenate([[0], np.cumsum(view.mesh.vertex_counts)[:-1]])
    places, *channels = view.surfaces.color_map.reshape(-1, 4).T
    levels = view.surfaces.attribute[starts] / (LEVELS - 1)
    colors = np.rint([np.interp(levels, places, channel) * 255 for channel in channels]).T.astype(int)
    return dict(zip(view.mesh.labels.tolist(), map(to_hex, colors), strict=True))


def test_colours_follow_the_label(balls: np.ndarray) -> None:
    table = pd.DataFrame({"label": [30, 4, 77], "group": ["b", "a", "b"], "area": [1.0, np.nan, 3.0]})
    view = view3d(balls, balls, table, color="group")
    assert shown_colors(view) == {4: group_color(1), 9: MISSING, 30: group_color(2)}
    view.color = "area"
    assert shown_colors(view) == {4: MISSING, 9: MISSING, 30: "#440154"}
    view.set_table(table.iloc[1:1])
    assert shown_colors(view) == {4: group_color(1), 9: group_color(2), 30: group_color(3)}


def test_clusters_and_classes_have_the_colours_that_they_have_in_other_pictures(balls: np.ndarray) -> None:
    table = pd.DataFrame({"label": [4, 9, 30], "AC_CLUSTER_ID": [-1, 0, 8], "CLASS": ["a", "b", "b"]})
    table.attrs["class_colors"] = {"a": "#123456", "b": "#fedcba"}
    view = view3d(balls, balls, table, color="AC_CLUSTER_ID")
    assert shown_colors(view) == {4: UNSELECTED, 9: group_color(1), 30: group_color(9)}
    view.color = "CLASS"
    assert shown_colors(view) == {4: "#123456", 9: "#fedcba", 30: "#fedcba"}


def test_without_a_kernel_a_still_picture_shows_the_surfaces(balls: np.ndarray) -> None:
    table = pd.DataFrame({"label": [4, 9, 30], "group": ["a", "b", "b"]})
    view = view3d(balls, balls, table, color="group")
    shown = view._repr_mimebundle_()
    assert shown["text/plain"] == "View3D of 3 objects, coloured by group"
    picture = np.asarray(Image.open(io.BytesIO(view._draw_still()))).astype(float)
    assert picture.shape == (480, 480, 3)
    colors = view._colors().astype(float)
    hues = colors / np.linalg.norm(colors, axis=1, keepdims=True)
    is_bright = picture.sum(axis=2) > 100
    pixels = picture[is_bright] / np.linalg.norm(picture[is_bright], axis=1, keepdims=True)
    first, second = ((pixels @ hue > 0.995).sum() for hue in hues[:2])
    # The radii are 8, 5 and 3, the first ball has a group of its own.
    assert first + second > 0.95 * len(pixels)
    assert first / second == pytest.approx(8**2 / (5**2 + 3**2), rel=0.25)


def test_what_lies_in_front_covers_what_lies_behind() -> None:
    labels = np.zeros((40, 20, 20), np.int32)
    labels[2:12, 4:16, 4:16], labels[28:38, 4:16, 4:16] = 1, 2
    view = view3d(labels, labels)
    camera = [10, 10, -100, 10, 10, 20, 0, -1, 0]
    picture = draw_surfaces(view.mesh, np.array([[255, 0, 0], [0, 0, 255]]), camera)
    assert picture[240, 240, 0] > 200 > 50 > picture[240, 240, 2]
    behind = draw_surfaces(view.mesh, np.array([[255, 0, 0], [0, 0, 255]]), [10, 10, 140, *camera[3:]])
    assert behind[240, 240, 2] > 200 > 50 > behind[240, 240, 0]


def test_recolouring_sends_no_geometry_and_little_else(balls: np.ndarray) -> None:
    from k3d.helpers import to_json

    table = pd.DataFrame({"label": [4, 9, 30], "group": [0, 1, 2]}).astype({"group": str})
    view = view3d(balls, balls, table)
    changed = []
    view.surfaces.observe(lambda change: changed.append(change.name))
    view.color = "group"
    assert set(changed) <= {"attribute", "color_map"}
    sent = sum(
        len(to_json(name, view.surfaces[name], view.surfaces, 1)["compressed_data"]) for name in set(changed)
    )
    assert sent < 20_000


def test_clicks_name_the_object(balls: np.ndarray) -> None:
    view = view3d(balls, balls)
    vertex = int(view.mesh.vertex_counts[0]) + 3
    view.surfaces.click_callback({"face": [vertex, vertex + 1, vertex + 2]})
    assert view.clicked == 9


def test_the_page_needs_nothing_else(balls: np.ndarray, tmp_path) -> None:
    path = tmp_path / "embryo.html"
    view3d(balls, balls, spacing=(2, 1, 1)).save_html(path)
    page = path.read_text(encoding="utf-8")
    assert "<html" in page
    assert 'src="http' not in page
    assert 'href="http' not in page


def test_levels_have_exactly_their_colour() -> None:
    palette = np.random.default_rng(0).integers(0, 256, (256, 3))
    places, *channels = plateau_map(palette).T
    assert (np.diff(places) >= 0).all()
    for level in (0, 1, 100, 254, 255):
        found = [np.interp(level / 255, places, channel) * 255 for channel in channels]
        np.testing.assert_allclose(found, palette[level], atol=1e-3)


def test_shrinking_averages() -> None:
    image = np.arange(4 * 6 * 9, dtype=np.uint16).reshape(4, 6, 9)
    assert shrink(image, 10_000).shape == image.shape
    small = shrink(image, 40)
    assert small.size <= 40
    assert small[0, 0, 0] == image[:2, :2, :2].mean()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"color": "area"}, "color: expected the name of a column of table"),
        ({"raw": "slices"}, "raw: expected one of 'mip', 'volume', 'none'"),
        ({"triangles": 3}, "triangles: expected an integer of at least 100"),
        ({"spacing": 0}, "spacing: expected 3 positive numbers"),
    ],
)
def test_refuses(balls: np.ndarray, arguments, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        view3d(balls, balls, **arguments)


def test_flat_images_become_plates(balls: np.ndarray) -> None:
    view = view3d(balls[12], balls[12], spacing=(0.5, 0.5), raw="none")
    assert view.spacing == (0.5, 0.5, 0.5)
    assert (view.mesh.triangle_counts > 0).all()


@pytest.mark.parametrize("place", [(2, 2, 2), (2, 30, 40)])
def test_the_camera_shows_all_objects_as_large_as_they_fit(place) -> None:
    labels = np.zeros((12, 48, 60), int)
    z, y, x = place
    labels[z : z + 6, y : y + 6, x : x + 6] = 1
    labels[z, y : y + 14, x : x + 3] = 2
    view = view3d(labels, labels, spacing=(3, 1, 1), raw="none", progress=False)
    eye, target, up = np.reshape(view.camera, (3, 3))
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    seen = (view.mesh.vertices - eye) @ np.stack([right, np.cross(right, forward), forward], axis=1)
    share = np.abs(seen[:, :2] / seen[:, 2:]).max() / np.tan(np.radians(view.plot.camera_fov / 2))
    assert 0.9 < share <= 1
    view.plot.camera = [0.0] * 9
    view.reset()
    assert view.plot.camera == view.camera
