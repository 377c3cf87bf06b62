"""The places that a village has one of."""

import numpy as np
from shapely import LineString, Point, Polygon

from download.sample.layout import Pair, Thing, box, ellipse, rectangle, tagged

RESIDENTIAL = box(1408, 345, 2060, 800)


def centre(rng: np.random.Generator) -> list[Thing]:
    """Church and square, shops with a parking lot, a park, a fire hall, all north of Main Street."""
    chapel = rectangle((1738, 687), 30, 12).union(rectangle((1746, 687), 9, 23))
    catholic = tagged("building=church; amenity=place_of_worship; religion=christian; denomination=catholic")
    square = tagged("highway=pedestrian; area=yes; name=Náměstí Square; surface=paving_stones")
    market = tagged("building=supermarket; shop=supermarket; name=Vesna Foods")
    stalls = tagged("amenity=parking; surface=asphalt; capacity=62")
    row = [(1709.0 + 13 * n, y) for n in range(5) for y in (617.0, 667.0)]
    return [
        Thing(box(1590, 611, 1790, 705), {}, "lawn"),
        Thing(box(1713, 622, 1763, 662), square, "square"),
        Thing(ellipse((1738, 642), (3, 3), 12), tagged("amenity=fountain"), "pool"),
        Thing(Point(1729, 636), tagged("amenity=bench; backrest=yes")),
        Thing(chapel, catholic | tagged("name=St. Wenceslaus Church"), "church", height=13),
        Thing(rectangle((1720, 687), 6, 6), {}, "tower_roof", height=27),
        *(Thing(Point(place), tagged("natural=tree"), "tree", 7.0, 8.0) for place in row),
        Thing(box(1596, 616, 1680, 652), stalls, "parking"),
        Thing(box(1604, 664, 1664, 698), market, "flat_roof", height=7),
        *_shops(),
        Thing(box(1800, 640, 1893, 656), tagged("amenity=parking"), "parking"),
        *_park(rng),
        *_fire_hall(),
    ]


def _shops() -> list[Thing]:
    kinds = ("building=yes; shop=hardware", "building=retail", "building=retail")
    fronts = [box(1802 + 15 * n, 614, 1816 + 15 * n, 634 + 4 * (n % 2)) for n in range(6)]
    return [Thing(front, tagged(kinds[n % 3]), "flat_roof", height=6 + n % 2) for n, front in enumerate(fronts)]


def _park(rng: np.random.Generator) -> list[Thing]:
    return [
        Thing(box(1801, 660, 1894, 704), tagged("leisure=park; name=Dvořák Park"), "lawn"),
        Thing(box(1812, 672, 1830, 688), tagged("leisure=playground"), "sand"),
        Thing(box(1856, 668, 1880, 682), tagged("leisure=pitch; sport=tennis; surface=asphalt"), "tennis"),
        *(Thing(Point(1806 + 12 * n, 700 - 5 * (n % 2)), {}, "tree", float(rng.uniform(7, 11)), 9.0) for n in range(4)),
    ]


def _fire_hall() -> list[Thing]:
    hall = tagged("building=fire_station; amenity=fire_station; name=Telč Springs Fire Hall")
    return [
        Thing(box(1408, 611, 1474, 705), {}, "lawn"),
        Thing(box(1418, 620, 1444, 642), hall, "flat_roof", height=6),
        Thing(box(1446, 616, 1470, 640), tagged("amenity=parking"), "parking"),
        Thing(
            ellipse((1446, 672), (7.5, 7.5), 20), tagged("man_made=water_tower; height=38"), "water_tower", height=34
        ),
    ]


def school() -> list[Thing]:
    """A school with a running track, a football pitch and a baseball field."""
    walls = box(2030, 512, 2064, 588).union(box(2064, 556, 2094, 588))
    oval = LineString([(2204, 420), (2262, 420)]).buffer(37.5)
    lane = LineString(oval.exterior.coords)
    running = tagged("leisure=track; sport=athletics; surface=tartan")
    return [
        Thing(box(2014, 408, 2100, 594), tagged("amenity=school; name=Tell Consolidated School"), "lawn"),
        Thing(walls, tagged("building=school; building:levels=1"), "flat_roof", height=8),
        Thing(box(2024, 425, 2050, 505), tagged("amenity=parking; access=customers"), "parking"),
        Thing(box(2122, 372, 2316, 592), tagged("leisure=recreation_ground"), "lawn"),
        Thing(lane, running, "running_track", 7.0),
        Thing(box(2188, 396, 2278, 444), tagged("leisure=pitch; sport=soccer"), "pitch"),
        Thing(_diamond((2140, 480), 62), tagged("leisure=pitch; sport=baseball"), "baseball"),
    ]


def _diamond(home: Pair, side: float) -> Polygon:
    """A baseball field: a quarter circle opening to the north-east from home plate."""
    angles = np.linspace(0.12, np.pi / 2 - 0.12, 14)
    arc = np.array(home) + 1.4 * side * np.column_stack([np.cos(angles), np.sin(angles)])
    return Polygon([home, *arc.tolist()])


def outskirts(rng: np.random.Generator) -> list[Thing]:
    """A cemetery behind a hedge and the grain elevator by the railway."""
    cemetery = box(1426, 724, 1568, 794)
    hedge = LineString(cemetery.buffer(1.5, join_style="mitre").exterior.coords)
    silo = tagged("man_made=silo; building=silo; content=grain")
    elevator = tagged("building=industrial; name=Telč Springs Co-op Elevator")
    return [
        Thing(cemetery, tagged("landuse=cemetery; name=Calvary Cemetery"), "cemetery"),
        Thing(hedge, tagged("barrier=hedge"), "hedge", 2.2, 1.8),
        *(Thing(Point(1440 + 19 * n, 731 + 56 * (n % 2)), {}, "tree", float(rng.uniform(6, 9)), 9.0) for n in range(7)),
        Thing(box(1700, 346, 1830, 376), tagged("landuse=industrial"), "yard"),
        *(Thing(ellipse((x, 360), (6.8, 6.8), 20), silo, "silo", height=24) for x in (1712, 1727, 1742, 1757)),
        Thing(box(1772, 351, 1782, 371), elevator, "flat_roof", height=36),
        Thing(rectangle((1805, 361), 32, 16), tagged("building=warehouse"), "metal_roof", height=7),
    ]


def later(rng: np.random.Generator) -> list[Thing]:
    """Houses mapped after the picture was taken, of which it shows nothing."""
    kinds = ("building=yes", "building=house; start_date=2023", "building=detached")
    sites = [(2340 + 40 * n, 552 + float(rng.uniform(-4, 4))) for n in range(3)]
    return [Thing(rectangle(site, 14, 10), tagged(kind), newer=True) for site, kind in zip(sites, kinds, strict=True)]
