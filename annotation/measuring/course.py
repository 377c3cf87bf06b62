"""Lines: how they run, from where to where, and along which axis."""

import numpy as np
import shapely
from numpy.typing import NDArray

from annotation.measuring.frame import CELLS, EDGES, EPSILON, cell_of, edges_at
from annotation.measuring.parts import DIGITS, Floats, Ints, Objects, cross, lengths, segments, total

COURSES = ("straight", "gently curved", "curved", "winding", "closed")

CLOSED = 1e-3
"""Ends nearer to each other than this share of the length are one point."""

STRAIGHT = 1.002
"""Length by end-to-end distance below which a line is straight: an arc that turns by 12°, with a bulge of 2.7
% of its chord. Float noise is some ten powers of ten below."""

GENTLE = 1.03
"""Below this a line is gently curved: an arc that turns by 48°."""

WINDING = 1.1
"""From this on a line is winding if it also swings both ways. (Leopold and Wolman, 1957, call rivers
meandering from 1.5; a road with a third of that to spare and bends to both sides is called winding
already.)"""

SWING = np.radians(60)
"""Turns to the left, and turns to the right, add up to at least this: a corner or a U does not wind."""

SWING_TOLERANCE = 0.01
"""Bends are looked for on the line simplified (Douglas and Peucker, 1973) by this share of its end-to-end
length, so that digitising noise is no bend."""

_BACK = np.pi - 1e-6  # straight back is a turn to neither side

ORIENTED = 0.5
"""Lines whose ends, taken together, lie at least this share of their length apart have a direction."""


def sinuosities(length: Floats, chord: Floats) -> Floats:
    """Length by end-to-end distance, never below 1; infinite for closed lines."""
    apart = chord > CLOSED * length
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Floats = np.where(apart, np.maximum(np.round(length / np.where(apart, chord, 1), DIGITS), 1), np.inf)
    return ratio


def courses(ground: Objects, length: Floats, chord: Floats, owner: Ints, count: int) -> NDArray[np.str_]:
    """Course of each element: of its parts, the one that most of its length has.

    Args:
        ground: (l,) merged line strings on the ground, metres.
        length: (l,) their lengths.
        chord: (l,) their end-to-end distances.
        owner: (l,) element of each.
        count: number of elements n.

    Returns:
        (n,) names out of `COURSES`; of equal lengths the straighter.
    """
    ratio = sinuosities(length, chord)
    course = np.searchsorted([STRAIGHT, GENTLE], ratio, side="right")
    bent = np.flatnonzero((ratio >= WINDING) & np.isfinite(ratio))
    course[bent[_swings(ground[bent], chord[bent])]] = COURSES.index("winding")
    course[np.isinf(ratio)] = COURSES.index("closed")
    votes = total(length, owner * len(COURSES) + course, count * len(COURSES)).reshape(count, len(COURSES))
    most: NDArray[np.str_] = np.array(COURSES)[np.argmax(votes, axis=1)]
    return most


def orientations(chords: Floats, length: Floats, owner: Ints, count: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Axis of each element's lines, from the end-to-end vectors of its parts.

    Angles are doubled before they are added, so that opposite directions agree instead of cancelling (Mardia
    and Jupp, Directional Statistics, 2000, section 9.1).

    Args:
        chords: (l, 2) end-to-end vectors on the ground.
        length: (l,) lengths along the lines.
        owner: (l,) element of each.
        count: number of elements n.

    Returns:
        (n,) angles in radians counter-clockwise from east, and whether they mean anything: closed lines,
        lines that come back near their beginning, and parts at right angles to each other have no direction.
    """
    size = lengths(chords)
    angle = 2 * np.arctan2(chords[:, 1], chords[:, 0])
    x = total(size * np.cos(angle), owner, count)
    y = total(size * np.sin(angle), owner, count)
    straight = np.hypot(x, y) / np.maximum(total(length, owner, count), np.finfo(np.float64).tiny)
    return np.arctan2(y, x) / 2, np.round(straight, DIGITS) >= ORIENTED


def line_edges(starts: Floats, ends: Floats, open_: NDArray[np.bool_], owner: Ints, count: int) -> NDArray[np.bool_]:
    """(n, 4) which of `EDGES` cut each element: those on which an end of an open line lies."""
    cut = np.zeros((count, len(EDGES)), dtype=np.bool_)
    for points in (starts, ends):
        np.logical_or.at(cut, owner[open_], edges_at(points[open_]))
    return cut


def end_names(starts: Floats, ends: Floats) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Where lines enter and leave, told from west to east, straight up from south to north.

    The direction of digitising says nothing about the ground, so it does not matter here.

    Args:
        starts: (l, 2) first points in the unit frame.
        ends: (l, 2) last points.

    Returns:
        Two (l,) arrays: the name of the frame's edge where an end lies on one, else (and in corners, which
        lie on two) the cell.
    """
    run = ends - starts
    upright = np.abs(run[:, 0]) <= EPSILON
    backward = np.where(upright, run[:, 1] < 0, run[:, 0] < 0)[:, None]
    return _place(np.where(backward, ends, starts)), _place(np.where(backward, starts, ends))


def _place(points: Floats) -> NDArray[np.str_]:
    """Edge or cell of points."""
    on = edges_at(points)
    return np.where(on.sum(axis=1) == 1, np.array(EDGES)[on.argmax(axis=1)], np.array(CELLS)[cell_of(points)])


def _swings(ground: Objects, chord: Floats) -> NDArray[np.bool_]:
    """Whether lines turn by `SWING` to the left and to the right."""
    smooth = segments(shapely.simplify(ground, SWING_TOLERANCE * chord, preserve_topology=False))
    step = smooth.end - smooth.start
    before, after = step[:-1], step[1:]
    turn = np.arctan2(cross(before, after), (before * after).sum(axis=1))
    turn[(smooth.line[1:] != smooth.line[:-1]) | (np.abs(turn) > _BACK)] = 0
    left = total(np.maximum(turn, 0), smooth.line[1:], len(ground))
    right = total(np.maximum(-turn, 0), smooth.line[1:], len(ground))
    swings: NDArray[np.bool_] = np.minimum(left, right) >= SWING
    return swings
