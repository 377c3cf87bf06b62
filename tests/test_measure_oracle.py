"""Measures against an independent implementation: geodesics on the ellipsoid, plain loops, own formulas."""

import itertools
import math
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pytest
import shapely
from pyproj import Geod, Transformer

from annotation.measure import details, extents
from annotation.measuring.frame import ground_matrices

SIDE = 268.8
PAIRS = 1000  # of each extract
EXTRACTS = {"liechtenstein": 32632, "queens_village_ny": 32618}
GEOD = Geod(ellps="WGS84")
Point = tuple[float, float]
GRID = [
    ["top-left", "top", "top-right"],
    ["left", "center", "right"],
    ["bottom-left", "bottom", "bottom-right"],
]
SIXTEENTHS = ["E-W", "ENE-WSW", "NE-SW", "NNE-SSW", "N-S", "NNW-SSE", "NW-SE", "WNW-ESE"]


@dataclass
class Pair:
    """An element and a patch that it reaches, in UTM."""

    kind: str
    geometry: Any
    left: float
    bottom: float
    epsg: int

    @property
    def box(self) -> Any:
        return shapely.box(self.left, self.bottom, self.left + SIDE, self.bottom + SIDE)


def read(path: Path, epsg: int) -> list[tuple[str, Any]]:
    """Tagged ways that are open, and areas, in UTM."""
    factory = osmium.geom.WKBFactory()
    found: list[tuple[str, str]] = []
    for entry in osmium.FileProcessor(str(path)).with_areas().with_filter(osmium.filter.EmptyTagFilter()):
        if isinstance(entry, osmium.osm.Area) and entry.num_rings()[0]:
            found.append(("area", factory.create_multipolygon(entry)))
        elif isinstance(entry, osmium.osm.Way) and not entry.is_closed() and has_length(entry):
            found.append(("line", factory.create_linestring(entry)))
    degrees = shapely.from_wkb([wkb for _, wkb in found])
    x, y = Transformer.from_crs(4326, epsg, always_xy=True).transform(*shapely.get_coordinates(degrees).T)
    shapes = shapely.set_coordinates(degrees, np.stack([x, y], axis=1))
    return [(kind, shape) for (kind, _), shape in zip(found, shapes, strict=True)]


def has_length(way: osmium.osm.Way) -> bool:
    """Whether two nodes of a way are in the extract, at two places."""
    return len({(node.lon, node.lat) for node in way.nodes if node.location.valid()}) > 1


def draw(elements: list[tuple[str, Any]], epsg: int, count: int) -> list[Pair]:
    """Elements and patches about one of their vertices, half of them lines."""
    draws = random.Random(7)
    pairs: list[Pair] = []
    by_kind = {kind: [shape for own, shape in elements if own == kind] for kind in ("area", "line")}
    while len(pairs) < count:
        kind = ("area", "line")[len(pairs) % 2]
        shape = draws.choice(by_kind[kind])
        x, y = draws.choice(shapely.get_coordinates(shape).tolist())
        pair = Pair(kind, shape, x - SIDE * draws.uniform(-0.1, 1.1), y - SIDE * draws.uniform(-0.1, 1.1), epsg)
        if shape.is_valid and shape.intersection(pair.box).length > 1:
            pairs.append(pair)
    return pairs


def to_degrees(pair: Pair, points: list[Point]) -> tuple[Any, Any]:
    back = Transformer.from_crs(pair.epsg, 4326, always_xy=True)
    return back.transform([x for x, _ in points], [y for _, y in points])


def geodesic_area(pair: Pair, shape: Any) -> float:
    """Square metres of polygons, ring by ring."""
    area = 0.0
    for polygon in shapely.get_parts(shape):
        if polygon.geom_type == "Polygon":
            rings = [polygon.exterior, *polygon.interiors]
            sizes = [abs(GEOD.polygon_area_perimeter(*to_degrees(pair, list(ring.coords)))[0]) for ring in rings]
            area += sizes[0] - sum(sizes[1:])
    return area


def geodesic_length(pair: Pair, path: list[Point]) -> float:
    return float(GEOD.line_length(*to_degrees(pair, path)))


def clip_segment(pair: Pair, a: Point, b: Point) -> tuple[Point, Point] | None:
    """Part of a segment inside the patch (Liang and Barsky)."""
    low, high = 0.0, 1.0
    dx, dy = b[0] - a[0], b[1] - a[1]
    for step, room in (
        (-dx, a[0] - pair.left),
        (dx, pair.left + SIDE - a[0]),
        (-dy, a[1] - pair.bottom),
        (dy, pair.bottom + SIDE - a[1]),
    ):
        if step == 0 and room < 0:
            return None
        if step < 0:
            low = max(low, room / step)
        elif step > 0:
            high = min(high, room / step)
    if low >= high:
        return None
    start = a if low == 0 else (a[0] + low * dx, a[1] + low * dy)
    return start, (b if high == 1 else (a[0] + high * dx, a[1] + high * dy))


