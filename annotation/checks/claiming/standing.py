"""How things are said to stand to each other, held against the relations in the facts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotation.checks.claiming.known import Known
from annotation.checks.claiming.places import Place, angle_between
from annotation.checks.claiming.verdicts import beside_which

_REVERSED = {"inside": "contains", "contains": "inside", "crosses": "crossed", "crossed": "crosses"}
_SIDE_BY_SIDE = frozenset(("borders", "beside", "along"))
_TRUE_OF: Mapping[str, frozenset[str]] = {
    "crosses": frozenset(("crosses",)),
    "crossed": frozenset(("crossed",)),
    "inside": frozenset(("inside",)),
    "contains": frozenset(("contains",)),
    "borders": _SIDE_BY_SIDE,
    "along": _SIDE_BY_SIDE,
    "beside": _SIDE_BY_SIDE,
    "touches": frozenset(("crosses", "crossed", "borders")),
    "outside": _SIDE_BY_SIDE,
}
_FALSE_OF: Mapping[str, frozenset[str]] = {
    "crosses": frozenset(("crossed", "inside", "contains", *_SIDE_BY_SIDE)),
    "crossed": frozenset(("crosses", "inside", "contains", *_SIDE_BY_SIDE)),
    "inside": frozenset(("contains", "crossed", *_SIDE_BY_SIDE)),
    "contains": frozenset(("inside", "crosses", *_SIDE_BY_SIDE)),
    "borders": frozenset(("inside", "contains", "crosses", "crossed")),
    "along": frozenset(("inside", "contains", "crosses", "crossed")),
    "beside": frozenset(("inside", "contains", "crosses", "crossed")),
    "outside": frozenset(("inside", "contains", "crosses", "crossed")),
}
"""What is claimed -> what of the facts bears it out, and what speaks against it; what is in neither is open."""
_NEAR = frozenset(("touching", "next to", "near"))
_FAR = frozenset(("far from", "some way from"))
_CROSSING = frozenset(("crosses", "crossed"))
_TOUCHING = frozenset(("crosses", "crossed", "inside", "contains"))
_POINTS = {"north": (0.0, 1.0), "south": (0.0, -1.0), "east": (1.0, 0.0), "west": (-1.0, 0.0)}
_OFF, _AGAINST = 50.0, 100.0
"""Degrees up to which a direction is right (one of eight steps), and from which it is wrong by the cells alone."""


def stands(one: Known, relation: str, other: Known) -> bool | None:
    """Whether one element stands to another as is claimed; None where the facts leave it open."""
    spread = relation in _CROSSING and (one.count is not None or other.count is not None)
    verdicts = [_bears_out(fact, relation, one, other, reverse=reverse) for fact, reverse in _between_two(one, other)]
    return True if True in verdicts else False if False in verdicts and not spread else None


def _bears_out(fact: Mapping[str, Any], relation: str, one: Known, other: Known, *, reverse: bool) -> bool | None:
    """Whether one fact on two elements bears a claim out; told from the other's side it is turned round."""
    name, distance = fact.get("relation"), fact.get("distance")
    if relation == "far":
        return None if distance is None else distance in _FAR
    if name is None:
        return _by_distance(relation, distance)
    held = _REVERSED.get(str(name), str(name)) if reverse else str(name)
    both_lines = one.is_line and other.is_line
    if held in _TRUE_OF.get(relation, ()) or ({relation, held} <= _CROSSING and both_lines):
        return True
    if relation == "touches" and held in _SIDE_BY_SIDE and distance == "touching":
        return True
    through = {relation, held} == {"crosses", "inside"} and one.is_line  # a line through an area is in it as well
    return False if held in _FALSE_OF.get(relation, ()) and not through else None


def _by_distance(relation: str, distance: Any) -> bool | None:
    """Whether two things that only a distance is known of may stand so."""
    if distance is None:
        return None
    if relation in _TOUCHING or relation == "outside":
        return relation == "outside"
    if relation in _SIDE_BY_SIDE and distance in _NEAR:
        return True
    return False if relation in ("borders", "touches") and distance in _FAR else None


def lies_between(one: Known, first: Known, second: Known) -> bool | None:
    """Whether an element lies between two others; false where one of them is known to lie between."""
    trio = {one.id, first.id, second.id}
    middles = [
        element.id
        for element in (one, first, second)
        for fact in element.relations
        if fact.get("relation") == "between" and {element.id, fact.get("to"), fact.get("and")} == trio
    ]
    return one.id in middles if middles else None


def lies_towards(one: Known, place: Place, other: Known) -> bool | None:
    """Whether one element lies in a direction from another: as measured, else by the cells that they lie in."""
    for fact, reverse in _between_two(one, other):
        vector = _direction(fact.get("direction"))
        if vector:
            if reverse:
                vector = (-vector[0], -vector[1])
            turned = angle_between(vector, place.vector)
            return True if turned <= _OFF else None if turned < _AGAINST - _OFF / 2 and place.scope else False
    by_cells = beside_which(one, other)
    if by_cells is None:
        return None
    turned = angle_between(by_cells, place.vector)
    return True if turned <= _OFF else False if turned >= _AGAINST else None


def _between_two(one: Known, other: Known) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Facts on two elements, and whether they are told from the other's side."""
    for fact in one.relations:
        if other.id in (fact.get("to"), fact.get("and")):
            yield fact, False
    for fact in other.relations:
        if one.id in (fact.get("to"), fact.get("and")):
            yield fact, True


def _direction(name: Any) -> tuple[float, float] | None:
    if not isinstance(name, str):
        return None
    points: Sequence[tuple[float, float]] = [_POINTS[part] for part in name.split("-") if part in _POINTS]
    return (sum(x for x, _ in points), sum(y for _, y in points)) if points else None
