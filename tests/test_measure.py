"""Measures of made-up geometries: the definitions, the remains of clipping, and what turning a scene may change."""

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer

from annotation.errors import AnnotationError
from annotation.measure import arrangement, details, extents
from annotation.measuring.frame import CELLS, ground_matrices

SIDE = 268.8
MIRRORED = {"left": "right", "right": "left", "east": "west", "west": "east"}
TURNED = {
    "top-left": "bottom-left", "top": "left", "top-right": "top-left",
    "left": "bottom", "center": "center", "right": "top",
    "bottom-left": "bottom-right", "bottom": "right", "bottom-right": "top-right",
    "north": "west", "west": "south", "south": "east", "east": "north",
}  # fmt: skip
AXES = ["N-S", "NNE-SSW", "NE-SW", "ENE-WSW", "E-W", "WNW-ESE", "NW-SE", "NNW-SSE"]

on_grid = st.integers(0, 64).map(lambda step: step / 64)
grid_point = st.tuples(on_grid, on_grid)
anywhere = st.floats(-2, 3, allow_nan=False)
messy_point = st.tuples(anywhere, anywhere)


def measure(geometry: Any, kind: str, matrix: NDArray[np.float64] | None = None) -> dict[str, Any]:
    """Facts of one geometry, of a patch of 268.8 m if nothing else is said."""
    matrices = (np.eye(2) * SIDE if matrix is None else matrix)[None]
    one = np.empty(1, dtype=object)
    one[0] = shapely.from_wkt(geometry) if isinstance(geometry, str) else geometry
    return details(one, matrices, np.array([kind]))[0]


def clipped(geometry: Any) -> Any:
    return shapely.clip_by_rect(geometry, 0, 0, 1, 1)


def mirror(geometry: Any) -> Any:
    return shapely.transform(geometry, lambda points: points * [-1, 1] + [1, 0])


def turn(geometry: Any) -> Any:
    """A quarter of a turn to the left about the middle of the frame."""
    return shapely.transform(geometry, lambda points: points[:, ::-1] * [-1, 1] + [1, 0])


def mirrored_name(name: str) -> str:
    return "-".join(MIRRORED.get(part, part) for part in name.split("-"))


def expected(facts: dict[str, Any], names: Any, axes: Any) -> dict[str, Any]:
    """Facts with their places renamed; the ends of a line as a set, since they are told from west to east."""
    told = dict(facts)
    told["position"] = {names(cell) for cell in facts["position"]}
    told["edges"] = {names(edge) for edge in facts.get("edges", [])}
    told["ends"] = {names(told.pop(end)) for end in ("from", "to") if end in facts}
    if "orientation" in facts:
        told["orientation"] = axes(facts["orientation"])
    return told


