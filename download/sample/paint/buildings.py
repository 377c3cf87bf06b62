"""Painters of buildings, silos and towers: a height for every pixel of the roof, the sun does the rest."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import shapely
from shapely import Polygon

from download.sample.layout import Pair, Thing, rectangle, scatter
from download.sample.paint.colours import MEMBRANES, SHEETS, SHINGLES, WHITE, shaded
from download.sample.surface import Colour, Floats, Surface, Window, coverage, tiles


def gable(surface: Surface, thing: Thing) -> None:
    """A house with a ridge along its longer side."""
    _pitched(surface, thing, surface.pick(SHINGLES))


def hip(surface: Surface, thing: Thing) -> None:
    """A house whose roof falls to all four sides."""
    _hipped(surface, thing, surface.pick(SHINGLES), 0.55)


def red_barn(surface: Surface, thing: Thing) -> None:
    """A barn with a red roof."""
    _pitched(surface, thing, (156, 66, 54, 104), 0.6)


def metal_roof(surface: Surface, thing: Thing) -> None:
    """A shed roofed with pale metal sheets."""
    _pitched(surface, thing, surface.pick(SHEETS), 0.28)
    frame = _Frame.of(thing.polygon)
    for within in tiles(thing.geometry):
        seams = (frame.along(within) % 6.0) < 0.6
        surface.blend(within, (160, 162, 164, 140), 0.35 * seams * coverage(thing.geometry, within))


def church(surface: Surface, thing: Thing) -> None:
    """A slate roof over nave and transept: it rises with the distance from the walls."""
    surface.fill(thing.geometry, (104, 108, 116, 96), 0.03)
    for step in range(11):
        inner = thing.geometry.buffer(-0.6 * step, join_style="mitre")
        surface.build(inner, thing.height + 0.45 * step)


def tower_roof(surface: Surface, thing: Thing) -> None:
    """A copper pyramid."""
    _hipped(surface, thing, (116, 158, 140, 120), 1.5)


def flat_roof(surface: Surface, thing: Thing) -> None:
    """A flat roof with parapet, patches of gravel and boxes of machinery."""
    inner = thing.geometry.buffer(-0.9, join_style="mitre")
    surface.fill(thing.geometry, WHITE, 0.02)
    surface.fill(inner, surface.pick(MEMBRANES), 0.05)
    surface.build(thing.geometry, thing.height)
    for place in scatter(surface.rng, inner.buffer(-2), max(7.0, float(np.sqrt(thing.geometry.area / 7)))):
        unit = rectangle(place, float(surface.rng.uniform(1.4, 3)), 1.6)
        surface.fill(unit, (170, 172, 176, 140), 0.0)
        surface.build(unit, thing.height + 1.4)


def silo(surface: Surface, thing: Thing) -> None:
    """A concrete cylinder under a pale dome."""
    _cone(surface, thing, (206, 202, 192, 158), 0.45)


def grain_bin(surface: Surface, thing: Thing) -> None:
    """A grain bin of galvanised steel under a cone."""
    _cone(surface, thing, (196, 200, 206, 170), 0.6)


def water_tower(surface: Surface, thing: Thing) -> None:
    """A pale bulb, high up."""
    _cone(surface, thing, (206, 222, 230, 190), 0.5)


def power_tower(surface: Surface, thing: Thing) -> None:
    """A lattice tower: little of it, and a long thin shadow."""
    place = (thing.point.x, thing.point.y)
    for part in (rectangle(place, thing.width * 1.6, 0.6, 14), rectangle(place, 1.8, 1.8, 14)):
        surface.fill(part, (196, 198, 200, 150), 0.0, 0.8)
    surface.build(rectangle(place, 1.0, 1.0), thing.height)


@dataclass(frozen=True, slots=True)
class _Frame:
    """A building's own axes: centre, direction of the long side, half length and half width in metres."""

    centre: Pair
    axis: Pair
    length: float
    width: float

    @classmethod
    def of(cls, building: Polygon) -> Self:
        corners = shapely.get_coordinates(shapely.oriented_envelope(building))
        sides = np.diff(corners, axis=0)[:2]
        lengths = np.hypot(sides[:, 0], sides[:, 1])
        east, north = (sides[lengths.argmax()] / lengths.max()).tolist()
        x, y = corners[:4].mean(0).tolist()
        return cls((x, y), (east, north), float(lengths.max()) / 2, float(lengths.min()) / 2)

    def along(self, within: Window) -> Floats:
        """Metres from the centre along the long side, (rows, columns)."""
        return (within.x - self.centre[0]) * self.axis[0] + (within.y - self.centre[1]) * self.axis[1]

    def across(self, within: Window) -> Floats:
        """Metres from the centre across the long side, (rows, columns)."""
        return (within.y - self.centre[1]) * self.axis[0] - (within.x - self.centre[0]) * self.axis[1]


def _pitched(surface: Surface, thing: Thing, colour: Colour, pitch: float = 0.55) -> None:
    frame = _Frame.of(thing.polygon)
    surface.fill(thing.geometry, colour, 0.03)
    for within in tiles(thing.geometry):
        fall = np.abs(frame.across(within))
        surface.lift(within, thing.geometry, thing.height + pitch * np.clip(frame.width - fall, 0, None))
        ridge = coverage(thing.geometry, within) * (fall < 0.35)
        surface.blend(within, shaded(colour, 1.12), 0.5 * ridge)


def _hipped(surface: Surface, thing: Thing, colour: Colour, pitch: float) -> None:
    frame = _Frame.of(thing.polygon)
    surface.fill(thing.geometry, colour, 0.03)
    for within in tiles(thing.geometry):
        ends = np.abs(frame.along(within)) - (frame.length - frame.width)
        fall = np.maximum(np.abs(frame.across(within)), ends)
        surface.lift(within, thing.geometry, thing.height + pitch * np.clip(frame.width - fall, 0, None))


def _cone(surface: Surface, thing: Thing, colour: Colour, pitch: float) -> None:
    centre, radius = thing.geometry.centroid, thing.geometry.length / (2 * np.pi)
    surface.fill(thing.geometry, colour, 0.02)
    for within in tiles(thing.geometry):
        away = np.hypot(within.x - centre.x, within.y - centre.y)
        surface.lift(within, thing.geometry, thing.height + pitch * np.clip(radius - away, 0, None))
    surface.fill(centre.buffer(0.7), (120, 122, 126, 110), 0.0)
