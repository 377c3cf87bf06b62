"""Roads, rails and lines of the county, and the ways on its map of which nothing can be seen."""

import numpy as np
import shapely
from shapely import LineString, Point
from shapely.geometry.base import BaseGeometry

from download.sample.layout import Group, Pair, Thing, connected, ellipse, smooth, tagged

MAIN_STREET_Y = 605.0
AVENUE_X = 1400.0
STREETS_X = (1480.0, 1585.0, 1690.0, 1795.0, 1900.0, 2005.0)
STREETS_Y = (395.0, 500.0, 710.0)
ROUNDABOUT: Pair = (2110.0, MAIN_STREET_Y)
_UPPER_RIVER = [(430, 1430), (455, 1310), (590, 1230), (560, 1090), (650, 960), (790, 860), (715, 740)]
_LOWER_RIVER = [(700, 600), (750, 480), (890, 400), (860, 280), (960, 170), (1080, 80), (1100, -80)]
RIVER = smooth(_UPPER_RIVER + _LOWER_RIVER)
STREET_NAMES = ("Mill Street", "Elm Street", "Maple Street", "Church Street", "Depot Street", "College Street")


def roads() -> list[Thing]:
    """Everything that carries wheels or feet above ground, joined where it meets."""
    deck = tagged("highway=secondary; ref=E16; name=County Road E16; bridge=yes; layer=1")
    bridge = Thing(_line((676, 602), (732, 604)), deck, "bridge", 10.5, 4.0, name="main-bridge")
    return [*connected([*_highways(), *_streets(), *_tracks()]), bridge]


def _line(*points: Pair) -> LineString:
    return LineString(points)


def _highways() -> list[Thing]:
    main = tagged("highway=secondary; ref=E16; surface=asphalt; tiger:reviewed=no")
    village = main | tagged("name=Main Street; lanes=2; maxspeed=25 mph; sidewalk=both")
    rural = main | tagged("name=County Road E16; maxspeed=55 mph")
    avenue = tagged("highway=tertiary; name=Dvořák Avenue; surface=asphalt; lanes=2")
    gravel = tagged("highway=unclassified; name=180th Avenue; surface=gravel; tiger:cfcc=A41")
    x, y = ROUNDABOUT
    circle = LineString(ellipse(ROUNDABOUT, (20, 20), 24).exterior.coords)
    east = smooth([(x + 20, y), (2300, y), (2500, 590), (2768, 560)])
    lake_road = smooth([(x, y + 20), (2112, 760), (2050, 900), (2085, 1100), (2190, 1260), (2210, 1424)])
    return [
        Thing(_line((-80, 572), (320, 578), (560, 592), (676, 602)), rural, "highway", 7.6, name="main-west"),
        Thing(_line((732, 604), (1000, y), (AVENUE_X, y)), rural, "highway", 7.6, name="main-middle"),
        Thing(_line((AVENUE_X, y), (x - 20, y)), village, "highway", 9.0, name="main-village"),
        Thing(east, rural, "highway", 7.6, name="main-east"),
        Thing(_line((AVENUE_X, -80), (AVENUE_X, y), (AVENUE_X, 1424)), avenue, "highway", 7.0),
        Thing(circle, tagged("highway=secondary; junction=roundabout; lanes=1"), "highway", 8.0),
        Thing(lake_road, tagged("highway=tertiary; name=Lake Road; surface=asphalt"), "highway", 6.4),
        Thing(_line((x, y - 20), (x, 330), (2122, -80)), gravel, "gravel", 6.0),
    ]


def _streets() -> list[Thing]:
    tags = tagged("highway=residential; tiger:reviewed=no; tiger:county=Tell, IA")
    south, north = STREETS_Y[0], STREETS_Y[-1]
    upright = [
        Thing(_line((x, south), (x, north)), tags | {"name": name, "surface": "asphalt"}, "street", 6.4)
        for x, name in zip(STREETS_X, STREET_NAMES, strict=True)
    ]
    level = [
        Thing(_line((AVENUE_X, y), (STREETS_X[-1], y)), tags | {"name": name}, "street", 6.4)
        for y, name in zip(STREETS_Y, ("1st Street", "2nd Street", "Třebíč Street"), strict=True)
    ]
    loop = _line((2005, 440), (2045, 440), (2045, 500), (2005, 500))
    drive = _line((AVENUE_X, 685), (1428, 685), (1436, 678))
    return [
        *upright,
        *level,
        Thing(loop, tagged("highway=service"), "street", 5.0),
        Thing(drive, tagged("highway=service; service=driveway"), "gravel", 3.2),
    ]


