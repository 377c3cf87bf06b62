"""Painters of places that people have laid out: yards, gardens, sports grounds, car parks, panels."""

from itertools import product

import numpy as np
import shapely
from shapely import LineString, Point, Polygon
from shapely.affinity import translate

from download.sample.layout import Pair, Thing, box, rectangle
from download.sample.paint.colours import ASPHALT, CARS, GRASS, GRAVEL, WHITE, shaded
from download.sample.surface import Surface, coverage, tiles


def lawn(surface: Surface, thing: Thing) -> None:
    """Mown grass; every owner's a little different."""
    dry = float(surface.rng.beta(2, 4))
    green, straw = np.array((98, 118, 76, 188)), np.array((152, 144, 106, 156))
    red, leaf, blue, near = (green * (1 - dry) + straw * dry).tolist()
    surface.fill(thing.geometry, (red, leaf, blue, near), 0.05)


def garden(surface: Surface, thing: Thing) -> None:
    """Vegetable beds."""
    for within in tiles(thing.geometry):
        inside = coverage(thing.geometry, within)
        surface.blend(within, (128, 104, 80, 100), inside)
        surface.blend(within, (78, 116, 58, 190), 0.8 * inside * ((within.x % 1.8) < 0.9))


def square(surface: Surface, thing: Thing) -> None:
    """Pale paving in a chequer pattern."""
    surface.fill(thing.geometry, (204, 192, 170, 148), 0.03)
    for within in tiles(thing.geometry):
        dark = ((within.x % 7.2) < 3.6) ^ ((within.y % 7.2) < 3.6)
        surface.blend(within, (184, 166, 146, 134), 0.6 * dark * coverage(thing.geometry, within))


def pitch(surface: Surface, thing: Thing) -> None:
    """A football pitch: mowing stripes and white lines."""
    surface.fill(thing.geometry, (88, 124, 64, 200), 0.03)
    for within in tiles(thing.geometry):
        stripes = coverage(thing.geometry, within) * ((within.x % 11.0) < 5.5)
        surface.blend(within, (108, 142, 78, 208), 0.6 * stripes)
    field, centre = box(*thing.geometry.buffer(-3).bounds), thing.geometry.centroid
    west, south, east, north = field.bounds
    marks = [
        field.exterior,
        LineString([(centre.x, south), (centre.x, north)]),
        centre.buffer(9).boundary,
        *(box(x - 12, centre.y - 16, x + 12, centre.y + 16).exterior for x in (west, east)),
    ]
    surface.fill(shapely.union_all(marks).intersection(field).buffer(0.3), WHITE, 0.0, 0.85)


def baseball(surface: Surface, thing: Thing) -> None:
    """Outfield grass, an infield of earth with a grass diamond in it."""
    earth = (186, 146, 108, 140)
    home = Point(thing.polygon.exterior.coords[0])
    surface.fill(thing.geometry, (96, 126, 68, 196), 0.04)
    surface.fill(thing.geometry.intersection(home.buffer(42)), earth, 0.04)
    diamond = Polygon([(9, 3.2), (28, 8), (25, 25), (8, 28), (3.2, 9)])
    surface.fill(translate(diamond, home.x, home.y), (98, 130, 70, 196), 0.04)
    surface.fill(Point(home.x + 15, home.y + 15).buffer(2.4), earth, 0.03)


def running_track(surface: Surface, thing: Thing) -> None:
    """A red oval with white lanes; grass inside."""
    half = thing.width / 2
    surface.fill(thing.line.buffer(half), (166, 88, 70, 112), 0.03)
    for lane in (-half + 0.3, -half / 3, half / 3, half - 0.3):
        surface.fill(thing.line.offset_curve(lane).buffer(0.15), WHITE, 0.0, 0.5)


def tennis(surface: Surface, thing: Thing) -> None:
    """A green court with a blue middle and white lines."""
    surface.fill(thing.geometry, (84, 122, 96, 110), 0.02)
    inner = thing.geometry.buffer(-2.4, join_style="mitre")
    surface.fill(inner, (66, 96, 142, 100), 0.02)
    surface.fill(inner.boundary.buffer(0.25), WHITE, 0.0, 0.9)


