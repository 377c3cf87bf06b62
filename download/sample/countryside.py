"""Fields, woods and waters."""

import numpy as np
import shapely
from shapely import LineString, MultiPoint, Point
from shapely.geometry.base import BaseGeometry

from download.sample.layout import Pair, Thing, blob, box, polygons, rectangle, scatter, smooth, tagged
from download.sample.roads import RIVER

CROPS = {
    "corn": tagged("landuse=farmland; crop=corn"),
    "soybean": tagged("landuse=farmland; crop=soybean"),
    "hay": tagged("landuse=meadow; meadow=agricultural"),
    "stubble": tagged("landuse=farmland"),
    "pasture": tagged("landuse=meadow; meadow=pasture"),
    "strips": tagged("landuse=farmland"),
}
PARCELS = """
    -20 -20 350 262 pasture     350 -20 700 285 soybean      700 -20 1080 300 corn      1080 -20 1395 320 stubble
    -20 268 205 575 corn        205 268 440 580 hay          440 275 860 600 soybean    760 300 1095 602 corn
    1095 310 1395 602 pasture   -20 578 245 940 soybean      260 580 500 900 corn       500 600 800 900 pasture
    720 608 1035 955 corn       1035 608 1395 950 hay        -20 945 330 1364 strips    330 900 640 1364 hay
    560 960 1000 1364 soybean   1000 955 1395 1364 corn      1405 -20 1760 140 soybean  1760 -20 2118 140 corn
    1405 146 1700 328 corn      1700 146 2112 335 stubble    2120 -20 2430 345 strips   2430 -20 2710 348 soybean
    2150 352 2420 600 corn      2420 352 2710 585 hay        2118 610 2390 800 soybean  2390 605 2710 800 corn
    1405 830 1740 1040 hay      1740 830 2075 1000 corn      1405 1046 1800 1364 soybean
    1800 1010 2085 1364 stubble                              2190 1230 2710 1364 corn
"""
"""West, south, east, north and crop; what roads, waters, woods and farms need is cut out of them."""

SWALES: tuple[tuple[Pair, ...], ...] = (
    ((1720, 1180), (1640, 1200), (1560, 1150), (1500, 1090), (1470, 1000)),
    ((930, 1330), (880, 1240), (900, 1150), (820, 1060), (760, 1000)),
    ((2690, 300), (2600, 260), (2560, 160), (2480, 90), (2440, -10)),
    ((90, 900), (140, 830), (110, 760), (100, 690), (120, 600)),
)
"""Grassed waterways across the fields, which nobody maps."""

BROOK = smooth([(1890, 1010), (1760, 985), (1620, 1050), (1500, 1000), (1404, 990)])
CULVERT = LineString([(1404, 990), (1396, 990)])
OUTFLOW = smooth([(1396, 990), (1250, 1010), (1100, 950), (960, 940), (860, 880), (779, 852)])


def waters(rng: np.random.Generator) -> list[Thing]:
    """A river, a brook that runs into it through a culvert, a pond, and a lake with an island."""
    island = blob(rng, (2415, 1015), (42, 25), 0.10)
    lake = blob(rng, (2375, 1000), (215, 140), 0.10).difference(island)
    beach = lake.buffer(15).intersection(box(2100, 935, 2240, 1040)).difference(lake)
    shore = LineString([(2225, 820), (2310, 960)]).intersection(lake.buffer(4))
    jetty = LineString([Point(shore.coords[0]), shore.interpolate(34)])
    stream = tagged("waterway=stream; name=Spring Brook")
    return [
        Thing(lake, tagged("natural=water; water=lake; name=Lake Telkwa; source=NHD"), "lake"),
        Thing(island, tagged("place=islet; name=Heron Island"), "meadow"),
        Thing(RIVER.buffer(10, cap_style="flat"), tagged("natural=water; water=river"), "river"),
        Thing(RIVER, tagged("waterway=river; name=Little Maple River")),
        Thing(BROOK, stream, "stream", 3.0),
        Thing(CULVERT, stream | tagged("tunnel=culvert; layer=-1")),
        Thing(OUTFLOW, stream, "stream", 3.4),
        Thing(blob(rng, (1210, 420), (36, 24)), tagged("natural=water; water=pond"), "lake"),
        Thing(blob(rng, (620, 1165), (34, 30), 0.2), tagged("natural=wetland; wetland=marsh"), "wetland"),
        Thing(beach, tagged("natural=beach; surface=sand"), "sand"),
        Thing(jetty, tagged("man_made=pier; source=Bing"), "pier", 2.6, 1.2),
    ]


