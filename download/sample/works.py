"""Farms, a quarry, an orchard and a solar field."""

import numpy as np
from shapely import LineString

from download.sample.layout import Thing, blob, box, ellipse, rectangle, smooth, tagged


def farms() -> list[Thing]:
    """A farmyard with barns and silos, and long sheds by the avenue."""
    house = tagged("building=house; building:levels=2; roof:shape=gabled")
    address = tagged("building=detached; addr:housenumber=3107; addr:street=Dvořák Avenue")
    barn, shed = tagged("building=barn"), tagged("building=farm_auxiliary")
    silo, grain_bin = tagged("man_made=silo; building=silo"), tagged("man_made=silo; content=grain")
    return [
        Thing(box(178, 692, 300, 812).buffer(9), tagged("landuse=farmyard"), "yard"),
        Thing(rectangle((206, 716), 15, 10), house, "gable", height=6),
        Thing(rectangle((214, 770), 32, 15, 90), barn | tagged("roof:shape=gabled"), "red_barn", height=8),
        Thing(rectangle((272, 796), 38, 18), barn, "metal_roof", height=7),
        Thing(rectangle((280, 724), 24, 14, 90), shed, "metal_roof", height=5),
        *(
            Thing(ellipse((228, y), (4.6, 4.6), 16), silo, "silo", height=top)
            for y, top in ((778, 19), (767, 16), (756, 13))
        ),
        Thing(ellipse((262, 762), (5.6, 5.6), 16), {}, "bin", height=9),
        Thing(ellipse((275, 762), (5.6, 5.6), 16), grain_bin, "bin", height=9),
        Thing(box(1178, 1082, 1342, 1168).buffer(7), tagged("landuse=farmyard"), "yard"),
        *(Thing(rectangle((1228, y), 76, 15), shed, "metal_roof", height=5) for y in (1124, 1150)),
        Thing(rectangle((1228, 1098), 76, 15), tagged("building=yes"), "metal_roof", height=5),
        *(Thing(ellipse((1276, y), (3.2, 3.2), 12), grain_bin, "bin", height=8) for y in (1105, 1131)),
        Thing(rectangle((1312, 1152), 14, 10), address, "gable", height=5.5),
    ]


def works(rng: np.random.Generator) -> list[Thing]:
    """A solar field behind a fence, an orchard and a quarry with its pool."""
    panels = box(1130, 680, 1340, 800)
    fence = LineString(panels.buffer(6, join_style="mitre").exterior.coords)
    ramp = smooth([(215, 195), (222, 160), (196, 150)])
    return [
        Thing(panels, tagged("power=plant; plant:source=solar; name=Tell County Solar"), "solar", height=2.0),
        Thing(fence, tagged("barrier=fence; fence_type=chain_link"), "fence", 0.5),
        Thing(box(1150, 490, 1330, 575), tagged("landuse=orchard; trees=apple_trees"), "orchard", 4.4, 4.0),
        Thing(blob(rng, (190, 130), (100, 66), 0.14), tagged("landuse=quarry; resource=limestone"), "quarry"),
        Thing(blob(rng, (168, 118), (26, 17), 0.14), tagged("natural=water"), "pit_water"),
        Thing(ramp, tagged("highway=service; surface=gravel"), "gravel", 6.0),
    ]
