"""Which objects of a map become pictures, from which source and of which piece of ground, as SkyScript was made.

After Wang et al. (AAAI 2024, arXiv 2312.12856): objects of random cells and, wherever they are, those with rare tags;
a source that is fine enough to show the object, and a window around a point of it, shifted at random. Numbers that the
paper keeps in an appendix out of reach are settings here. Lots fall by seed and id: an object that is added to the map
changes nothing for the others.
"""

from collections.abc import Mapping, Sequence
from math import ceil, cos, floor, radians
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from annotation.tags import Kind
from pipeline.draw import draw

CELL = 0.01
"""Degrees of a side of a cell (the paper's first stage)."""
METRES_OF_A_DEGREE = 111_320.0
SAME = 0.99
"""Allowance for a GSD that is one step of the tag table but for rounding."""
FARTHEST = 85.0
"""Latitude beyond which a window in degrees is no use."""

Bounds = tuple[float, float, float, float]


class Thing(NamedTuple):
    """An object that may become a picture.

    Attributes:
        id: `way/123`.
        kind: how it is drawn: `area`, `line` or `point`.
        seen_from: coarsest GSD in metres at which it can be told apart.
        points: (lon, lat) of its nodes in degrees; of an area its box is what counts.
    """

    id: str
    kind: Kind
    seen_from: float
    points: Sequence[tuple[float, float]]

    @property
    def bounds(self) -> Bounds:
        """West, south, east, north in degrees."""
        longitudes, latitudes = zip(*self.points, strict=True)
        return min(longitudes), min(latitudes), max(longitudes), max(latitudes)


class Chosen(NamedTuple):
    """A source and a window for an object: its code, metres per pixel, pixels of a side, and degrees."""

    code: str
    gsd: float
    size: int
    bounds: Bounds


