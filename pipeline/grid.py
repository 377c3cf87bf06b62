"""Patches of a scene: laid on its own pixel grid, so that a patch's pixels are the file's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from pyproj import Transformer

from download.scene import Bounds, Scene, Window
from pipeline.draw import draw
from pipeline.errors import PipelineError
from pipeline.fingerprint import digest

SAME_GSD = 0.01
"""Scene and patch agree when their GSDs differ by at most this share; then nothing is resampled."""

PATCHES_PER_UNIT = 512

NOTHING_TAKEN: Mapping[str, Any] = MappingProxyType({})


class PatchGrid(BaseModel):
    """How patches are laid.

    Attributes:
        size: pixels of a side of the finished picture.
        gsd: metres per pixel of the finished picture; left out: the scene's own.
        stride: distance from patch to patch, in patch sides.
        keep: share of the patches that is kept, drawn from the run's seed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int = Field(default=448, ge=16, le=8192)
    gsd: float | None = Field(default=None, gt=0)
    stride: float = Field(default=1.0, gt=0)
    keep: float = Field(default=1.0, gt=0, le=1)

    def window_size(self, scene: Scene) -> tuple[int, int]:
        """Columns and rows of the scene's pixels that one patch takes.

        Raises:
            PipelineError: the scene is coarser than the patch asks for.
        """
        own = scene.gsd
        if self.gsd is None:
            return self.size, self.size
        if max(own) > self.gsd * (1 + SAME_GSD):
            raise PipelineError(
                f"Scene {scene.id} has a GSD of {max(own):.3g} m, coarser than samples.patch.gsd: {self.gsd:g}. "
                "Leave gsd out to take the scene's own, or set it no finer than the imagery."
            )
        across, down = (
            round(self.size * self.gsd / gsd) if self.gsd > gsd * (1 + SAME_GSD) else self.size for gsd in own
        )
        return across, down


@dataclass(frozen=True, slots=True)
class Block:
    """A run of patch rows of one scene: the work of one unit.

    Attributes:
        scene: where the pixels are.
        grid: how the patches are laid.
        first_id: patch id of the block's first patch.
        rows: first patch row, and the one after the last.
        taken: ground in degrees (EPSG:4326) that other scenes show; None where there is none.
    """

    scene: Scene
    grid: PatchGrid
    first_id: int
    rows: tuple[int, int]
    taken: Any = None

    @property
    def id(self) -> str:
        """Name of the unit, fit for a file name."""
        return f"{self.scene.id}-r{self.rows[0]:05d}"

    def fingerprint(self, run: str) -> str:
        """Changes with the run's fingerprint, the scene's content (not its place on disk) and the patches."""
        taken = [] if self.taken is None else [self.taken.wkb_hex]
        return digest([run, self.scene.model_dump(mode="json", exclude={"path"}), self.first_id, self.rows, *taken])

    @property
    def laid(self) -> int:
        """Number of patches in the block, kept or not."""
        return (self.rows[1] - self.rows[0]) * grid_shape(self.scene, self.grid)[1]


@dataclass(frozen=True, slots=True)
class Patches:
    """Patches of one block, as arrays of equal length n.

    Attributes:
        ids: patch ids.
        windows: windows of the scene.
        boxes: (n, 4) left, bottom, right, top in the scene's CRS.
        bounds: (n, 4) west, south, east, north in degrees (EPSG:4326).
    """

    ids: NDArray[np.int64]
    windows: list[Window]
    boxes: NDArray[np.float64]
    bounds: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, chosen: NDArray[np.bool_]) -> "Patches":
        """The patches where `chosen` is true."""
        windows = [window for window, wanted in zip(self.windows, chosen, strict=True) if wanted]
        return Patches(self.ids[chosen], windows, self.boxes[chosen], self.bounds[chosen])


def grid_shape(scene: Scene, grid: PatchGrid) -> tuple[int, int]:
    """Rows and columns of patches that fit on a scene."""
    width, height = grid.window_size(scene)
    down, across = _step(height, grid), _step(width, grid)
    rows = 0 if scene.height < height else (scene.height - height) // down + 1
    cols = 0 if scene.width < width else (scene.width - width) // across + 1
    return rows, cols


def laid_extent(scene: Scene, grid: PatchGrid) -> Bounds | None:
    """Left, bottom, right and top of all patches of a scene, in its CRS; None where none fits."""
    rows, cols = grid_shape(scene, grid)
    if not rows or not cols:
        return None
    width, height = grid.window_size(scene)
    down, across = _step(height, grid), _step(width, grid)
    return scene.window_bounds(Window(0, 0, (cols - 1) * across + width, (rows - 1) * down + height))


def blocks(scenes: list[Scene], grid: PatchGrid, taken: Mapping[str, Any] = NOTHING_TAKEN) -> Iterator[Block]:
    """Units of all scenes, in order; patch ids run on through them, as RSTeller's do.

    Args:
        scenes: to be cut.
        grid: how.
        taken: ground that other scenes show, by scene id; see `ground.taken_before`.
    """
    next_id = 0
    for scene in scenes:
        rows, cols = grid_shape(scene, grid)
        if not rows or not cols:
            continue
        step = max(1, PATCHES_PER_UNIT // cols)
        for first in range(0, rows, step):
            last = min(first + step, rows)
            yield Block(scene, grid, next_id + first * cols, (first, last), taken.get(scene.id))
        next_id += rows * cols


def lay(block: Block, seed: int) -> Patches:
    """The kept patches of a block, row by row; which ones depends on seed, scene and place in the grid alone."""
    scene, grid = block.scene, block.grid
    width, height = grid.window_size(scene)
    _, cols = grid_shape(scene, grid)
    down, across = _step(height, grid), _step(width, grid)
    places = [
        (row, col)
        for row in range(*block.rows)
        for col in range(cols)
        if grid.keep == 1 or draw(f"{seed}/{scene.id}/{row}/{col}") < grid.keep
    ]
    ids = [block.first_id + (row - block.rows[0]) * cols + col for row, col in places]
    windows = [Window(col * across, row * down, width, height) for row, col in places]
    boxes = np.array([scene.window_bounds(window) for window in windows], dtype=np.float64).reshape(-1, 4)
    return Patches(np.array(ids, dtype=np.int64), windows, boxes, _degrees(scene.crs, boxes))


def _step(side: int, grid: PatchGrid) -> int:
    return max(1, round(grid.stride * side))


def _degrees(crs: str, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Smallest boxes in degrees around boxes in a CRS, from their corners and the middles of their sides."""
    left, bottom, right, top = boxes.T
    middle_x, middle_y = (left + right) / 2, (bottom + top) / 2
    xs = np.stack([left, right, left, right, left, right, middle_x, middle_x])
    ys = np.stack([bottom, bottom, top, top, middle_y, middle_y, bottom, top])
    lon, lat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(xs, ys)
    if not len(boxes):
        return np.zeros((0, 4))
    return np.stack([lon.min(0), lat.min(0), lon.max(0), lat.max(0)], axis=1)
