"""Relations of real neighbours against an independent implementation: pair by pair, in UTM, by the definitions."""

import itertools
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import shapely.ops
from pyproj import Proj
from shapely import affinity

from annotation.measuring.frame import ground_matrices
from annotation.relations import relate
from tests.test_measure_oracle import EXTRACTS, SIDE, read

PAIRS = 1000  # of each extract
NAMES = ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"]


def neighbours(path: Path, epsg: int) -> list[tuple[Any, Any, Any]]:
    """Pairs of clipped elements within the same random patches."""
    shapes = np.array([shape for _, shape in read(path, epsg) if shape.is_valid], dtype=object)
    tree, draws = shapely.STRtree(shapes), random.Random(11)
    found: list[tuple[Any, Any, Any]] = []
    while len(found) < PAIRS:
        x, y = shapes[draws.randrange(len(shapes))].centroid.coords[0]
        left, bottom = x - draws.uniform(0, SIDE), y - draws.uniform(0, SIDE)
        box = (left, bottom, left + SIDE, bottom + SIDE)
        inside = [shapely.clip_by_rect(shapes[i], *box) for i in sorted(tree.query(shapely.box(*box)).tolist())]
        inside = [shape for shape in inside if shape.area > 1 or (shape.length > 1 and shape.area == 0)]
        lines = [shape for shape in inside if not shape.area][:12]
        areas = [shape for shape in inside if shape.area]
        inside = lines + draws.sample(areas, min(12, len(areas)))
        near = [pair for pair in itertools.permutations(inside, 2) if pair[0].distance(pair[1]) < 30]
        far = [pair for pair in itertools.permutations(inside, 2) if pair[0].distance(pair[1]) >= 30]
        chosen = draws.sample(near, min(12, len(near))) + draws.sample(far, min(4, len(far)))
        found += [(*pair, box) for pair in chosen]
    return found[:PAIRS]


def lies_in(part: Any, whole: Any) -> bool:
    if part.area:
        return bool(part.intersection(whole).area >= 0.9 * part.area)
    return bool(part.intersection(whole).length >= 0.9 * part.length)


def through(line: Any, area: Any) -> bool:
    if line.intersection(area).length < 0.1 * math.sqrt(area.area):
        return False
    if not lies_in(line, area):
        return True
    if line.geom_type != "LineString":
        return False
    tips = [shapely.Point(line.coords[0]), shapely.Point(line.coords[-1])]
    return tips[0].distance(tips[1]) > 1 and all(tip.distance(area.boundary) <= 1 for tip in tips)


def beyond(one: Any, other: Any) -> Any:
    met = one.intersection(other)
    if met.is_empty or met.length:
        return False
    ends = [line.boundary for line in (one, other)]
    return all(tips.is_empty or met.distance(tips) > 1 for tips in ends)


def heading(line: Any) -> float:
    (ax, ay), (bx, by) = line.coords[0], line.coords[-1]
    return math.degrees(math.atan2(by - ay, bx - ax)) % 180


def accompanies(line: Any, other: Any) -> bool:
    beside = line.intersection(other.buffer(15)).length
    within = line.intersection(other).length if other.area else 0
    return bool(beside - within >= 0.5 * line.length)


def borders(one: Any, other: Any) -> bool:
    short, long = sorted((one.boundary, other.boundary), key=lambda outline: outline.length)
    return bool(one.distance(other) <= 1 and short.intersection(long.buffer(1)).length >= 0.1 * short.length)


def relation(subject: Any, object_: Any) -> str | None:  # noqa: PLR0911 - one return for each name
    """The first relation that holds; `crossed` where the line is to be asked."""
    if not subject.area and not object_.area:
        if beyond(subject, object_):
            return "crosses"
        off = abs((heading(subject) - heading(object_) + 90) % 180 - 90)
        return "along" if off <= 30 and accompanies(subject, object_) else None
    if subject.area and object_.area:
        if lies_in(subject, object_) and subject.area <= object_.area:
            return "inside"
        if lies_in(object_, subject) and subject.area > object_.area:
            return "contains"
        return "borders" if borders(subject, object_) else None
    line, area = (object_, subject) if subject.area else (subject, object_)
    if through(line, area):
        return "crossed" if subject.area else "crosses"
    if lies_in(line, area):
        return "contains" if subject.area else "inside"
    if accompanies(line, area):
        return "borders" if subject.area else "along"
    return None


def direction(subject: Any, object_: Any) -> str | None:
    def extent(shape: Any) -> float:
        left, bottom, right, top = shape.bounds
        return math.hypot(right - left, top - bottom)

    small, large = (subject, object_) if extent(subject) <= extent(object_) else (object_, subject)
    centre = small.centroid
    near = shapely.ops.nearest_points(centre, large)[1]
    east, north = centre.x - near.x, centre.y - near.y
    if math.hypot(east, north) <= 1:
        return None
    sign = 1 if small is subject else -1
    return NAMES[round(math.degrees(math.atan2(sign * east, sign * north)) / 45) % 8]


@pytest.mark.parametrize("extract", EXTRACTS)
def test_relations_of_real_neighbours_agree_with_the_definitions(extract: str, shared_data: Path) -> None:
    epsg = EXTRACTS[extract]
    pairs = neighbours(shared_data / "osm" / f"{extract}.osm.pbf", epsg)
    boxes = np.array([box for *_, box in pairs])
    frames = []
    for side in (0, 1):
        both = np.array([pair[side] for pair in pairs], dtype=object)
        points, index = shapely.get_coordinates(both, return_index=True)
        frames.append(shapely.set_coordinates(both, (points - boxes[index, :2]) / SIDE))
    kinds = [np.array(["area" if shapely.area(pair[side]) else "line" for pair in pairs]) for side in (0, 1)]
    found = relate(frames[0], frames[1], (kinds[0], kinds[1]), ground_matrices(epsg, boxes))

    seen = set()
    projection = Proj(epsg)
    for (*shapes, box), told in zip(pairs, found, strict=True):
        factors = projection.get_factors(*projection(box[0] + SIDE / 2, box[1] + SIDE / 2, inverse=True))
        size = 1 / factors.meridional_scale
        subject, object_ = (affinity.scale(shape, size, size, origin=(0, 0)) for shape in shapes)
        if "Multi" in subject.geom_type + object_.geom_type or told is None:
            continue
        distance = subject.distance(object_)
        bounds = {
            1: "touching",
            0.05 * SIDE * size: "next to",
            0.15 * SIDE * size: "near",
            0.4 * SIDE * size: "some way from",
        }
        assert told["distance"] == next((name for bound, name in bounds.items() if distance <= bound), "far from")
        assert told["distance_m"] == pytest.approx(distance, abs=0.051)
        wanted = relation(subject, object_)
        if wanted is None and distance <= 0.05 * SIDE * size:
            wanted = "beside"
        assert told.get("relation") == (None if wanted == "crossed" else wanted)
        together = wanted in {"inside", "contains", "crosses", "crossed"}
        assert told.get("direction") == (None if together else direction(subject, object_))
        seen.add(wanted)
    assert seen >= {"beside", "along", "crosses", "borders", None}
