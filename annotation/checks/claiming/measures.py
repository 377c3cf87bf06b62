"""Measures held against facts: shares, areas, lengths, distances, and what tags tell of widths, speeds, voltages."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from annotation.checks.claiming import counts, lengths
from annotation.checks.claiming.denied import has_exception
from annotation.checks.claiming.known import Known
from annotation.checks.claiming.lengths import MEASURED, ROUNDING, able
from annotation.checks.claiming.lexicon import GENERIC
from annotation.checks.claiming.marks import Mark
from annotation.checks.claiming.numbers import Quantity
from annotation.checks.claiming.reading import Kind, Reading
from annotation.checks.claiming.tagged import DIMENSION_WORDS, is_speed, unit_of_tag
from annotation.checks.claiming.verdicts import ROUNDED, within
from annotation.checks.claiming.vocabulary import WORDS

_COVERING = (
    "cover", "occup", "fill", "tak", "took", "up", "account", "mak", "span", "compris", "over", "across", "constitut",
    "claim", "dominat", "consum", "amount", "represent", "for", "to", "about", "hold", "command",
)  # fmt: skip
_SPREAD_OVER = WORDS["measures.spread_over"]
"""Words before `the whole picture` that do not say how much of it is covered."""
_HOLDING = frozenset(("has", "shows", "contains", "holds", "features", "includes"))
_WHOLE = 0.9
_COMPARED = frozenset(("of", "to", "than", "against"))
_REST = frozenset(("else", "rest", "remaining", "remainder", "sliver"))
_TOGETHER = frozenset(("together", "combined", "jointly", "total", "collectively"))
_EACH = frozenset(("each", "apiece", "average", "averaging", "individually"))
_NEAR = 4
_COMPLEMENTS = frozenset(("the", "this", "our", "all", "that", "its", "whole", "entire", "total", "visible"))


def quantity(reading: Reading, mark: Mark, number: int) -> None:
    """The claim that a number makes."""
    told: Quantity = mark.content
    if told.kind == "share":
        _share(reading, mark, told, number)
    elif told.kind != "area" and _of_tag(reading, mark, told):
        return
    elif told.kind == "count":
        counts.count(reading, mark, told, number)
    else:
        _measure(reading, mark, told)


def _of_tag(reading: Reading, mark: Mark, told: Quantity) -> bool:
    """`13.7 m wide`, `50 km/h`, `220 kV`: what only tags tell; false where no element has such a tag."""
    found = _tag_dimension(reading, mark, told)
    if found is None:
        return False
    name, factor, stop = found
    holders = [element for element in reading.known if name in element.tagged.dimensions]
    if not holders and name not in ("speed", "voltage"):
        return False
    targets = reading.binder.targets(mark.start, stop, lambda element: name in element.tagged.dimensions) or []
    low, high = told.low * factor - ROUNDING, told.high * factor + ROUNDING

    def right(element: Known) -> bool:
        return any(low <= value <= high for value in element.tagged.dimensions[name])

    own = [element for element in targets if name in element.tagged.dimensions]
    reading.settle("number", (mark.start, stop), own or holders, right, name)
    return True


def _tag_dimension(reading: Reading, mark: Mark, told: Quantity) -> tuple[str, float, int] | None:
    """What a number may be that a tag tells, the factor to the unit of the tag, and where it ends."""
    words = reading.text.words
    if told.kind == "count":
        return unit_of_tag(words, mark.stop) if told.numeral else None
    if is_speed(words, mark.stop):
        return "speed", 0.001, mark.stop + 2
    at = mark.stop + (words[mark.stop : mark.stop + 1] == ["in"])
    name = DIMENSION_WORDS.get(reading.word(at), "")
    if name and not (words[at] == "across" and reading.word(at + 1).isalpha() and reading.word(at + 1) != "and"):
        return name, 1.0, at + 1
    first = max(0, mark.start - 5)
    before = (
        DIMENSION_WORDS.get(words[k], "")
        for k in range(first, mark.start)
        if words[k] in MEASURED and not _of_picture(reading, k + 1)
    )
    name = next(before, "")
    return (name, 1.0, mark.stop) if name else None


def _of_picture(reading: Reading, at: int) -> bool:
    """`Of the image` begins at a word: the width of the image is no width of a road."""
    return reading.word(at) == "of" and any(
        mark.kind == "picture" and at < mark.start <= at + len(("of", "the")) for mark in reading.marks
    )


def _share(reading: Reading, mark: Mark, told: Quantity, number: int) -> None:
    words = reading.text.words
    at = mark.stop + (reading.word(mark.stop) == "of")
    while reading.word(at) in _COMPLEMENTS:
        at += 1
    of_picture = any(
        mark.stop <= other.start <= at and other.kind == "picture" for other in reading.marks[number + 1 : number + 4]
    )
    of_picture = of_picture or (
        reading.word(at) in GENERIC | {"land", "ground", "space", "terrain", "landscape"} and at > mark.stop
    )
    percent = words[mark.stop - 1] in ("%", "cent")
    covering = told.start > 0 and words[told.start - 1].startswith(_COVERING)
    of_it = covering and words[mark.stop : mark.stop + 2] in (["of", "it"], ["of", "them"])
    if not told.numeral and (not of_picture or words[mark.start - 1] in _SPREAD_OVER or _holds(reading, at)):
        return
    if not (of_picture or percent or of_it or (covering and reading.word(mark.stop) != "of")):
        return
    targets = reading.binder.targets(mark.start, at, lambda element: element.share is not None)
    if not told.numeral and targets is not None and all(each.share is None for each in targets):
        return
    if not told.numeral and told.low >= _WHOLE and words[max(0, told.start - 1)] in _COMPARED:
        return  # a seventh of the whole view
    if not told.numeral and told.low >= _WHOLE and has_exception(reading, mark.start):
        return  # apart from the corner, the whole picture is wood
    if words[max(0, told.start - 2) : told.start] == ["all", "but"]:  # all but 4 percent of it
        told = replace(told, low=1 - told.high, high=1 - told.low)
    kind: Kind = "share"
    of_rest = _is_of_rest(words, mark.start, mark.stop)
    span = (mark.start, mark.stop)
    if _summed(reading, mark, told, "share"):
        reading.add(kind, mark.start, mark.stop, "supported", targets[0].id if targets else None, "share")
        return
    if targets is not None and all(each.share is None for each in targets):
        targets = [*targets, *(each for each in reading.known if each.share is not None and _only(reading, each))]
    reading.settle(
        kind,
        (mark.start, mark.stop),
        targets,
        lambda e: within(e.share, told, ROUNDED) or (of_rest and bool(within(_complement(e), told, ROUNDED))),
        "share",
        spare=lambda: reading.spare(*span),
    )


def _holds(reading: Reading, at: int) -> bool:
    """`The whole image has scattered buildings`: where they are, and not how much they cover."""
    picture = next((mark for mark in reading.marks if mark.kind == "picture" and mark.start == at), None)
    return picture is not None and reading.word(picture.stop) in _HOLDING


def _is_of_rest(words: Sequence[str], start: int, stop: int) -> bool:
    """`Only 3 % are left over`, `leaves less than one percent to anything else`: what a thing does not cover."""
    while start > 0 and words[start - 1].isalnum():
        start -= 1
    while stop < len(words) and words[stop].isalnum():
        stop += 1
    phrase = words[start:stop]
    return not _REST.isdisjoint(phrase) or ("left", "over") in pairwise(phrase)


def _complement(element: Known) -> float | None:
    return None if element.share is None else 1 - element.share


def _only(reading: Reading, element: Known) -> bool:
    return len(reading.known) == 1 or not element.is_line


def _measure(reading: Reading, mark: Mark, told: Quantity) -> None:
    span = (mark.start, mark.stop)
    after = [reading.word(mark.stop), reading.word(mark.stop + 1)]
    if after[0] == "per" or after == ["resolution", ""]:
        right = reading.gsd is None or told.low <= reading.gsd <= told.high
        reading.add("number", *span, "supported" if right else "contradicted", None, "gsd")
    elif told.kind == "area":
        _area(reading, mark, told)
    else:
        lengths.length(reading, mark, told)


def _area(reading: Reading, mark: Mark, told: Quantity) -> None:
    span = (mark.start, mark.stop)
    targets = reading.binder.targets(*span, lambda element: element.area is not None)
    if _summed(reading, mark, told, "area"):
        reading.add("number", *span, "supported", targets[0].id if targets else None, "area_m2")
        return
    each = _is_of_each(reading.text.words, mark)

    def right(element: Known) -> bool | None:
        if each and element.area and element.count and within(element.area / element.count, told, ROUNDED):
            return True
        return within(element.area, told, ROUNDING)

    reading.settle("number", span, able(reading, targets, "area"), right, "area_m2", spare=lambda: reading.spare(*span))


def _is_of_each(words: Sequence[str], mark: Mark) -> bool:
    """`96 garages, some 31 m2 each`, `on average 31 m2`."""
    return not _EACH.isdisjoint(words[max(0, mark.start - _NEAR) : mark.stop + _NEAR])


def _between_them(words: Sequence[str]) -> bool:
    return "between" in words and any(pair == ("between", "them") for pair in pairwise(words))


def _summed(reading: Reading, mark: Mark, told: Quantity, name: str) -> bool:
    """Whether the things of the sentence, said to be taken together, have the measure in sum."""
    if _TOGETHER.isdisjoint(reading.text.words) and not _between_them(reading.text.words):
        return False
    here = {
        element.id: element
        for mention in reading.mentions
        for element in mention.elements
        if mention.kind != "generic" and reading.same_sentence(mention.mark, mark)
    }
    values = [value for each in here.values() if (value := getattr(each, name)) is not None]
    return len(values) > 1 and bool(within(sum(values), told, ROUNDED))
