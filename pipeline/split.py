"""Train, validation and test by coarse cells, so that neighbours never straddle.

A unit is committed before others are known, so nothing may depend on what the whole run will hold: the split of a
place follows from the place, the seed and the shares alone, and a scene that is added later moves nobody. What can be
had without knowing more is stratification in space: cells are dealt out within squares of `BLOCK` x `BLOCK` cells,
each of which gets every split in its share. Land use and the dates of pictures change slowly from square to square, so
the splits come to have the same mixture of both; how well is measured (`splits` in metrics.json).
"""

from collections.abc import Sequence
from functools import lru_cache
from math import floor

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.draw import draw

BLOCK = 5
"""Cells along a side of the square within which the shares are met as nearly as whole cells allow."""
NONE = "none"
"""The split of patches too near to a cell of another split."""


class Split(BaseModel):
    """Shares of the splits, drawn for whole cells.

    Attributes:
        train: share of the cells for training.
        validation: share for validation.
        test: share for testing.
        cell: side of a cell in degrees.
        gap: patches nearer than this to a cell of another split, in sides of the patch, belong to none; so patches of
            different splits are at least twice as far apart.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    train: float = Field(default=1.0, ge=0)
    validation: float = Field(default=0.0, ge=0)
    test: float = Field(default=0.0, ge=0)
    cell: float = Field(default=0.05, gt=0, le=10)
    gap: float = Field(default=0.5, ge=0, le=100)

    @model_validator(mode="after")
    def _not_empty(self) -> "Split":
        if self.train + self.validation + self.test <= 0:
            raise ValueError("train, validation and test are all 0")
        return self

    def of(self, lon: float, lat: float, seed: int) -> str:
        """The split of a place in degrees (EPSG:4326)."""
        return self._of_cell(floor(lon / self.cell), floor(lat / self.cell), seed)

    def of_box(self, bounds: Sequence[float], seed: int) -> str:
        """The split of a patch; `none` where it or the gap around it reaches into a cell of another split.

        Args:
            bounds: west, south, east, north in degrees (EPSG:4326).
            seed: of the run.
        """
        west, south, east, north = bounds
        wide, high = self.gap * (east - west), self.gap * (north - south)
        columns = range(floor((west - wide) / self.cell), floor((east + wide) / self.cell) + 1)
        rows = range(floor((south - high) / self.cell), floor((north + high) / self.cell) + 1)
        found = {self._of_cell(column, row, seed) for column in columns for row in rows}
        return found.pop() if len(found) == 1 else NONE

    def _of_cell(self, column: int, row: int, seed: int) -> str:
        shares = (self.train, self.validation, self.test)
        block_column, block_row = column // BLOCK, row // BLOCK
        dealt = _dealt(seed, block_column, block_row, shares)
        return dealt[(row - block_row * BLOCK) * BLOCK + column - block_column * BLOCK]


@lru_cache(maxsize=4096)
def _dealt(seed: int, block_column: int, block_row: int, shares: tuple[float, float, float]) -> tuple[str, ...]:
    """Splits of a square's cells, row by row: cells in the order of their lots take every n-th place of the shares."""
    square = f"{seed}/{block_column}/{block_row}"
    order = sorted(range(BLOCK * BLOCK), key=lambda cell: draw(f"{square}/{cell}"))
    first = draw(square)
    dealt = [""] * len(order)
    for rank, cell in enumerate(order):
        dealt[cell] = _at((rank + first) / len(order) * sum(shares), shares)
    return tuple(dealt)


def _at(place: float, shares: tuple[float, float, float]) -> str:
    """The split in whose share a place in [0, sum of the shares) lies."""
    names = ("train", "validation", "test")
    for name, share in zip(names, shares, strict=True):
        place -= share
        if place < 0:
            return name
    return next(name for name, share in reversed(list(zip(names, shares, strict=True))) if share)
