import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objclass.widgets.annotator.scribbles import Patch, Scribbles
from tests.random_search import examples

SHAPE = (4, 6, 7)


def patch(axis=0, index=1, row=2, col=3, values=((0, 3), (1, 3))):
    return Patch(axis, index, row, col, np.array(values, np.uint16))


@st.composite
def patches(draw):
    axis = draw(st.integers(0, 2))
    rows, cols = (size for at, size in enumerate(SHAPE) if at != axis)
    row, col = draw(st.integers(0, rows - 1)), draw(st.integers(0, cols - 1))
    size = draw(st.integers(1, rows - row)), draw(st.integers(1, cols - col))
    values = draw(st.lists(st.integers(0, 4), min_size=size[0] * size[1], max_size=size[0] * size[1]))
    return Patch(
        axis, draw(st.integers(0, SHAPE[axis] - 1)), row, col, np.array(values, np.uint16).reshape(size)
    )


def painted(volume, patch):
    """The plain definition of a patch."""
    result = volume.copy()
    plane = np.moveaxis(result, patch.axis, 0)[patch.index]
    for (row, col), value in np.ndenumerate(patch.values):
        if value:
            plane[patch.row + row, patch.col + col] = value - 1
    return result


def check_counts(scribbles):
    for axis in range(3):
        others = tuple(at for at in range(3) if at != axis)
        np.testing.assert_array_equal(scribbles.marked[axis], np.count_nonzero(scribbles.volume, axis=others))
    sizes = np.bincount(scribbles.volume.ravel(), minlength=256)
    np.testing.assert_array_equal(scribbles.class_sizes[1:], sizes[1:])


def test_a_patch_paints_erases_and_leaves():
    scribbles = Scribbles(np.full(SHAPE, 5, np.uint8))
    scribbles.paint([patch()])
    np.testing.assert_array_equal(scribbles.volume[1, 2:4, 3:5], [[5, 2], [0, 2]])
    assert np.count_nonzero(scribbles.volume != 5) == 3


@examples(60)
@given(st.lists(st.lists(patches(), min_size=1, max_size=3), max_size=6))
def test_painting_undoing_and_redoing(steps):
    scribbles = Scribbles(np.zeros(SHAPE, np.uint8))
    states = [scribbles.volume.copy()]
    for step in steps:
        expected = states[-1]
        for one in step:
            expected = painted(expected, one)
        if scribbles.paint(step):
            states.append(expected)
        np.testing.assert_array_equal(scribbles.volume, expected)
        check_counts(scribbles)
    for state in states[-2::-1]:
        assert scribbles.undo()
        np.testing.assert_array_equal(scribbles.volume, state)
        check_counts(scribbles)
    assert scribbles.undo() == []
    for state in states[1:]:
        assert scribbles.redo()
        np.testing.assert_array_equal(scribbles.volume, state)
    assert scribbles.redo() == []
    check_counts(scribbles)


def test_undo_tells_where_it_was_and_what_to_paint():
    scribbles = Scribbles(np.zeros(SHAPE, np.uint8))
    scribbles.paint([patch(axis=2, index=5, values=((3,),), row=1, col=2)])
    scribbles.paint([patch(index=0)])
    seen = scribbles.volume.copy()
    for _ in range(2):
        for undone in scribbles.undo():
            seen = painted(seen, undone)
    assert (undone.axis, undone.index) == (2, 5)
    np.testing.assert_array_equal(seen, 0)


def test_a_new_stroke_ends_redoing():
    scribbles = Scribbles(np.zeros(SHAPE, np.uint8))
    scribbles.paint([patch()])
    scribbles.undo()
    scribbles.paint([patch(index=3)])
    assert not scribbles.history.can_redo
    assert scribbles.redo() == []


def test_scribble_without_change_is_not_a_step():
    scribbles = Scribbles(np.zeros(SHAPE, np.uint8))
    assert not scribbles.paint([patch(values=((1, 1),))])
    assert not scribbles.history.can_undo


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_clearing_a_plane_can_be_undone(axis):
    volume = np.random.default_rng(axis).integers(0, 4, SHAPE).astype(np.uint8)
    scribbles = Scribbles(volume.copy())
    scribbles.clear_plane(axis, 2)
    expected = volume.copy()
    np.moveaxis(expected, axis, 0)[2] = 0
    np.testing.assert_array_equal(scribbles.volume, expected)
    scribbles.undo()
    np.testing.assert_array_equal(scribbles.volume, volume)


def test_clearing_a_class_is_one_step_over_all_slices():
    volume = np.random.default_rng(3).integers(0, 4, SHAPE).astype(np.uint8)
    scribbles = Scribbles(volume.copy())
    scribbles.clear_class(2)
    np.testing.assert_array_equal(scribbles.volume, np.where(volume == 2, 0, volume))
    scribbles.undo()
    np.testing.assert_array_equal(scribbles.volume, volume)
    assert not scribbles.history.can_undo


@pytest.mark.parametrize(
    "wrong",
    [
        patch(axis=3),
        patch(index=4),
        patch(index=-1),
        patch(row=5),
        patch(col=-1),
        patch(values=((256,),)),
    ],
)
def test_a_wrong_patch_paints_nothing_of_its_stroke(wrong):
    scribbles = Scribbles(np.zeros(SHAPE, np.uint8))
    with pytest.raises(ValueError, match="scribble: "):
        scribbles.paint([patch(), wrong])
    assert not scribbles.volume.any()
    assert not scribbles.history.can_undo


def test_old_steps_are_forgotten_before_memory_is(monkeypatch):
    monkeypatch.setattr("objclass.widgets.annotator.scribbles._HISTORY_BYTES", 2000)
    scribbles = Scribbles(np.zeros((1, 100, 100), np.uint8))
    for value in range(1, 40):
        scribbles.paint([Patch(0, 0, 0, 0, np.full((50, 50), value + 1, np.uint16))])
    undone = 0
    while scribbles.undo():
        undone += 1
    assert 1 <= undone < 20