def same(facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Compare; numbers may round to either side."""
    own = expected(facts, lambda name: name, lambda axis: axis)
    numbers = ("share", "area_m2", "length_m")
    assert own == {key: own[key] if key in numbers else value for key, value in wanted.items()}
    for key in set(numbers) & set(own):
        assert own[key] == pytest.approx(wanted[key], abs=2e-4 if key == "share" else 0.11)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Any, str]:
    """A clipped area or line on a grid whose coordinates mirror and turn without rounding."""
    if draw(st.booleans()):
        corners = draw(st.lists(grid_point, min_size=3, max_size=7, unique=True))
        hull = shapely.convex_hull(shapely.multipoints(corners))
        area = shapely.difference(hull, shapely.box(draw(on_grid), draw(on_grid), 1, 1))
        return (area if area.area > 0.01 else shapely.box(0, 0, 0.5, 0.25)), "area"
    path = draw(st.lists(grid_point, min_size=2, max_size=7, unique=True))
    return shapely.LineString(path), "line"


@given(scenes())
@settings(max_examples=300, deadline=None)
def test_a_mirrored_patch_swaps_east_and_west_and_nothing_else(scene: tuple[Any, str]) -> None:
    geometry, kind = scene
    wanted = expected(measure(geometry, kind), mirrored_name, lambda axis: AXES[-AXES.index(axis) % 8])
    same(measure(mirror(geometry), kind), wanted)


@given(scenes())
@settings(max_examples=300, deadline=None)
def test_a_turned_patch_turns_its_words(scene: tuple[Any, str]) -> None:
    geometry, kind = scene
    wanted = expected(
        measure(geometry, kind), lambda name: TURNED.get(name, name), lambda axis: AXES[(AXES.index(axis) + 4) % 8]
    )
    same(measure(turn(geometry), kind), wanted)


@given(
    st.sampled_from([(0.0, 0.0), (1 / 3, 0.0), (2 / 3, 1 / 3), (0.0, 2 / 3), (1 / 3, 2 / 3), (2 / 3, 2 / 3)]),
    st.lists(st.tuples(st.integers(3, 18), st.integers(3, 18)), min_size=3, max_size=6, unique=True),
)
@settings(deadline=None)
def test_a_moved_element_moves_its_position_only(move: tuple[float, float], corners: list[tuple[int, int]]) -> None:
    hull = shapely.transform(shapely.convex_hull(shapely.multipoints(corners)), lambda points: points / 64)
    if hull.area < 1e-3:
        return
    before = measure(hull, "area")
    after = measure(shapely.transform(hull, lambda points: points + move), "area")
    column, row = round(move[0] * 3), round(move[1] * 3)
    assert before.pop("position") == ["bottom-left"]
    assert after["position"] == [CELLS[(2 - row) * 3 + column]]
    same(after, expected({**before, "position": after["position"]}, lambda name: name, lambda axis: axis))


@given(messy_point, messy_point, st.lists(st.floats(0, 1), max_size=40), st.booleans())
@settings(deadline=None)
def test_a_straight_line_is_straight_with_any_vertices(a: Any, b: Any, stops: list[float], back: bool) -> None:  # noqa: FBT001 - hypothesis hands it over
    points = [(a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])) for t in (0, *sorted(stops), 1)]
    line = shapely.LineString(points[::-1] if back else points)
    if np.hypot(b[0] - a[0], b[1] - a[1]) < 1e-3:
        return
    facts = measure(line, "line")
    angle = np.degrees(np.arctan2(b[1] - a[1], b[0] - a[0])) % 180
    named = {
        "E-W": 0,
        "ENE-WSW": 22.5,
        "NE-SW": 45,
        "NNE-SSW": 67.5,
        "N-S": 90,
        "NNW-SSE": 112.5,
        "NW-SE": 135,
        "WNW-ESE": 157.5,
    }
    off = abs((angle - named[facts["orientation"]] + 90) % 180 - 90)
    assert facts["course"] == "straight"
    assert off <= 11.25 + 1e-6


@given(messy_point, messy_point, st.lists(messy_point, max_size=5))
@settings(deadline=None)
def test_the_direction_of_digitising_does_not_matter(a: Any, b: Any, between: list[Any]) -> None:
    line = shapely.LineString([a, *between, b])
    assert measure(clipped(line), "line") == measure(clipped(shapely.reverse(line)), "line")


messy = st.one_of(
    st.lists(messy_point, min_size=3, max_size=8).map(shapely.Polygon),
    st.lists(st.lists(messy_point, min_size=3, max_size=5), min_size=1, max_size=3).map(
        lambda rings: shapely.Polygon(rings[0], rings[1:])
    ),
    st.lists(messy_point, min_size=2, max_size=8).map(shapely.LineString),
    st.lists(messy_point, min_size=3, max_size=8).map(shapely.LinearRing),
    messy_point.map(shapely.Point),
    st.lists(messy_point, max_size=4).map(shapely.MultiPoint),
    st.sampled_from([None, shapely.Polygon(), shapely.LineString(), shapely.GeometryCollection()]),
    st.sampled_from([shapely.Point(np.nan, 1), shapely.LineString([(0, 0), (np.inf, 1)])]),
)
collections = st.lists(messy.filter(lambda part: part is not None), max_size=4).map(shapely.GeometryCollection)


@given(
    st.lists(
        st.tuples(st.one_of(messy, collections, collections.map(lambda c: shapely.GeometryCollection([c]))),
                  st.sampled_from(["area", "line", "point"])),
        max_size=8,
    )
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_any_geometry_has_facts(many: list[tuple[Any, str]]) -> None:
    geometries = np.empty(len(many), dtype=object)
    geometries[:] = [geometry for geometry, _ in many]
    kinds = np.array([kind for _, kind in many], dtype=np.str_)
    matrices = np.tile(np.eye(2) * SIDE, (len(many), 1, 1))
    facts = details(geometries, matrices, kinds)
    sizes = extents(geometries, matrices)
    assert len(facts) == len(sizes.share) == len(many)
    assert np.isfinite(sizes.share).all()
    assert np.isfinite(sizes.length_m).all()
    for kind, fact in zip(kinds, facts, strict=True):
        assert set(fact["position"]) <= {*CELLS, "whole"}
        assert ("share" in fact, "length_m" in fact) == (kind == "area", kind == "line")
        assert all(value == value for value in fact.values())  # noqa: PLR0124 - no NaN
    together = [details(geometries[i : i + 1], matrices[:1], kinds[i : i + 1])[0] for i in range(len(many))]
    assert facts == together


BOX = "POLYGON((.4 .4,.6 .4,.6 .6,.4 .6,.4 .4))"


@pytest.mark.parametrize(
    ("wkt", "shape"),
    [
        (BOX, "square"),
        ("POLYGON((.4 .4,.7 .5,.6 .8,.3 .7,.4 .4))", "square"),
        ("POLYGON((.2 .4,.6 .4,.6 .6,.2 .6,.2 .4))", "rectangular"),
        ("POLYGON((.1 .4,.9 .4,.9 .5,.1 .5,.1 .4))", "elongated"),
        ("POLYGON((.2 .2,.8 .2,.5 .7,.2 .2))", "triangular"),
        ("POLYGON((.2 .2,.8 .2,.2 .7,.2 .2))", "triangular"),
        ("POLYGON((.2 .2,.8 .2,.8 .4,.4 .4,.4 .8,.2 .8,.2 .2))", "L-shaped"),
        ("POLYGON((.2 .2,.8 .2,.8 .4,.6 .4,.6 .8,.4 .8,.4 .4,.2 .4,.2 .2))", "irregular"),  # a T
        ("POLYGON((.2 .2,.8 .2,.8 .8,.2 .8,.2 .2),(.3 .3,.3 .7,.7 .7,.7 .3,.3 .3))", "ring"),
        ("POLYGON((.2 .2,.8 .2,.8 .8,.2 .8,.2 .2),(.3 .3,.3 .4,.4 .4,.4 .3,.3 .3))", "square"),
        ("MULTIPOLYGON(((.1 .1,.3 .1,.3 .3,.1 .3,.1 .1)),((.6 .6,.8 .6,.8 .8,.6 .8,.6 .6)))", "several parts"),
        ("POLYGON((.1 .1,.9 .2,.5 .4,.8 .9,.3 .6,.2 .9,.1 .1))", "irregular"),
    ],
)
def test_shapes(wkt: str, shape: str) -> None:
    assert measure(wkt, "area")["shape"] == shape


@pytest.mark.parametrize("sides", [8, 12, 30, 100])
def test_regular_polygons_are_circular_and_stretched_ones_oval(sides: int) -> None:
    angles = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert measure(shapely.Polygon(0.5 + 0.2 * circle), "area")["shape"] == "circular"
    assert measure(shapely.Polygon(0.5 + circle * [0.4, 0.2]), "area")["shape"] == "oval"


@given(st.floats(0, 180), st.floats(0.05, 0.25), st.floats(1.3, 2.8))
@settings(deadline=None)
def test_a_turned_rectangle_stays_one(angle: float, width: float, aspect: float) -> None:
    box = shapely.box(0.5 - width * aspect / 2, 0.5 - width / 2, 0.5 + width * aspect / 2, 0.5 + width / 2)
    radians = np.radians(angle)
    rotation = np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
    facts = measure(shapely.transform(box, lambda points: (points - 0.5) @ rotation.T + 0.5), "area")
    assert facts["shape"] == "rectangular"
    assert ("orientation" in facts) == pytest.approx(aspect >= 2) or aspect == pytest.approx(2)


@pytest.mark.parametrize(
    ("points", "course"),
    [
        ([(0, 0.5), (0.5, 0.51), (1, 0.5)], "straight"),
        ([(0, 0.4), (0.5, 0.5), (1, 0.4)], "gently curved"),
        ([(0, 0.2), (0.5, 0.5), (1, 0.2)], "curved"),
        ([(0.2, 0.2), (0.8, 0.2), (0.8, 0.8)], "curved"),  # a corner does not wind
        ([(0.2, 0.2), (0.8, 0.2), (0.8, 0.4), (0.2, 0.4)], "curved"),  # nor does a U
        ([(0, 0.5), (0.2, 0.7), (0.4, 0.3), (0.6, 0.7), (0.8, 0.3), (1, 0.5)], "winding"),
        ([(0.2, 0.2), (0.8, 0.2), (0.5, 0.7), (0.2, 0.2)], "closed"),
    ],
)
def test_courses(points: list[tuple[float, float]], course: str) -> None:
    facts = measure(shapely.LineString(points), "line")
    assert facts["course"] == course
    assert ("from" in facts) == (course != "closed")


def test_pieces_are_judged_as_the_line_they_make() -> None:
    whole = measure("LINESTRING(0 .1,.3 .4,.6 .7,.9 1)", "line")
    pieces = measure("MULTILINESTRING((.6 .7,.3 .4),(0 .1,.3 .4),(.6 .7,.9 1))", "line")
    assert pieces == whole
    assert (whole["from"], whole["to"], whole["edges"]) == ("west", "north", ["north", "west"])


def test_a_closed_way_told_as_area_or_line() -> None:
    assert measure(BOX, "line")["course"] == "closed"
    assert measure(BOX, "area")["area_m2"] == pytest.approx(0.04 * SIDE**2, abs=0.1)
    assert measure(BOX, "point") == {"position": ["center"]}


def test_touching_leaves_a_place_and_nothing_else() -> None:
    assert measure("LINESTRING(1 .8,1 .9)", "area") == {"share": 0.0, "area_m2": 0.0, "position": ["top-right"]}
    assert measure("POINT(0 0)", "line") == {"length_m": 0.0, "position": ["bottom-left"]}
    assert measure("POLYGON EMPTY", "area") == {"share": 0.0, "area_m2": 0.0, "position": []}
    assert measure("POLYGON((0 .5,1e-11 .5,1e-11 .6,0 .6,0 .5))", "area")["position"] == ["left"]
    touching = shapely.from_wkt(["LINESTRING(1 .8,1 .8)", "POLYGON((0 .5,1e-11 .5,1e-11 .6,0 .5))", BOX])
    assert extents(touching, np.tile(np.eye(2) * SIDE, (3, 1, 1))).touches.tolist() == [True, True, False]


def test_a_bow_tie_is_two_triangles() -> None:
    facts = measure("POLYGON((.2 .2,.8 .8,.8 .2,.2 .8,.2 .2))", "area")
    assert (facts["share"], facts["parts"], facts["shape"]) == (0.18, 2, "several parts")


def test_an_area_that_fills_the_frame_has_no_shape_of_its_own() -> None:
    facts = measure(shapely.box(0, 0, 1, 0.95), "area")
    assert facts["position"] == ["whole"]
    assert facts["edges"] == ["east", "south", "west"]
    assert "shape" not in facts


def test_a_line_across_lies_in_three_cells_and_a_corner_counts_as_cell() -> None:
    assert measure("LINESTRING(0 .5,1 .5)", "line")["position"] == ["left", "center", "right"]
    assert measure("LINESTRING(0 0,.5 .5)", "line")["from"] == "bottom-left"


@pytest.mark.parametrize(
    ("crs", "box"),
    [
        (26918, (500000, 4500000, 500268.8, 4500268.8)),
        (2263, (1000000, 200000, 1000882, 200882)),  # feet
        (4326, (9.5, 47.1, 9.504, 47.103)),
        (3857, (1060000, 5960000, 1060611, 5960611)),
        (5070, (-2000000, 2000000, -1999731, 2000269)),  # turned by 20° against north
        (3031, (1000000, 1000000, 1000269, 1000269)),
    ],
)
def test_matrices_agree_with_geodesics(crs: int, box: tuple[float, ...]) -> None:
    matrix = ground_matrices(crs, np.array([box]))[0]
    left, bottom, right, top = box
    x, y = np.array(shapely.box(left, bottom, right, top).exterior.coords).T
    system = CRS.from_user_input(crs)
    lon, lat = Transformer.from_crs(system, system.geodetic_crs, always_xy=True).transform(x, y)
    area, _ = Geod(ellps="WGS84").polygon_area_perimeter(lon, lat)
    assert abs(np.linalg.det(matrix)) == pytest.approx(abs(area), rel=1e-4)
    diagonal = Geod(ellps="WGS84").inv(lon[1], lat[1], lon[3], lat[3])[2]
    assert np.linalg.norm(matrix @ [1, 1]) == pytest.approx(diagonal, rel=1e-4)
    assert matrix[0, 0] > 0
    assert matrix[0, 1] == 0
    assert matrix[1, 1] > 0


def test_patches_off_the_earth_are_refused_by_number() -> None:
    with pytest.raises(AnnotationError, match=r"patch 1 .* outside"):
        ground_matrices(32632, np.array([[5e5, 5e6, 5.002e5, 5.0002e6], [1e9, 1e9, 1e9 + 1, 1e9 + 1]]))
    with pytest.raises(AnnotationError, match="no size"):
        ground_matrices(32632, np.array([[5e5, 5e6, 5e5, 5.0002e6]]))


@given(st.integers(3, 30), st.floats(0, np.pi), st.floats(5, 30))
@settings(deadline=None)
def test_rows_at_any_angle(count: int, angle: float, spacing: float) -> None:
    steps = np.arange(count) * spacing
    facts = arrangement(np.stack([steps * np.cos(angle), steps * np.sin(angle)], axis=1), SIDE)
    assert facts == {"count": count, "spacing_m": pytest.approx(spacing, abs=0.051), "arrangement": "row"}


def test_clusters_scatters_and_few() -> None:
    square = np.array([[0, 0], [10, 0], [0, 10], [10, 10], [5, 6]], dtype=float)
    assert arrangement(square, SIDE)["arrangement"] == "cluster"
    assert arrangement(square * 20, SIDE)["arrangement"] == "scattered"
    assert arrangement(square[:2], SIDE) == {"count": 2, "spacing_m": 10.0}
    assert arrangement(square[:1], SIDE) == {"count": 1}
    assert arrangement(np.zeros((3, 2)), SIDE) == {"count": 3, "spacing_m": 0.0, "arrangement": "cluster"}
