"""Claims held against the facts of one element: true, false, or nothing known (None)."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from annotation.checks.claiming.known import Known
from annotation.checks.claiming.numbers import Quantity
from annotation.checks.claiming.places import ALL, Place, apart, axis_index, middle_of
from annotation.measuring.frame import EDGES

ROUNDED = 0.0006
"""Shares are rounded to four decimals in facts, and to three in the sheets that models read."""
_SIDES = {"top": "N", "bottom": "S", "left": "W", "right": "E", "north": "N", "south": "S", "west": "W", "east": "E"}
_VECTORS = {"N": (0, 1), "S": (0, -1), "W": (-1, 0), "E": (1, 0)}
_SQUARE = 3
"""Eighths of a half-circle from which two axes are square to each other."""
_MIDDLE = frozenset(("center",))
_ASIDE = 0.1
"""How far the middle of an element may lie on the other side of the frame's middle, in cells."""
_BESIDE = {
    "NW": frozenset(("top", "left")),
    "EN": frozenset(("top", "right")),
    "SW": frozenset(("bottom", "left")),
    "ES": frozenset(("bottom", "right")),
}
"""Cells next to the corners."""
_AXIS_NAMES = ("N-S", "NNE-SSW", "NE-SW", "ENE-WSW", "E-W", "WNW-ESE", "NW-SE", "NNW-SSE")


def within(value: float | None, quantity: Quantity, slack: float = 0.0) -> bool | None:
    """Whether a measure lies in what a number may stand for."""
    return None if value is None else quantity.low - slack <= value <= quantity.high + slack


def at_places(
    element: Known, places: Sequence[Place], *, through: bool = False, forgiving: bool = False
) -> bool | None:
    """Whether an element lies in a place, or in several at once.

    Too narrow or too wide a place is nothing known; a place where the element is not, or of which most of it lies
    outside, is false.

    Args:
        element: what is spoken of.
        places: where it is said to be.
        through: whether it is said to pass through, so that it may lie elsewhere as well.
        forgiving: whether a quarter or half of the frame is meant rather than its corner or side.
    """
    cells = element.cells
    if not cells:
        return None
    if any(place.scope == "edge" and place.edges and place.edges <= (element.edges or set()) for place in places):
        return True
    bounds = ALL if through else frozenset().union(*(place.bounds for place in places))
    outside = len(cells - bounds)
    if any(place.needs.isdisjoint(cells) for place in places):
        return _elsewhere(element, places, outside=bool(outside), forgiving=forgiving)
    if not outside:
        return True
    if len(places) == 1 and not through:
        (x, y), (east, north) = middle_of(cells), (places[0].east, places[0].north)
        if min(x * east, y * north) < -_ASIDE:
            return False
    return False if 2 * outside >= len(cells) and any(place.points for place in places) else None


def _elsewhere(element: Known, places: Sequence[Place], *, outside: bool, forgiving: bool) -> bool | None:
    """Whether a place that holds no cell of an element is near enough: past a corner on both sides, or at an end."""
    if any(
        len(place.points) > 1 and _sides(end) == set(place.points) for end in element.ends or () for place in places
    ):
        return None  # an end of it lies there
    if outside or len(places) > 1 or element.cells == _MIDDLE:
        return False
    beside = _BESIDE.get("".join(sorted(places[0].points)), frozenset())
    if beside and beside <= element.cells:
        return True
    return None if beside or forgiving or places[0].scope in ("half", "part") else False


def part_of(one: Place, other: Place) -> frozenset[str] | None:
    """Cells of a part of a part: the middle or left of the lower part; None where both are on one axis."""
    if other.points and bool(one.north) == bool(other.north):
        return None
    return replace(one, points=one.points + other.points, middle=other.middle).needs


def cut_by(element: Known, edges: Collection[str]) -> bool | None:
    """Whether edges of the frame cut an element."""
    if element.edges is None:
        return None
    return set(edges) <= element.edges


def cut_at(element: Known, places: Sequence[Place]) -> bool | None:
    """Whether edges that are named one by one cut an element; at a corner one of its two edges is enough."""
    if element.edges is None:
        return None
    return all(
        bool(place.edges & element.edges) if len(place.edges) > 1 else place.edges <= element.edges for place in places
    )


def goes_on(element: Known) -> bool | None:
    """Whether an element goes on beyond the frame at all."""
    return None if element.edges is None else bool(element.edges)


def along_axis(element: Known, vector: tuple[float, float]) -> bool | None:
    """Whether an element lies along a direction, within one of eight steps; of a line without an axis, by its ends."""
    index = axis_index(vector)
    if index is None:
        return None
    if element.axis is not None:
        return apart(index, element.axis) <= 1
    if element.ends is not None:
        (x1, y1), (x2, y2) = map(_point_of, element.ends)
        by_ends = axis_index((x2 - x1, y2 - y1))
        return None if by_ends is None else apart(index, by_ends) <= 2
    return None