def cemetery(surface: Surface, thing: Thing) -> None:
    """Lawn, a gravel way down the middle, rows of stones with their shadows."""
    surface.fill(thing.geometry, (104, 124, 76, 182), 0.05)
    west, south, east, north = thing.geometry.bounds
    middle = (south + north) / 2
    surface.fill(box(west, middle - 1.6, east, middle + 1.6), GRAVEL, 0.05)
    rows = np.append(np.arange(south + 5, middle - 4, 5.2), np.arange(middle + 5, north - 3, 5.2))
    for x, y in product(np.arange(west + 5, east - 4, 3.1).tolist(), rows.tolist()):
        if surface.rng.random() < 0.8:
            stone = box(x, y, x + 0.7, y + 1.3)
            surface.fill(stone, surface.pick([(180, 178, 172, 135)], 0.22), 0.0)
            surface.build(stone.buffer(0.2), 1.0)


def yard(surface: Surface, thing: Thing) -> None:
    """Packed gravel and worn grass between farm buildings, greener towards the edge."""
    surface.fill(thing.geometry, GRASS, 0.06)
    for within in tiles(thing.geometry):
        worn = 0.55 + 0.5 * surface.grain(50.0, within) + 0.2 * surface.grain(4.0, within)
        used = np.mean([coverage(thing.geometry.buffer(-reach), within) for reach in (3, 7, 11, 15)], axis=0)
        surface.blend(within, (182, 168, 140, 134), used * np.clip(worn, 0, 1))


def parking(surface: Surface, thing: Thing) -> None:
    """Asphalt with white bays and cars in many of them."""
    surface.fill(thing.geometry, ASPHALT, 0.04)
    west, south, east, north = thing.geometry.bounds
    upright = north - south > east - west
    rows = [west + 3.0, east - 3.0] if upright else [south + 3.0, north - 3.0]
    if not upright and north - south > 30:
        rows += [(south + north) / 2 - 2.6, (south + north) / 2 + 2.6]
    start, stop = (south, north) if upright else (west, east)
    for row in rows:
        for bay in np.arange(start + 2, stop - 3, 2.7).tolist():
            centre = (row, bay + 1.35) if upright else (bay + 1.35, row)
            edge = (row, bay) if upright else (bay, row)
            turn = 0.0 if upright else 90.0
            surface.fill(rectangle(edge, 5.0, 0.3, turn), WHITE, 0.0, 0.6)
            if surface.rng.random() < 0.55:
                _car(surface, centre, turn)


def _car(surface: Surface, centre: Pair, turn: float) -> None:
    skew = turn + float(surface.rng.normal(0, 1.5))
    body = rectangle(centre, float(surface.rng.uniform(4.1, 5.0)), 1.9, skew)
    colour = surface.pick(CARS)
    surface.fill(body, colour, 0.0)
    surface.fill(rectangle(centre, 2.6, 1.5, skew), shaded(colour, 0.6), 0.0, 0.7)
    surface.build(body, 1.5)


def solar(surface: Surface, thing: Thing) -> None:
    """Rows of blue-black panels over mown grass."""
    surface.fill(thing.geometry, (128, 134, 88, 164), 0.06)
    west, south, east, north = thing.geometry.bounds
    for y in np.arange(south + 6, north - 5, 6.6).tolist():
        for x in np.arange(west + 5, east - 30, 34).tolist():
            end = min(x + 32, east - 4)
            surface.fill(box(x, y, end, y + 3.6), (50, 58, 88, 58), 0.02)
            surface.fill(box(x, y + 1.7, end, y + 1.95), (120, 126, 146, 110), 0.0, 0.5)
            surface.build(box(x, y, end, y + 3.6), thing.height)


def fence(surface: Surface, thing: Thing) -> None:
    """A thin grey line."""
    surface.fill(thing.geometry.buffer(thing.width / 2), (150, 150, 142, 130), 0.0, 0.6)


def pier(surface: Surface, thing: Thing) -> None:
    """Planks over the water."""
    deck = thing.geometry.buffer(thing.width / 2, cap_style="flat")
    surface.fill(deck, (186, 172, 150, 130), 0.06)
    surface.build(deck, thing.height)