def woods(rng: np.random.Generator, clear: BaseGeometry) -> list[Thing]:
    """Woods along the river and round the lake, a plantation and some scrub.

    Args:
        rng: Source of chance.
        clear: Ground on which none of them may stand.
    """
    bends: list[Pair] = [(500, 1270), (640, 950), (730, 760), (800, 420), (1000, 150)]
    bank = RIVER.buffer(62).intersection(shapely.union_all([blob(rng, at, (150, 130), 0.2) for at in bends]))
    stands: list[tuple[BaseGeometry, str]] = [
        (bank, "natural=wood; leaf_type=broadleaved; leaf_cycle=deciduous"),
        (blob(rng, (2480, 1235), (190, 75), 0.16), "natural=wood; leaf_type=broadleaved"),
        (blob(rng, (2240, 1165), (70, 60), 0.2), "natural=wood"),
        (blob(rng, (2600, 800), (95, 60), 0.2), "landuse=forest; leaf_type=broadleaved"),
        (blob(rng, (1190, 1240), (120, 75), 0.2), "natural=wood; source=Bing"),
        (blob(rng, (90, 420), (80, 62), 0.2), "natural=wood"),
    ]
    found = [
        Thing(part, tagged(tags), "wood", height=17.0)
        for stand, tags in stands
        for part in polygons(stand.difference(clear).simplify(0.8), 1500)
    ]
    clear = shapely.union_all([clear, *(thing.geometry for thing in found)])
    needles = tagged("landuse=forest; leaf_type=needleleaved; source=Bing")
    found += [
        Thing(part, needles, "conifers", height=14.0)
        for part in polygons(rectangle((1880, 1180), 150, 90, 8).difference(clear), 500)
    ]
    bushes = blob(rng, (560, 1060), (60, 40), 0.2).difference(clear)
    return found + [Thing(part, tagged("natural=scrub"), "scrub", height=2.5) for part in polygons(bushes, 500)]


def fields(rng: np.random.Generator, taken: BaseGeometry) -> list[Thing]:
    """Crop land in what is left over; a few fields nobody has mapped."""
    words = PARCELS.split()
    found, used = [], taken
    for *bounds, crop in zip(*[iter(words)] * 5, strict=True):
        left = box(*map(float, bounds)).difference(used).buffer(-2.5).buffer(1.5).simplify(0.5)
        tags = CROPS[crop] | (tagged("source=USDA") if rng.random() < 0.2 else {})
        found += [Thing(part, tags if rng.random() < 0.88 else {}, crop) for part in polygons(left, 2500)]
        used = shapely.union(used, left.buffer(2))
    grassed = [smooth(course).buffer(6.5).difference(taken) for course in SWALES]
    return found + [Thing(part, {}, "meadow") for swale in grassed for part in polygons(swale)]


def lone_trees(rng: np.random.Generator, clear: BaseGeometry) -> list[Thing]:
    """Single trees along brook and river, round the farm and in the pastures; a quarter of them is mapped."""
    farm = box(160, 676, 318, 830).exterior.buffer(7).difference(box(200, 660, 330, 690))
    rows: list[tuple[BaseGeometry, float]] = [
        (BROOK.buffer(16), 15.0),
        (farm, 8.5),
        (box(1120, 330, 1390, 480), 62.0),
        (box(520, 620, 690, 880), 55.0),
        (box(2385, 1000, 2445, 1030), 11.0),
        (LineString([(1417, 1060), (1417, 1364)]).buffer(4), 7.5),
        (RIVER.buffer(24).difference(RIVER.buffer(13)), 19.0),
    ]
    places = MultiPoint([place for where, spacing in rows for place in scatter(rng, where, spacing)])
    found = []
    for place in shapely.get_coordinates(places.difference(clear)).tolist():
        width = float(rng.uniform(5, 10))
        tags = tagged("natural=tree") if rng.random() < 0.25 else {}
        found.append(Thing(Point(place), tags, "tree", width, width * 1.3))
    return found