def on_axis(element: Known, axes: Collection[str]) -> bool | None:
    """Whether an element lies along one of some axes, by name."""
    return None if element.axis is None else _AXIS_NAMES[element.axis] in axes


def from_to(element: Known, one: Place, other: Place) -> bool | None:
    """Whether an element reaches from one place to another, in either sense.

    A line does if its ends lie there. Otherwise bare directions tell its axis; of parts of the frame it must touch
    both, and of edges by name it must be cut by both.
    """
    along = along_axis(element, (other.vector[0] - one.vector[0], other.vector[1] - one.vector[1]))
    exact = len(one.points) > 1 and len(other.points) > 1 and not (one.scope or other.scope)
    if exact and element.axis is not None and along is False:
        return False
    if element.ends is not None and any(
        _ends_at(element.ends[0], first) and _ends_at(element.ends[1], second)
        for first, second in ((one, other), (other, one))
    ):
        corners = [place for place in (one, other) if len(place.points) > 1 and element.cells and not place.compass]
        aligned = along and len(corners) == len(("one", "other"))  # an axis, told by the corners of the frame
        return aligned or not any(
            place.needs.isdisjoint(element.cells) and not _is_at(element, place) for place in corners
        )
    reaches = not (one.needs.isdisjoint(element.cells) or other.needs.isdisjoint(element.cells))
    if "edge" in (one.scope, other.scope):
        return _between_edges(element, one, other)
    if element.cells and (one.middle or other.middle or one.scope or other.scope):
        return reaches and (element.ends is None or bool(along))
    if along or (reaches and element.axis is None):
        return True
    return along


def _is_at(element: Known, place: Place) -> bool:
    return any(_sides(end) == set(place.points) for end in element.ends or ())


def _between_edges(element: Known, one: Place, other: Place) -> bool | None:
    """Whether an element reaches from edge to edge; ends that are known and lie elsewhere speak against it."""
    named = [place.edges for place in (one, other) if place.scope == "edge" and len(place.points) == 1]
    if element.edges is None:
        return None
    if element.ends is not None or any(not edges <= element.edges for edges in named):
        return False
    inner = [place for place in (one, other) if place.scope != "edge"]
    return all(not place.needs.isdisjoint(element.cells) for place in inner) if element.cells else None


def heads_for(element: Known, place: Place) -> bool | None:
    """Whether an element goes towards a side: cut by its edge, along its axis, ending or lying there."""
    cut = bool(place.edges) and element.edges is not None and place.edges <= element.edges
    if cut or _is_athwart(element, place):
        return cut and not _is_athwart(element, place)
    if place.compass and place.scope != "edge" and element.is_line and along_axis(element, place.vector):
        return True
    ends = element.ends or ()
    near = len(place.points) == 1 or not place.needs.isdisjoint(element.cells)
    if any(_sides(end) == set(place.points) or (near and _ends_at(end, place)) for end in ends):
        return True
    lies = at_places(element, [place], forgiving=True)
    if lies:
        return True
    if element.ends is not None and element.edges is not None:
        return False
    known = element.edges is not None or element.axis is not None or element.cells
    return False if known and not (lies is None and element.cells) else None


def _is_athwart(element: Known, place: Place) -> bool:
    """Whether a straight line runs square to a direction between two points of the compass."""
    index = axis_index(place.vector)
    if index is None or element.axis is None or element.course != "straight" or len(place.points) == 1:
        return False
    return place.compass and not place.scope and apart(index, element.axis) >= _SQUARE


def beside_which(one: Known, other: Known) -> tuple[float, float] | None:
    """The direction in which one element lies from another, by their cells; None where they overlap too much."""
    if not one.cells or not other.cells:
        return None
    (x1, y1), (x2, y2) = middle_of(one.cells), middle_of(other.cells)
    x, y = x1 - x2, y1 - y2
    return (x, y) if (x * x + y * y) > 0.4 else None


def _point_of(place: str) -> tuple[float, float]:
    """Where an edge or cell is, from the middle of the frame."""
    x = y = 0.0
    for part in place.split("-"):
        point = _SIDES.get(part)
        if point:
            x, y = x + _VECTORS[point][0], y + _VECTORS[point][1]
    return x, y


def _sides(end: str) -> set[str]:
    """Letters of the compass of an edge or cell."""
    return {_SIDES[part] for part in end.split("-") if part in _SIDES}


def ends_in(end: str, place: Place) -> bool:
    """Whether a line's end (an edge or cell) is just the place that is named."""
    if place.scope == "edge" and end not in EDGES:
        return False
    return _sides(end) == set(place.points) and (bool(place.points) or place.middle)


def _ends_at(end: str, place: Place) -> bool:
    """Whether a line's end (an edge or cell) is what a place names: one side in common, none opposite."""
    sides = _sides(end)
    named = set(place.points)
    if not named:
        return not sides
    opposite = {"N": "S", "S": "N", "E": "W", "W": "E"}
    if place.scope == "edge" and len(named) == 1 and end not in ("north", "south", "east", "west"):
        return False
    return bool(sides & named) and not any(opposite[point] in sides for point in named)
