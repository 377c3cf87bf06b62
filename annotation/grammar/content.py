"""Which facts of an element can be told, and by which part of the lexicon."""

from annotation.grammar import lexicon
from annotation.grammar.lexicon import Uses
from annotation.grammar.tables import axes, is_listed, is_scattered, line_sites, sites, spans
from annotation.grammar.wording import Wording

PARTS = "several parts"
SHARE_OF_PERVASIVE = 0.7
"""How often the share of what is all over the picture is told instead of its place."""
RUN_RATHER = 0.8
"""How often the ends of a line are told and not its orientation; both would often say the same twice."""
ESSENTIAL = (
    lexicon.SHARE, lexicon.PLACE, lexicon.LISTED_PLACE, lexicon.SPREAD, lexicon.PASSING, lexicon.LINE_PLACE,
    lexicon.RUN, lexicon.THROUGH, lexicon.ROAD_RUN, lexicon.ROAD_THROUGH, lexicon.SPREADING,
)  # fmt: skip
"""What says where a thing is or how much of the picture it takes."""
WORDY = (lexicon.RUN, lexicon.THROUGH, lexicon.ROAD_RUN, lexicon.ROAD_THROUGH, lexicon.LINE_AXIS)


def tellable(told: Wording) -> list[Uses]:
    """Facts in a random order in which extent, place and course tend to come first."""
    facts = told.facts
    if told.group:
        found = _group(told)
    elif told.line:
        found = _line(told)
    else:
        found = _area(told)
    if facts.get("share") and not (told.pervasive and any(uses is lexicon.SPREAD for _, uses in found)):
        found.append((0.0, lexicon.SHARE))
    if told.having:
        found.append((0.1, lexicon.EACH_QUALITY if told.group else lexicon.QUALITY))
    if told.states:
        found.append((0.0, lexicon.STATE))
    if int(facts.get("parts") or 1) > 1:
        found.append((0.4, lexicon.LINE_PARTS if told.line else lexicon.PARTS))
    drawn = sorted((delay + told.rng.random(), number) for number, (delay, _) in enumerate(found))
    return [found[number][1] for _, number in drawn]


def essentials(told: Wording, number: int) -> list[Uses]:
    """A few facts, one of them essential where there is such a one; if only one, rather one that takes few words."""
    pool = tellable(told)
    if number == 1:
        return sorted(pool, key=WORDY.__contains__)[:1]
    first = next((uses for uses in pool if uses in ESSENTIAL), None)
    if first is not None:
        pool.remove(first)
        pool.insert(0, first)
    return pool[:number]


def _place(told: Wording) -> list[tuple[float, Uses]]:
    """Where it lies, or what it runs through; one of the two where both can be said."""
    delay = 0.5 if told.ends else 0.1
    if not told.cells or is_scattered(told.cells) or (told.ends and is_listed(told.cells)):
        return []
    if is_listed(told.cells):
        return [(0.2, lexicon.LISTED_PLACE)]
    site, span = (lexicon.LINE_PLACE, lexicon.PASSING) if told.line else (lexicon.PLACE, lexicon.SPREAD)
    where = line_sites(told.cells) if told.line else sites(told.cells)
    if where and spans(told.cells):
        return [(delay, site if told.chance(0.5) else span)]
    return [(delay, site if where else span)] if where or spans(told.cells) else []


def _area(told: Wording) -> list[tuple[float, Uses]]:
    facts = told.facts
    whole = "whole" in told.cells
    found = [] if told.pervasive and told.chance(SHARE_OF_PERVASIVE) else _place(told)
    if facts.get("area_m2"):
        found.append((0.4, lexicon.CUT_SIZE if told.cut else lexicon.SIZE))
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
    trend = bool(facts.get("orientation") and axes(facts["orientation"]))
    run_told = told.ends and (not trend or told.chance(RUN_RATHER))
    if run_told:
        run, through = (lexicon.ROAD_RUN, lexicon.ROAD_THROUGH) if told.road else (lexicon.RUN, lexicon.THROUGH)
        found.append((0.0, through if {facts["from"], facts["to"]} <= lexicon.EDGE_NAMES else run))
    found += _place(told)
    if trend and not run_told:
        found.append((0.4, lexicon.LINE_AXIS))
    if told.cut and not told.ends:
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
