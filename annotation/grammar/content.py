"""Which facts of an element can be told, and by which part of the lexicon."""

from annotation.grammar import lexicon
from annotation.grammar.lexicon import Uses
from annotation.grammar.wording import Wording, axes, is_extended, is_listed

PARTS = "several parts"


def tellable(told: Wording) -> list[Uses]:
    """Facts in a random order in which extent, place and course tend to come first."""
    facts = told.facts
    if told.group:
        found = _group(told)
    elif told.line:
        found = _line(told)
    else:
        found = _area(told)
    if facts.get("share"):
        found.append((0.0, lexicon.SHARE))
    if told.having:
        found.append((0.3, lexicon.EACH_QUALITY if told.group else lexicon.QUALITY))
    if told.states:
        found.append((0.3, lexicon.STATE))
    if int(facts.get("parts") or 1) > 1:
        found.append((0.4, lexicon.PARTS))
    drawn = sorted((delay + told.rng.random(), number) for number, (delay, _) in enumerate(found))
    return [found[number][1] for _, number in drawn]


def _place(told: Wording) -> list[tuple[float, Uses]]:
    if not told.cells:
        return []
    if is_listed(told.cells):
        return [(0.2, lexicon.LISTED_PLACE)]
    if told.line:
        return [(0.3, lexicon.PASSING if is_extended(told.cells) else lexicon.LINE_PLACE)]
    return [(0.1, lexicon.SPREAD if is_extended(told.cells) else lexicon.PLACE)]


def _area(told: Wording) -> list[tuple[float, Uses]]:
    facts = told.facts
    whole = "whole" in told.cells
    found = _place(told)
    if facts.get("area_m2"):
        found.append((0.3, lexicon.CUT_SIZE if told.cut else lexicon.SIZE))
    shape = facts.get("shape")
    if shape and shape != PARTS and not whole:
        found.append((0.2, lexicon.CUT_SHAPE if told.cut else lexicon.SHAPE))
    if facts.get("orientation") and axes(facts["orientation"]):
        found.append((0.4, lexicon.AXIS))
    if told.cut:
        found.append((0.3, lexicon.EDGES))
    return found


def _line(told: Wording) -> list[tuple[float, Uses]]:
    facts = told.facts
    found: list[tuple[float, Uses]] = [(0.2, lexicon.CUT_LENGTH if told.cut else lexicon.LENGTH)]
    course = facts.get("course")
    if course:
        found.append((0.1, lexicon.LOOP if course == "closed" else lexicon.COURSE))
    start, end = facts.get("from"), facts.get("to")
    if start and end and start != end:
        crossing = {start, end} <= lexicon.EDGE_NAMES
        found.append((0.0, lexicon.THROUGH if crossing else lexicon.RUN))
    found += _place(told)
    if facts.get("orientation") and axes(facts["orientation"]) and not (start and end and told.chance(0.5)):
        found.append((0.4, lexicon.LINE_AXIS))
    if told.cut and not (start and end):
        found.append((0.4, lexicon.LINE_EDGES))
    return found


def _group(told: Wording) -> list[tuple[float, Uses]]:
    found = _place(told)
    if told.facts.get("arrangement"):
        found.append((0.0, lexicon.SPREADING))
    if (told.facts.get("spacing_m") or 0) >= 1:
        found.append((0.3, lexicon.SPACING))
    if told.facts.get("area_m2"):
        found.append((0.4, lexicon.TOGETHER))
    return found
