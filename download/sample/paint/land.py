"""Painters of open land: crops, grass, water, bare rock."""

from collections.abc import Callable

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from download.sample.layout import HEIGHT_M, WIDTH_M, Thing, box
from download.sample.paint.colours import CROPS, EARTH, GRASS, shaded
from download.sample.surface import Colour, Floats, Surface, Window, coverage, tiles

STREAKS = {"corn": 0.075, "soybean": 0.06, "hay": 0.05, "stubble": 0.085, "pasture": 0.0}
SHALLOW_AND_DEEP: dict[str, tuple[Colour, Colour]] = {
    "lake": ((96, 104, 84, 52), (40, 58, 62, 18)),
    "river": ((122, 118, 92, 66), (92, 94, 74, 34)),
    "pit_water": ((120, 160, 148, 60), (58, 128, 130, 22)),
}


def base(surface: Surface) -> None:
    """Rough grass everywhere, before anything else."""
    surface.fill(box(0, 0, WIDTH_M, HEIGHT_M), GRASS, 0.07)


def crop(surface: Surface, thing: Thing) -> None:
    """A field: passes of the planter, headlands, wheel tracks, soil that shows through."""
    colour = np.array(CROPS[thing.look], np.float32)
    colour *= surface.rng.uniform(0.93, 1.07) * surface.rng.uniform(0.97, 1.03, 4).astype(np.float32)
    strength = STREAKS[thing.look]
    passes = strength * surface.rng.normal(0, 0.45, 512).astype(np.float32)
    core = thing.geometry.buffer(-13)
    for within in tiles(thing.geometry):
        inside, middle = coverage(thing.geometry, within), coverage(core, within)
        across, along = _rows(surface, thing.geometry, within)
        streaks = _streaks(np.where(middle > 0.5, across, along), passes, strength)
        tone = 1 + streaks + 0.045 * surface.grain(1.6, within) + 0.03 * surface.grain(4.0, within)
        soil = 0.077 * surface.grain(50.0, within) + 0.084 * surface.grain(160.0, within)
        bare = np.clip(soil + 0.05 * surface.grain(16.0, within), -0.16, 0.35)[..., None]
        surface.blend(within, (tone[..., None] * colour) * (1 - bare) + np.array(EARTH, np.float32) * bare, inside)
        if thing.look in ("corn", "soybean"):
            tracks = np.abs(np.abs((across % 36.0) - 18.0) - 1.0) < 0.45
            surface.blend(within, EARTH, 0.28 * tracks * middle)


def strips(surface: Surface, thing: Thing) -> None:
    """Contour strips: corn and hay in turns along the slope."""
    passes = 0.06 * surface.rng.normal(0, 0.45, 512).astype(np.float32)
    for within in tiles(thing.geometry):
        across, _ = _rows(surface, thing.geometry, within)
        bent = across + 26 * np.sin((within.x + within.y) / 95.0) + 10 * surface.grain(160.0, within)
        corn = (bent % 62.0) < 31.0
        rough = 0.045 * surface.grain(1.6, within) + 0.04 * surface.grain(50.0, within)
        tone = 1 + rough + _streaks(bent, passes, 0.06)
        colours = np.array([CROPS["hay"], CROPS["corn"]], np.float32)[corn.astype(int)]
        surface.blend(within, tone[..., None] * colours, coverage(thing.geometry, within))


def _rows(surface: Surface, field: BaseGeometry, within: Window) -> tuple[Floats, Floats]:
    """Coordinates across and along the rows, metres, (rows, columns); rows follow the longer side."""
    frame = shapely.get_coordinates(shapely.oriented_envelope(field))
    sides = np.diff(frame, axis=0)[:2]
    lengths = np.hypot(sides[:, 0], sides[:, 1])
    east, north = (sides[lengths.argmax()] / lengths.max()).tolist()
    drift = 0.5 * surface.grain(160.0, within)
    return within.y * east - within.x * north + drift, within.x * east + within.y * north + drift


def _streaks(across: Floats, passes: Floats, strength: float) -> Floats:
    rows = np.sin(across * np.float32(2 * np.pi / 2.6))
    return np.asarray(passes[(across / 9.1).astype(int) % len(passes)] + 0.55 * strength * rows, np.float32)


def water(surface: Surface, thing: Thing) -> None:
    """Standing or flowing water: paler in the shallows, with slow streaks of wind."""
    shallow, deep = SHALLOW_AND_DEEP[thing.look]
    surface.fill(thing.geometry, shallow, 0.06)
    for reach in (2.0, 5.0, 10.0, 18.0) if thing.look == "lake" else (1.2, 3.1, 5.9):
        inner = thing.geometry.buffer(-reach)
        for within in tiles(inner):
            tone = 1 + 0.03 * surface.grain(50.0, within) + 0.012 * surface.grain(4.0, within)
            surface.blend(within, tone[..., None] * np.array(deep, np.float32), 0.5 * coverage(inner, within))


def lake(surface: Surface, thing: Thing) -> None:
    """Still water with patches of weed."""
    water(surface, thing)
    for within in tiles(thing.geometry):
        weed = 0.5 * surface.grain(50.0, within) + 0.3 * surface.grain(4.0, within) - 0.75
        surface.blend(within, (84, 104, 62, 92), np.clip(weed, 0, 0.4) * coverage(thing.geometry, within))


def stream(surface: Surface, thing: Thing) -> None:
    """A brook between tall grass."""
    surface.fill(thing.geometry.buffer(thing.width * 2.2), (88, 112, 62, 186), 0.12, 0.8)
    surface.fill(thing.geometry.buffer(thing.width / 2), (70, 78, 62, 44), 0.06)


def wetland(surface: Surface, thing: Thing) -> None:
    """Reeds and patches of open water."""
    surface.fill(thing.geometry, (104, 112, 66, 150), 0.12)
    for within in tiles(thing.geometry):
        open_water = coverage(thing.geometry, within) * (surface.grain(16.0, within) > 0.7)
        surface.blend(within, (52, 64, 58, 34), open_water)


def meadow(surface: Surface, thing: Thing) -> None:
    """Unmown grass with tufts."""
    surface.fill(thing.geometry, (108, 126, 76, 176), 0.09)


def verge(surface: Surface, thing: Thing) -> None:
    """Open ground in the village."""
    surface.fill(thing.geometry, (118, 128, 86, 170), 0.05)


def quarry(surface: Surface, thing: Thing) -> None:
    """Pale rock, in benches that go down."""
    for step, reach in enumerate((0.0, 10.0, 22.0, 34.0)):
        floor = thing.geometry.buffer(-reach)
        surface.fill(floor, shaded((206, 194, 168, 150), 1 - 0.06 * step), 0.06)
        for within in tiles(floor):
            surface.height[within.slices] -= 3.0 * coverage(floor, within)
    for within in tiles(thing.geometry):
        rubble = coverage(thing.geometry, within) * (surface.grain(4.0, within) > 1.2)
        surface.blend(within, (168, 158, 138, 126), 0.6 * rubble)


def flat(colour: Colour, rough: float = 0.05) -> Callable[[Surface, Thing], None]:
    """A painter that only fills."""

    def paint(surface: Surface, thing: Thing) -> None:
        surface.fill(thing.geometry, colour, rough)

    return paint
