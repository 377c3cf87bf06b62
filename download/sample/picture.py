"""The county as it looks from above: every look and who paints it, from the ground upwards."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from download.sample.layout import Layout, Thing
from download.sample.paint import buildings, land, places, plants, ways
from download.sample.paint.colours import CROPS
from download.sample.surface import Surface

Painter = Callable[[Surface, Thing], None]

PAINTERS: dict[str, Painter] = {
    **dict.fromkeys(CROPS, land.crop),
    "strips": land.strips,
    "verge": land.verge,
    "meadow": land.meadow,
    "quarry": land.quarry,
    "yard": places.yard,
    "lawn": places.lawn,
    "wetland": land.wetland,
    "sand": land.flat((212, 198, 162, 150)),
    "lake": land.lake,
    "river": land.water,
    "pit_water": land.water,
    "stream": land.stream,
    "cemetery": places.cemetery,
    "baseball": places.baseball,
    "running_track": places.running_track,
    "pitch": places.pitch,
    "tennis": places.tennis,
    "square": places.square,
    "garden": places.garden,
    "paving": land.flat((206, 198, 184, 146)),
    "pool": land.flat((96, 186, 200, 58), 0.02),
    "path": ways.path,
    "track": ways.track,
    "drive": ways.drive,
    "rail": ways.rail,
    "gravel": ways.gravel,
    "street": ways.street,
    "highway": ways.highway,
    "bridge": ways.bridge,
    "rail_bridge": ways.rail,
    "pier": places.pier,
    "parking": places.parking,
    "solar": places.solar,
    "fence": places.fence,
    "hedge": plants.hedge,
    "gable": buildings.gable,
    "hip": buildings.hip,
    "red_barn": buildings.red_barn,
    "metal_roof": buildings.metal_roof,
    "flat_roof": buildings.flat_roof,
    "church": buildings.church,
    "tower_roof": buildings.tower_roof,
    "silo": buildings.silo,
    "bin": buildings.grain_bin,
    "water_tower": buildings.water_tower,
    "orchard": plants.orchard,
    "scrub": plants.scrub,
    "conifers": plants.conifers,
    "wood": plants.wood,
    "tree": plants.tree,
    "power_tower": buildings.power_tower,
    "wires": ways.wires,
}
"""In the order of painting."""


def draw(layout: Layout, seed: int) -> NDArray[np.uint8]:
    """Photograph a layout from above.

    Args:
        layout: What stands where.
        seed: Decides on colours, textures and noise.

    Returns:
        (rows, columns, 4) uint8: red, green, blue, near infrared; 0.6 m a pixel, north up.
    """
    surface = Surface(np.random.default_rng(seed))
    land.base(surface)
    seen: dict[str, list[Thing]] = {look: [] for look in PAINTERS}
    for thing in layout.things:
        if thing.look:
            seen[thing.look].append(thing)
    for look, things in seen.items():
        for thing in things:
            PAINTERS[look](surface, thing)
    return surface.photograph()