def _tracks() -> list[Thing]:
    dirt = tagged("highway=track; surface=dirt; tracktype=grade3")
    drive = tagged("highway=service; surface=gravel; service=driveway")
    # Out over the northern edge of a patch of 448 pixels (y = 1075.2) and back into the same patch.
    loop = smooth([(240, 735), (250, 880), (290, 1000), (330, 1128), (400, 1130), (425, 1010), (500, 960)])
    north_shore = [(2105, 1130), (2180, 1165), (2300, 1190), (2470, 1190), (2610, 1120), (2640, 960)]
    south_shore = [(2560, 840), (2380, 812), (2200, 850), (2079, 840)]
    shore = smooth(north_shore + south_shore, 2)
    beach = _line((2062, 985), (2110, 985), (2140, 985))
    return [
        Thing(_line((252, 577), (252, 640), (240, 700), (240, 735)), drive, "gravel", 4.0),
        Thing(_line((AVENUE_X, 1130), (1330, 1130), (1262, 1122)), drive, "gravel", 4.5),
        Thing(loop, dirt, "track", 3.2),
        Thing(smooth([(215, 573), (206, 500), (215, 410)]), dirt | tagged("surface=gravel"), "track", 3.4),
        Thing(_line((1100, 605), (1108, 520), (1092, 430), (1105, 360)), dirt, "track", 3.0),
        Thing(_line((AVENUE_X, 140), (1690, 148), (2050, 142), (2116, 140)), dirt, "track", 3.2),
        Thing(shore, tagged("highway=footway; surface=fine_gravel"), "path", 2.2),
        Thing(beach, tagged("highway=service; surface=asphalt"), "street", 5.0),
    ]


def lines() -> list[Thing]:
    """Railway and power line."""
    rail = tagged("railway=rail; gauge=1435; usage=branch; operator=Tell & Northern Railway; electrified=no")
    power = tagged("power=line; voltage=161000; cables=3; operator=Tell Rural Electric")
    course = [(-80.0, 262.0), (400, 270), (1000, 300), (1700, 332), (2200, 345), (2768, 350)]
    deck = LineString(course).intersection(RIVER.buffer(16))
    west, east = deck.coords[0], deck.coords[-1]
    before = LineString([*(place for place in course if place[0] < west[0]), west])
    after = LineString([east, *(place for place in course if place[0] > east[0])])
    spans = [np.linspace((838, 1420), (968, 640), 6), np.linspace((1030, 480), (1300, -60), 5)]
    towers = np.concatenate(spans).tolist()
    return [
        Thing(before, rail, "rail", 4.2),
        Thing(LineString(deck.coords), rail | tagged("bridge=yes; layer=1"), "rail_bridge", 5.0, 4.5),
        Thing(after, rail, "rail", 4.2),
        Thing(LineString(towers), power, "wires", 0.5),
        *(Thing(Point(place), tagged("power=tower"), "power_tower", 5.0, 30.0) for place in towers),
    ]


def hidden() -> list[Thing]:
    """Ways on the map of which the picture shows nothing: under ground, not yet there, no longer there."""
    haul = tagged("highway=service; name=Quarry Haul Road; surface=asphalt; tunnel=yes; layer=-1")
    drain = tagged("waterway=drain; tunnel=yes; layer=-1; name=Lake Outlet")
    pipeline = tagged("man_made=pipeline; substance=gas; location=underground; operator=Tell Gas")
    proposed = tagged("highway=proposed; proposed=trunk; name=E16 Bypass; source=county plan")
    abandoned = tagged("railway=abandoned; name=Decorah Branch; end_date=1971")
    bypass = smooth([(-80, 150), (420, 110), (1000, 40), (1390, 60), (2000, 40), (2768, 90)])
    branch = smooth([(-80, 1240), (300, 1150), (700, 1010), (1010, 900), (1344, 790)])
    return [
        Thing(_line((215, 195), (215, 410)), haul),
        Thing(_line((2190, 935), (1890, 1010)), drain),
        Thing(_line((330, -80), (560, 520), (1290, 1424)), pipeline),
        Thing(bypass, proposed),
        Thing(branch, abandoned),
    ]


def corridors(things: list[Thing]) -> BaseGeometry:
    """The ground that roads and rails keep clear of crops and trees; wires run above both."""
    wide = [thing for thing in things if thing.look not in ("wires", "power_tower")]
    return shapely.union_all([thing.geometry.buffer(thing.width / 2 + 5) for thing in wide])


def bicycle_route() -> Group:
    """A route over the main road: on the map only."""
    members = tuple((f"main-{part}", "") for part in ("west", "bridge", "middle", "village", "east"))
    return Group(tagged("type=route; route=bicycle; network=rcn; name=Driftless Ride"), members)
