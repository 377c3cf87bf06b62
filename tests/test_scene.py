"""How the subjects of a scene stand to each other."""

from typing import Any

import numpy as np
import shapely

from annotation.scene import scene_relations

FIELD, WOOD, ROAD, POND = range(4)
GEOMETRIES = np.array(
    [
        shapely.box(0.0, 0.0, 0.6, 1.0),
        shapely.box(0.6, 0.4, 1.0, 1.0),
        shapely.LineString([(0.0, 0.7), (1.0, 0.7)]),
        shapely.box(0.7, 0.1, 0.8, 0.2),
    ],
    dtype=object,
)
KINDS = np.array(["area", "area", "line", "area"])
MATRICES = np.repeat(np.diag([300.0, 300.0])[None], 4, axis=0)


def _told(*scene: int) -> dict[tuple[int, int], dict[str, Any]]:
    found = scene_relations([scene], GEOMETRIES, KINDS, MATRICES)
    return {(subject, relation["to"]): relation for subject, relations in found.items() for relation in relations}


def test_the_stronger_statement_of_a_pair_is_told() -> None:
    told = _told(FIELD, ROAD)
    assert list(told) == [(ROAD, FIELD)]
    assert told[ROAD, FIELD]["relation"] == "crosses"


def test_neighbours_border_and_have_a_direction() -> None:
    ((pair, relation),) = _told(FIELD, WOOD).items()
    assert set(pair) == {FIELD, WOOD}
    assert relation["relation"] == "borders"
    assert relation["direction"] == ("east" if pair[0] == WOOD else "west")


def test_pairs_without_the_first_are_told_only_for_a_relation() -> None:
    told = _told(FIELD, WOOD, POND)
    pairs = {frozenset(pair) for pair in told}
    assert frozenset((FIELD, POND)) in pairs
    assert frozenset((WOOD, POND)) not in pairs
    assert {frozenset((WOOD, POND))} == {frozenset(pair) for pair in _told(POND, WOOD)}


def test_scenes_do_not_mix() -> None:
    both = scene_relations([[FIELD, WOOD], [ROAD, POND]], GEOMETRIES, KINDS, MATRICES)
    pairs = {frozenset((subject, relation["to"])) for subject, relations in both.items() for relation in relations}
    assert pairs <= {frozenset((FIELD, WOOD)), frozenset((ROAD, POND))}
    assert scene_relations([], GEOMETRIES, KINDS, MATRICES) == {}


def test_what_lies_between_two_others_says_so() -> None:
    shapes = np.array(
        [shapely.box(0, 0, 0.35, 1), shapely.box(0.6, 0, 1, 1), shapely.box(0.4, 0.4, 0.55, 0.6)], dtype=object
    )
    found = scene_relations([[0, 1, 2]], shapes, np.array(["area"] * 3), MATRICES[:3])
    assert {"relation": "between", "to": 0, "and": 1} in found[2]
    assert all(relation.get("relation") != "between" for place in (0, 1) for relation in found.get(place, []))