def clip_line(pair: Pair) -> list[list[Point]]:
    """Paths inside the patch; those that meet at the beginning and end of the way are joined."""
    paths: list[list[Point]] = []
    for a, b in itertools.pairwise(pair.geometry.coords):
        piece = clip_segment(pair, a, b)
        if piece is None or math.dist(*piece) == 0:
            continue
        if paths and paths[-1][-1] == piece[0]:
            paths[-1].append(piece[1])
        else:
            paths.append(list(piece))
    return paths


def is_simple(paths: list[list[Point]]) -> bool:
    """Whether no two ends of different paths meet, so that there is nothing to merge."""
    tips = [tip for path in paths for tip in (path[0], path[-1])]
    return len(set(tips)) == len(tips)


def place(content: list[list[float]]) -> list[str]:
    """Cells by the definition: half of the fullest, or needed for 60 %."""
    flat = sorted((value for row in content for value in row), reverse=True)
    held, needed = 0.0, flat[0]
    for value in flat:
        needed = value
        held += value
        if held >= 0.6 * sum(flat) - 1e-9:
            break
    level = min(needed, flat[0] / 2) - 1e-6
    return [
        GRID[row][column]
        for row in range(3)
        for column in range(3)
        if content[row][column] >= level and content[row][column] > 1e-9
    ]


def contents(pair: Pair, shape: Any) -> list[list[float]]:
    """Area or length of a shape in each cell, by cutting it nine times."""
    third, table = SIDE / 3, []
    for row in range(3):
        y = pair.bottom + (2 - row) * third
        boxes = [shapely.box(pair.left + c * third, y, pair.left + (c + 1) * third, y + third) for c in range(3)]
        cut = [shape.intersection(box) for box in boxes]
        table.append([part.area if pair.kind == "area" else part.length for part in cut])
    return table


def at_edges(pair: Pair, point: Point) -> set[str]:
    x, y = point[0] - pair.left, point[1] - pair.bottom
    near = 1e-4
    distances = {"north": SIDE - y, "east": SIDE - x, "south": y, "west": x}
    return {edge for edge, distance in distances.items() if abs(distance) < near}


def area_edges(pair: Pair, shape: Any) -> set[str]:
    edges = set()
    for polygon in shapely.get_parts(shape):
        for ring in [polygon.exterior, *polygon.interiors]:
            for a, b in itertools.pairwise(ring.coords):
                if math.dist(a, b) > 1e-3:
                    edges |= at_edges(pair, a) & at_edges(pair, b)
    return edges


def axis_of(degrees: float) -> str:
    return SIXTEENTHS[round((degrees % 180) / 22.5) % 8]


def rectangle(shape: Any) -> tuple[float, float]:
    """Aspect, and direction of the long side, of the smallest of the rectangles along the edges of the hull."""
    hull = list(shape.convex_hull.exterior.coords)
    best = (math.inf, 0.0, 0.0)  # area, aspect, angle
    for a, b in itertools.pairwise(hull):
        angle = math.atan2(b[1] - a[1], b[0] - a[0])
        c, s = math.cos(angle), math.sin(angle)
        along = [x * c + y * s for x, y in hull]
        across = [y * c - x * s for x, y in hull]
        long, wide = max(along) - min(along), max(across) - min(across)
        if long * wide < best[0] * (1 - 1e-9):
            best = (long * wide, max(long, wide) / min(long, wide), angle if long >= wide else angle + math.pi / 2)
    return best[1], math.degrees(best[2])


def simplify(path: list[Point], tolerance: float) -> list[Point]:
    """Douglas and Peucker."""
    (ax, ay), (bx, by) = path[0], path[-1]
    farthest, index = 0.0, 0
    for i, (x, y) in enumerate(path[1:-1], start=1):
        length2 = (bx - ax) ** 2 + (by - ay) ** 2
        t = 0.0 if not length2 else min(max(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length2, 0), 1)
        distance = math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay))
        if distance > farthest:
            farthest, index = distance, i
    if farthest <= tolerance:
        return [path[0], path[-1]]
    return simplify(path[: index + 1], tolerance)[:-1] + simplify(path[index:], tolerance)


def course_of(pair: Pair, path: list[Point]) -> str:
    length = geodesic_length(pair, path)
    chord = geodesic_length(pair, [path[0], path[-1]])
    if chord <= 0.001 * length:
        return "closed"
    ratio = length / chord
    if ratio < 1.002:
        return "straight"
    if ratio < 1.03:
        return "gently curved"
    if ratio < 1.1:
        return "curved"
    left = right = 0.0
    for a, b, c in zip(*(simplify(path, 0.01 * math.dist(path[0], path[-1]))[k:] for k in range(3)), strict=False):
        turn = math.atan2(c[1] - b[1], c[0] - b[0]) - math.atan2(b[1] - a[1], b[0] - a[0])
        turn = (turn + math.pi) % (2 * math.pi) - math.pi
        left, right = left + max(turn, 0), right + max(-turn, 0)
    return "winding" if min(left, right) >= math.radians(60) else "curved"


