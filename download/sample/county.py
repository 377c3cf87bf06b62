"""The county put together: what was there first keeps its ground."""

from collections.abc import Iterable

import numpy as np
import shapely
from shapely import LineString, Point
from shapely.geometry.base import BaseGeometry

from download.sample import countryside, homes, roads, village, works
from download.sample.layout import HEIGHT_M, WIDTH_M, Group, Layout, Thing, box, tagged


def lay_out(seed: int) -> Layout:
    """Everything in the county, the same for the same seed.

    Args:
        seed: Decides on outlines, houses and trees; the plan of roads, rivers and fields stays.
    """
    rng = np.random.default_rng(seed)
    ways, wires = roads.roads(), roads.lines()
    waters = countryside.waters(rng)
    built = [
        *works.farms(),
        *works.works(rng),
        *homes.homes(rng),
        *village.centre(rng),
        *village.school(),
        *village.outskirts(rng),
    ]
    corridors = roads.corridors([*ways, *wires])
    settled = _ground([village.RESIDENTIAL, *(thing.geometry for thing in built if thing.geometry.area)])
    islands = [thing for thing in waters if "place" in thing.tags]
    wet = _ground(thing.geometry.buffer(max(thing.width, 4)) for thing in waters if thing not in islands)
    lanes = _ground(thing.geometry.buffer(14) for thing in wires if thing.look == "wires")
    shore = _ground(thing.geometry for thing in islands)
    woods = countryside.woods(rng, _ground([corridors, wet, shore, settled.buffer(6), lanes]))
    wooded = _ground(thing.geometry for thing in woods)
    kept = _ground([corridors, wet, settled, wooded])
    trees = countryside.lone_trees(rng, kept)
    fields = countryside.fields(rng, _ground([kept, shore, roads.RIVER.buffer(26)]))
    mapped = [*fields, *woods, *waters, *ways, *wires, *built, *trees]
    unseen = [*village.later(rng), *roads.hidden(), *_administration()]
    return Layout((*mapped, *unseen), (roads.bicycle_route(), *_boundaries()))


def _ground(shapes: Iterable[BaseGeometry]) -> BaseGeometry:
    return shapely.union_all(list(shapes))


def _administration() -> list[Thing]:
    county = box(-4000, -3000, WIDTH_M + 5000, HEIGHT_M + 3500).exterior.coords
    limits = village.RESIDENTIAL.buffer(60, join_style="mitre").exterior.coords
    place = tagged("place=village; name=Telč Springs; population=412")
    border = tagged("boundary=administrative")
    return [
        Thing(LineString(county[:3]), border | tagged("admin_level=6"), name="county-1"),
        Thing(LineString(county[2:]), border | tagged("admin_level=6"), name="county-2"),
        Thing(LineString(limits), border | tagged("admin_level=8"), name="limits"),
        Thing(Point(1738, 605), place, name="village"),
        Thing(village.RESIDENTIAL, tagged("landuse=residential"), "verge"),
    ]


def _boundaries() -> list[Group]:
    border = tagged("type=boundary; boundary=administrative")
    county = border | tagged("admin_level=6; name=Tell County; border_type=county")
    town = border | tagged("admin_level=8; name=Telč Springs; border_type=city")
    return [
        Group(county, (("county-1", "outer"), ("county-2", "outer"))),
        Group(town, (("limits", "outer"), ("village", "label"))),
    ]
