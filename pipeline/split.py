"""Train, validation and test by coarse cells, so that neighbours never straddle.

A unit is committed before others are known, so the split of a place follows from the seed, the shares and what lies in
its square of `BLOCK` x `BLOCK` cells. Each square gets every split in its share, and so does each stratum in it: cells
of the same land use and the same years of pictures (`strata.py`). How well that went is measured (`splits` in
metrics.json).
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import floor

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.draw import draw

Cell = tuple[int, int]
"""Column and row: degrees east and north by the side of a cell, rounded down."""
BLOCK = 5
"""Cells along a side of the square within which the shares are met as nearly as whole cells allow."""
NONE = "none"
"""The split of patches too near to a cell of another split."""
STRIDE = 16
"""From cell to cell through the places of a square: no divisor with their number, so that each is taken once, and near
to the golden section of it, so that the places of any few cells in a row are spread evenly."""
_NOTHING: Mapping[Cell, str] = {}


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

    @property
    def is_one(self) -> bool:
        """Whether everything is in the same split."""
        return sum(share > 0 for share in (self.train, self.validation, self.test)) == 1

    def of(self, lon: float, lat: float, seed: int, strata: Mapping[Cell, str] = _NOTHING) -> str:
        """The split of a place in degrees (EPSG:4326)."""
        return self._of_cell(floor(lon / self.cell), floor(lat / self.cell), seed, strata)

    def of_box(self, bounds: Sequence[float], seed: int, strata: Mapping[Cell, str] = _NOTHING) -> str:
        """The split of a patch; `none` where it or the gap around it reaches into a cell of another split.

        Args:
            bounds: west, south, east, north in degrees (EPSG:4326).
            seed: of the run.
            strata: what lies in each cell; see `strata.py`.
        """
        west, south, east, north = bounds
        wide, high = self.gap * (east - west), self.gap * (north - south)
        columns = range(floor((west - wide) / self.cell), floor((east + wide) / self.cell) + 1)
        rows = range(floor((south - high) / self.cell), floor((north + high) / self.cell) + 1)
        found = {self._of_cell(column, row, seed, strata) for column in columns for row in rows}
        return found.pop() if len(found) == 1 else NONE

    def _of_cell(self, column: int, row: int, seed: int, strata: Mapping[Cell, str]) -> str:
        shares = (self.train, self.validation, self.test)
        block_column, block_row = column // BLOCK, row // BLOCK
        left, bottom = block_column * BLOCK, block_row * BLOCK
        held = tuple(strata.get((left + x, bottom + y), "") for y in range(BLOCK) for x in range(BLOCK))
        return _dealt(seed, block_column, block_row, shares, held)[(row - bottom) * BLOCK + column - left]


@lru_cache(maxsize=4096)
def _dealt(
    seed: int, block_column: int, block_row: int, shares: tuple[float, float, float], strata: tuple[str, ...]
) -> tuple[str, ...]:
    """Splits of a square's cells, row by row: stratum by stratum in the order of their lots, spread over the shares."""
    square = f"{seed}/{block_column}/{block_row}"
    order = sorted(range(BLOCK * BLOCK), key=lambda cell: (strata[cell], draw(f"{square}/{cell}")))
    first = draw(square)
    dealt = [""] * len(order)
    for rank, cell in enumerate(order):
        dealt[cell] = _at((first + rank * STRIDE % len(order)) / len(order) * sum(shares), shares)
    return tuple(dealt)


def _at(place: float, shares: tuple[float, float, float]) -> str:
    """The split in whose share a place in [0, sum of the shares) lies."""
    names = ("train", "validation", "test")
    for name, share in zip(names, shares, strict=True):
        place -= share
        if place < 0:
            return name
    return next(name for name, share in reversed(list(zip(names, shares, strict=True))) if share)