def measured(pairs: list[Pair]) -> list[tuple[Pair, dict[str, Any], float, float]]:
    """Facts as the pipeline makes them: clipped by `clip_by_rect`, moved into the unit frame."""
    boxes = np.array([[p.left, p.bottom, p.left + SIDE, p.bottom + SIDE] for p in pairs])
    matrices = ground_matrices(pairs[0].epsg, boxes)
    clipped = [shapely.clip_by_rect(p.geometry, *box) for p, box in zip(pairs, boxes.tolist(), strict=True)]
    geometries = np.array(clipped, dtype=object)
    points, index = shapely.get_coordinates(geometries, return_index=True)
    geometries = shapely.set_coordinates(geometries, (points - boxes[index, :2]) / SIDE)
    facts = details(geometries, matrices, np.array([p.kind for p in pairs]))
    sizes = extents(geometries, matrices)
    return list(zip(pairs, facts, sizes.area_m2.tolist(), sizes.length_m.tolist(), strict=True))


@pytest.fixture(scope="module", params=EXTRACTS)
def results(request: pytest.FixtureRequest, shared_data: Path) -> list[tuple[Pair, dict[str, Any], float, float]]:
    epsg = EXTRACTS[request.param]
    elements = read(shared_data / "osm" / f"{request.param}.osm.pbf", epsg)
    return measured(draw(elements, epsg, PAIRS))


Results = list[tuple[Pair, dict[str, Any], float, float]]


def test_areas_agree_with_geodesics(results: Results) -> None:
    checked = 0
    for pair, facts, area_m2, _ in results:
        if pair.kind != "area":
            continue
        inside = pair.geometry.intersection(pair.box)
        true = geodesic_area(pair, inside)
        patch = geodesic_area(pair, pair.box)
        assert area_m2 == pytest.approx(true, rel=1e-3)
        assert facts["area_m2"] == pytest.approx(true, rel=1e-3, abs=0.05)
        assert facts["share"] == pytest.approx(true / patch, abs=1e-3)
        checked += true > 0
    assert checked > PAIRS / 3


def test_lengths_agree_with_geodesics(results: Results) -> None:
    for pair, facts, _, length_m in results:
        if pair.kind == "line":
            true = sum(geodesic_length(pair, path) for path in clip_line(pair))
            assert length_m == pytest.approx(true, rel=1e-3)
            assert facts["length_m"] == pytest.approx(true, rel=1e-3, abs=0.05)


def test_positions_agree_with_the_definition(results: Results) -> None:
    for pair, facts, _, _ in results:
        inside = pair.geometry.intersection(pair.box)
        whole = pair.kind == "area" and inside.area > 0.9 * SIDE**2
        assert facts["position"] == (["whole"] if whole else place(contents(pair, inside)))


def test_edges_and_orientation_of_areas_agree_with_the_definition(results: Results) -> None:
    oriented = 0
    for pair, facts, _, _ in results:
        if pair.kind != "area":
            continue
        inside = pair.geometry.intersection(pair.box)
        parts = [part for part in shapely.get_parts(inside) if part.geom_type == "Polygon"]
        assert set(facts["edges"]) == area_edges(pair, parts)
        main = max(parts, key=lambda part: part.area)
        if facts.get("shape", "several parts") != "several parts":
            aspect, angle = rectangle(main)
            assert facts.get("orientation") == (axis_of(angle) if aspect >= 2 else None)
            oriented += aspect >= 2
    assert oriented > 20


def test_courses_ends_and_orientation_of_lines_agree_with_the_definition(results: Results) -> None:
    seen = set()
    for pair, facts, _, _ in results:
        if pair.kind != "line":
            continue
        paths = clip_line(pair)
        if not is_simple(paths):
            continue
        edges = set().union(*(at_edges(pair, tip) for path in paths for tip in (path[0], path[-1])))
        assert set(facts["edges"]) == edges
        length = dict.fromkeys(("straight", "gently curved", "curved", "winding", "closed"), 0.0)
        for path in paths:
            length[course_of(pair, path)] += geodesic_length(pair, path)
        assert facts["course"] == max(length, key=lambda course: length[course])
        seen.add(facts["course"])
        if len(paths) == 1:
            (x0, y0), (x1, y1) = paths[0][0], paths[0][-1]
            apart = math.dist((x0, y0), (x1, y1)) / shapely.LineString(paths[0]).length
            angle = math.degrees(math.atan2(y1 - y0, x1 - x0))
            assert facts.get("orientation") == (axis_of(angle) if apart >= 0.5 else None)
            first, last = (paths[0][0], paths[0][-1]) if x0 < x1 else (paths[0][-1], paths[0][0])
            for name, tip in (("from", first), ("to", last)):
                on = at_edges(pair, tip)
                if len(on) == 1 and abs(x1 - x0) > 0.01:
                    assert facts[name] == on.pop()
    assert seen >= {"straight", "gently curved", "curved", "winding"}