class TwoStages(BaseModel):
    """Which objects are drawn.

    Attributes:
        cells: share of the cells of 0.01 degrees whose objects are all taken.
        rare: a tag is rare if at most so many objects have it as their main tag; these are all taken.
        each: of what has a tag no more than so many are taken, by lot; left out: no limit, as in the paper.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cells: float = Field(default=0.1, ge=0, le=1)
    rare: int = Field(default=100, ge=0)
    each: int | None = Field(default=None, ge=1)

    def drawn(self, tags: Sequence[str], places: NDArray[np.float64], seed: int) -> NDArray[np.bool_]:
        """Which of n objects lie in drawn cells or have a rare tag, and are not too many of a kind.

        Args:
            tags: main tag of each, such as `building=house`.
            places: (n, 2) lon and lat of their middles in degrees.
            seed: of the run.
        """
        _, tag, counts = np.unique(np.asarray(tags, dtype=np.str_), return_inverse=True, return_counts=True)
        cells, cell = np.unique(np.floor(places / CELL).astype(np.int64), axis=0, return_inverse=True)
        taken = np.array([draw(f"{seed}/cell/{column}/{row}") < self.cells for column, row in cells.tolist()], bool)
        drawn = np.asarray((counts[tag] <= self.rare) | taken[cell.ravel()])
        if self.each:
            for number in np.flatnonzero(np.bincount(tag[drawn]) > self.each).tolist():
                here = np.flatnonzero(drawn & (tag == number))
                lots = [draw(f"{seed}/each/{lon}/{lat}") for lon, lat in places[here].tolist()]
                drawn[here[np.argsort(lots, kind="stable")[self.each :]]] = False
        return drawn


class Windows(BaseModel):
    """How large pictures are, and how far their object may lie from the middle.

    Attributes:
        least: pixels of the smallest picture's side.
        most: pixels of the largest one's.
        step: sizes are `least` and so many pixels more, twice as many more, …
        margin: ground left around an area, as a share of its longer side, on each side.
        smallest: pixels that the longer side of an area's or a line's box has at least; how large points are, no map
            tells.
        reach: share of a picture's side that a line's box takes at least, as far as `least` allows: ways are short, and
            a stub of a street in the middle of a town says little.
        shift: how far a window around a point or line is shifted at most, as a share of its half side.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    least: int = Field(default=128, ge=16)
    most: int = Field(default=768, le=8192)
    step: int = Field(default=1, ge=1)
    margin: float = Field(default=0.25, ge=0, le=2)
    smallest: int = Field(default=8, ge=0)
    reach: float = Field(default=0.3, ge=0, le=1)
    shift: float = Field(default=0.6, ge=0, lt=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least > self.most:
            raise ValueError(f"least ({self.least}) is more than most ({self.most})")
        return self

    def chosen(self, thing: Thing, sources: Mapping[str, float], seed: int) -> Chosen | None:
        """A source and a window for an object; None where none fits.

        Of points and lines any source is fine enough whose GSD is at most what the object is seen from: one is drawn,
        and the window's size with it; the window lies around the point, or around a node of the line that is drawn.
        Of areas the source has to bring the box with its margin to a side of `least` to `most` pixels; a smaller
        box is given more ground, so that a source is out only where the area takes more than `most`, or the box fewer
        than `smallest`.
        Both are shifted at random as far as the object stays inside.

        Args:
            thing: the object.
            sources: metres per pixel by code, of those that have pictures there; there may be none.
            seed: of the run.
        """
        fine = [(code, gsd) for code, gsd in sorted(sources.items()) if gsd * SAME <= thing.seen_from]
        west, south, east, north = thing.bounds
        across, down = _metres(west, south, east, north)
        ground = max(across, down) * (1 + 2 * self.margin)
        if thing.kind != "point":
            fine = [(code, gsd) for code, gsd in fine if max(across, down) >= self.smallest * gsd]
        if thing.kind == "area":
            fine = [(code, gsd) for code, gsd in fine if self._holding(ground / gsd) <= self.most]
        lot = f"{seed}/{thing.id}"
        if not fine or max(abs(lat) for _, lat in thing.points) > FARTHEST:
            return None
        code, gsd = fine[int(draw(f"{lot}/source") * len(fine))]
        if thing.kind != "area":
            most = self.most
            if thing.kind == "line" and self.reach:
                most = min(most, max(self.least, floor(max(across, down) / gsd / self.reach)))
            size = self.least + int(draw(f"{lot}/size") * ((most - self.least) // self.step + 1)) * self.step
            lon, lat = thing.points[int(draw(f"{lot}/node") * len(thing.points))]
            return Chosen(code, gsd, size, _window(lon, lat, size * gsd, [size * gsd / 2 * self.shift] * 2, lot))
        size = self._holding(ground / gsd)
        room = [(size * gsd - side) / 2 for side in (across, down)]
        return Chosen(code, gsd, size, _window((west + east) / 2, (south + north) / 2, size * gsd, room, lot))

    def _holding(self, pixels: float) -> int:
        """The smallest size that is no smaller than so many pixels."""
        return self.least + max(0, ceil((pixels - self.least) / self.step)) * self.step


def _metres(west: float, south: float, east: float, north: float) -> tuple[float, float]:
    """Width and height of a box, as wide as it is where it is widest."""
    nearest = 0.0 if south < 0 < north else min(abs(south), abs(north))
    return (east - west) * METRES_OF_A_DEGREE * cos(radians(nearest)), (north - south) * METRES_OF_A_DEGREE


def _window(lon: float, lat: float, side: float, room: Sequence[float], lot: str) -> Bounds:
    """A square window in degrees around a place, shifted by at most `room` metres to each side."""
    east, north = ((2 * draw(f"{lot}/{axis}") - 1) * most for axis, most in zip(("east", "north"), room, strict=True))
    high, wide = METRES_OF_A_DEGREE, METRES_OF_A_DEGREE * cos(radians(lat))
    return (
        lon + (east - side / 2) / wide,
        lat + (north - side / 2) / high,
        lon + (east + side / 2) / wide,
        lat + (north + side / 2) / high,
    )
