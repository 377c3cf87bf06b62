"""Elements of a patch, against plain loops."""

import numpy as np
import shapely
import shapely.geometry.base
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from pipeline.join import join, to_crs, to_unit_frame

coordinate = st.floats(-50, 350, allow_nan=False).map(lambda value: round(value, 3) + 0.0005)  # never on a frame
point = st.tuples(coordinate, coordinate)
line = st.lists(point, min_size=2, max_size=6, unique=True).map(shapely.LineString).filter(lambda way: way.is_simple)
polygon = st.lists(point, min_size=4, max_size=8, unique=True).map(
    lambda points: shapely.MultiPoint(points).convex_hull
)


@settings(deadline=None)
@given(st.lists(line | polygon | point.map(shapely.Point), min_size=1, max_size=12))
def test_join_agrees_with_intersection(shapes: list[shapely.geometry.base.BaseGeometry]) -> None:
    boxes = np.array([[x, y, x + 100, y + 100] for y in (0.0, 100.0, 200.0) for x in (0.0, 100.0, 200.0)])
    geometries = np.array(shapes, dtype=object)
    pairs = join(boxes, geometries)
    assert (np.diff(pairs.patch) >= 0).all()
    framed = to_unit_frame(pairs.clipped, boxes[pairs.patch])
    got = {(int(p), int(e)): part for p, e, part in zip(pairs.patch, pairs.element, framed, strict=True)}
    for p, (left, bottom, right, top) in enumerate(boxes.tolist()):
        for e, shape in enumerate(shapes):
            expected = shape.intersection(shapely.box(left, bottom, right, top))
            unit = affinity.affine_transform(expected, [0.01, 0, 0, 0.01, -left / 100, -bottom / 100])
            if expected.area > 1e-6 or (shape.dwithin(expected, 0) and expected.length > 1e-6 and shape.area == 0):
                assert (p, e) in got
            found = got.get((p, e), shapely.Point())
            assert abs(found.area - unit.area) < 1e-9
            if shape.area == 0:
                assert abs(found.length - unit.length) < 1e-6 or unit.length < 1e-6


def test_elements_stay_as_they_are() -> None:
    square = shapely.box(-10, -10, 50, 50)
    geometries = np.array([square], dtype=object)
    pairs = join(np.array([[0.0, 0.0, 100.0, 100.0]]), geometries)
    assert pairs.clipped[0].equals(shapely.box(0, 0, 50, 50))
    assert to_unit_frame(pairs.clipped, np.array([[0.0, 0.0, 100.0, 200.0]]))[0].equals(shapely.box(0, 0, 0.5, 0.25))
    assert geometries[0].equals(shapely.box(-10, -10, 50, 50))


def test_no_patch_and_no_element() -> None:
    nothing = np.empty(0, dtype=object)
    assert len(join(np.zeros((0, 4)), np.array([shapely.Point(1, 1)], dtype=object)).patch) == 0
    assert len(join(np.array([[0.0, 0.0, 1.0, 1.0]]), nothing).patch) == 0


def test_to_crs_is_the_known_projection() -> None:
    projected = to_crs(np.array([shapely.Point(-93, 42)], dtype=object), "EPSG:26915")[0]
    assert abs(projected.x - 500_000) < 1e-3
    assert abs(projected.y - 4_649_776.2) < 0.5
