"""Relations between elements: definitions, symmetry, and what turning a scene may change."""

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.relations import DIRECTIONS, DISTANCES, Relation, between, relate

SIDE = 268.8
KIND = {0: "point", 1: "line", 2: "area"}

POND = "POLYGON((.4 .4,.6 .4,.6 .6,.4 .6,.4 .4))"
PARK = "POLYGON((.2 .2,.8 .2,.8 .8,.2 .8,.2 .2))"
MEADOW = "POLYGON((.8 .2,1 .2,1 .8,.8 .8,.8 .2))"
ROAD = "LINESTRING(0 .5,1 .5)"


def array(*geometries: Any) -> Any:
    one = np.empty(len(geometries), dtype=object)
    one[:] = [shapely.from_wkt(each) if isinstance(each, str) else each for each in geometries]
    return one


def kinds(*geometries: Any) -> Any:
    return np.array([KIND.get(int(shapely.get_dimensions(each)), "area") for each in array(*geometries)])


def told(subject: Any, object_: Any) -> Relation | None:
    matrices = (np.eye(2) * SIDE)[None]
    return relate(array(subject), array(object_), (kinds(subject), kinds(object_)), matrices)[0]


@pytest.mark.parametrize(
    ("subject", "object_", "relation"),
    [
        (POND, PARK, "inside"),
        (PARK, POND, "contains"),
        (PARK, MEADOW, "borders"),
        (MEADOW, PARK, "borders"),
        (ROAD, PARK, "crosses"),
        (PARK, ROAD, None),  # told of the road
        ("LINESTRING(.2 .5,.8 .5)", PARK, "crosses"),  # from outline to outline
        ("LINESTRING(.3 .5,.7 .5)", PARK, "inside"),
        (PARK, "LINESTRING(.3 .5,.7 .5)", "contains"),
        ("LINESTRING(.1 .17,.9 .17)", PARK, "along"),
        (PARK, "LINESTRING(.1 .17,.9 .17)", "borders"),
        (ROAD, "LINESTRING(.5 0,.5 1)", "crosses"),
        (ROAD, "LINESTRING(0 .53,1 .53)", "along"),
        (ROAD, "LINESTRING(.5 .5,.5 1)", "beside"),  # a side street ends at it
        ("POINT(.5 .5)", PARK, "inside"),
        ("POINT(.5 .82)", PARK, "beside"),
        ("POLYGON((.8 .8,.9 .8,.9 .9,.8 .9,.8 .8))", PARK, "beside"),  # a corner is no border
        ("POLYGON((.9 .9,1 .9,1 1,.9 1,.9 .9))", POND, None),
    ],
)
def test_relations(subject: str, object_: str, relation: str | None) -> None:
    found = told(subject, object_)
    assert found is not None
    assert found.get("relation") == relation


def test_members_of_a_group_that_overlap_are_one_ground() -> None:
    larger = "POLYGON((.1 .1,.9 .1,.9 .9,.1 .9,.1 .1))"
    group = f"GEOMETRYCOLLECTION({PARK},{larger})"
    assert told(POND, group) == {"distance_m": 0.0, "distance": "touching", "relation": "inside"}


def test_a_geometry_of_several_pairs_is_measured_in_the_frame_of_each() -> None:
    """The same object in frames of other sizes, and once more in the same one."""
    pond, road = array(POND)[0], array("LINESTRING(0 .9,1 .9)")[0]
    sides = [SIDE, 2 * SIDE, SIDE]
    matrices = np.stack([np.eye(2) * side for side in sides])
    one, other = array(*[pond] * 3), array(*[road] * 3)
    found = relate(one, other, (kinds(*one), kinds(*other)), matrices)
    assert [relation and relation["distance_m"] for relation in found] == [round(0.3 * side, 1) for side in sides]


def test_directions_are_those_of_the_subject_seen_from_the_object() -> None:
    house = "POLYGON((.9 .1,.92 .1,.92 .12,.9 .12,.9 .1))"
    assert told(house, POND) == {"distance_m": 110.3, "distance": "far from", "direction": "south-east"}
    assert told(house, ROAD)["direction"] == "south"  # type: ignore[index]  # from the nearest part of the road
    assert told(ROAD, house)["direction"] == "north"  # type: ignore[index]


def test_what_is_not_there_has_no_relation() -> None:
    assert told(POND, "POLYGON EMPTY") is None
    assert relate(array(POND), array("POINT(.4 .4)"), (kinds(POND), np.array(["area"])), np.eye(2)[None] * SIDE) == [
        None
    ]
    assert relate(array(), array(), (np.array([]), np.array([])), np.zeros((0, 2, 2))) == []


def test_between() -> None:
    first, middle, second = ROAD, "POLYGON((.4 .55,.6 .55,.6 .6,.4 .6,.4 .55))", "LINESTRING(0 .65,1 .65)"
    matrices = np.tile(np.eye(2) * SIDE, (3, 1, 1))
    subjects, one, other = array(middle, first, PARK), array(first, middle, first), array(second, second, second)
    assert between(subjects, one, other, (kinds(*subjects), kinds(*one), kinds(*other)), matrices).tolist() == [
        True, False, False,
    ]  # fmt: skip


point = st.tuples(st.integers(0, 64), st.integers(0, 64)).map(lambda xy: (xy[0] / 64, xy[1] / 64))
elements = st.one_of(
    st.lists(point, min_size=3, max_size=6, unique=True).map(lambda p: shapely.convex_hull(shapely.multipoints(p))),
    st.lists(point, min_size=2, max_size=5, unique=True).map(shapely.LineString),
    point.map(shapely.Point),
)


@given(elements, elements)
@settings(max_examples=300, deadline=None)
def test_mirrored_and_exchanged(subject: Any, object_: Any) -> None:
    found = told(subject, object_)
    assert found is not None
    assert found["distance"] in DISTANCES
    mirrored = told(*(shapely.transform(g, lambda p: p * [-1, 1] + [1, 0]) for g in (subject, object_)))
    back = told(object_, subject)
    assert mirrored is not None
    assert back is not None
    assert mirrored.get("relation") == found.get("relation")
    assert mirrored["distance"] == back["distance"] == found["distance"]
    inverse: dict[str, set[str | None]] = {
        "inside": {"contains", "inside"},
        "contains": {"inside"},
        "beside": {"beside", "along"},
    }
    if "relation" in found and found["relation"] in inverse:
        assert back.get("relation") in inverse[found["relation"]]
    assert ("direction" in mirrored) == ("direction" in found)
    if "direction" in found:
        vertical = found["direction"].replace("-", " ").split()[0]
        swapped = found["direction"].replace("east", "\0").replace("west", "east").replace("\0", "west")
        assert mirrored["direction"] == swapped or vertical in mirrored["direction"]


@given(st.integers(0, 7), st.floats(60, 120))
@settings(deadline=None)
def test_a_thing_in_a_direction_is_told_there(index: int, metres: float) -> None:
    angle = index * np.pi / 4
    x, y = 0.5 + np.cos(angle) * metres / SIDE, 0.5 + np.sin(angle) * metres / SIDE
    found = told(shapely.Point(x, y).buffer(0.01), shapely.Point(0.5, 0.5).buffer(0.02))
    assert found is not None
    assert found["direction"] == DIRECTIONS[index]
    assert found["distance_m"] == pytest.approx(metres - 0.03 * SIDE, abs=0.2)
