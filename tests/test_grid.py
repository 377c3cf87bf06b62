"""Patches on a scene's own pixel grid."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from download.scene import Scene
from pipeline.errors import PipelineError
from pipeline.grid import PatchGrid, blocks, grid_shape, lay


def _scene(width: int = 1024, height: int = 1024, gsd: float = 0.6, name: str = "s") -> Scene:
    return Scene(
        id=name, source="made", path="-", crs="EPSG:26915", transform=(gsd, 0, 500_000, 0, -gsd, 4_700_000),
        width=width, height=height, bands=(1, 2, 3), digest=name,
    )  # fmt: skip


def test_native_grid_has_the_scenes_own_pixels() -> None:
    (block,) = blocks([_scene(gsd=1.46484375)], PatchGrid(size=224, gsd=1.4648))
    patches = lay(block, seed=0)
    assert len(patches) == 16
    assert {(window.width, window.height) for window in patches.windows} == {(224, 224)}
    assert [(window.col, window.row) for window in patches.windows[:5]] == [
        (0, 0),
        (224, 0),
        (448, 0),
        (672, 0),
        (0, 224),
    ]
    assert patches.ids.tolist() == list(range(16))


def test_coarser_patches_take_more_pixels() -> None:
    (block,) = blocks([_scene()], PatchGrid(size=100, gsd=1.2))
    assert {(window.width, window.height) for window in lay(block, seed=0).windows} == {(200, 200)}


def test_finer_patches_than_the_scene_are_refused() -> None:
    with pytest.raises(PipelineError, match=r"GSD of 0.6 m, coarser than samples.patch.gsd: 0.3"):
        list(blocks([_scene()], PatchGrid(size=100, gsd=0.3)))


def test_scene_smaller_than_a_patch_has_none() -> None:
    assert list(blocks([_scene(width=447)], PatchGrid(size=448))) == []


def test_keep_draws_the_same_patches_whatever_else_is_there() -> None:
    grid, other = PatchGrid(size=32, keep=0.3), _scene(name="other")
    (alone,) = [lay(block, seed=5) for block in blocks([_scene(width=512)], grid)]
    *_, beside = [lay(block, seed=5) for block in blocks([other, _scene(width=512)], grid)]
    assert alone.windows == beside.windows
    assert 0.2 < len(alone) / 512 < 0.4
    assert lay(next(iter(blocks([_scene(width=512)], grid))), seed=6).windows != alone.windows


@given(
    width=st.integers(16, 3000), height=st.integers(16, 3000), size=st.integers(16, 200), stride=st.floats(0.2, 3),
)  # fmt: skip
def test_patches_stay_inside_and_ids_run_on(width: int, height: int, size: int, stride: float) -> None:
    scenes, grid = (
        [_scene(width, height, name="a"), _scene(height, width, name="b")],
        PatchGrid(size=size, stride=stride),
    )
    units = list(blocks(scenes, grid))
    assert [unit.first_id for unit in units] == [0, *np.cumsum([unit.laid for unit in units])[:-1]] if units else True
    assert sum(unit.laid for unit in units) == sum(np.prod(grid_shape(scene, grid)) for scene in scenes)
    assert len({unit.id for unit in units}) == len(units)
    for before, after in pairwise(units):
        assert (before.scene.id, before.rows) < (after.scene.id, after.rows)
    for unit in units[:3]:
        patches = lay(unit, seed=1)
        assert len(patches) == unit.laid
        ends = np.array([(window.col + window.width, window.row + window.height) for window in patches.windows])
        assert (ends <= [unit.scene.width, unit.scene.height]).all()
        left, bottom, right, top = unit.scene.extent
        assert (patches.boxes >= np.array([left, bottom, left, bottom]) - 1e-6).all()
        assert (patches.boxes <= np.array([right, top, right, top]) + 1e-6).all()
        assert (patches.bounds[:, :2] < patches.bounds[:, 2:]).all()
