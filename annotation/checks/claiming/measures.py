"""Measures held against facts: shares, areas, lengths, distances, and what tags tell of widths, speeds, voltages."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from annotation.checks.claiming import counts
from annotation.checks.claiming.known import Known
from annotation.checks.claiming.lexicon import GENERIC
from annotation.checks.claiming.marks import Mark
from annotation.checks.claiming.numbers import Quantity
from annotation.checks.claiming.reading import Kind, Reading
from annotation.checks.claiming.tagged import DIMENSION_WORDS, is_speed, unit_of_tag
from annotation.checks.claiming.verdicts import ROUNDED, within
from annotation.checks.claiming.vocabulary import WORDS

_OTHER_DIMENSIONS = WORDS["measures.other_dimensions"]
_MEASURED = WORDS["measures.measured"]
_APART = frozenset(("apart", "spacing", "intervals", "interval", "spaced", "gap", "gaps"))
_COMPARED = frozenset(("shorter", "longer", "wider", "narrower", "more", "less", "fewer"))
_DISTANT = frozenset(("within", "between", "apart", "separate", "separates", "separated", "separating", "distance", "off",
                      "away", "distant", "separation", "remove", "nearer", "closer", "gap"))  # fmt: skip
"""Words of sentences in which a length may be the distance of any two things."""
_AWAY = frozenset(("away", "from", "off", "distant", "beyond"))
_TOWARDS = frozenset(("to", "on", "its", "their", "the", "further", "farther", "due"))
_CLOSE = 0.06
"""Metres, kilometres an hour or volts that rounding may cost."""
_COVERING = (
    "cover", "occup", "fill", "tak", "took", "up", "account", "mak", "span", "compris", "over", "across", "constitut",
    "claim", "dominat", "consum", "amount", "represent", "for", "to", "about", "hold", "command",
)  # fmt: skip
_SPREAD_OVER = WORDS["measures.spread_over"]
"""Words before `the whole picture` that do not say how much of it is covered."""
_TOGETHER = frozenset(("together", "combined", "jointly", "total", "collectively"))
_COMPLEMENTS = frozenset(("the", "this", "our", "all", "that", "its", "whole", "entire", "total", "visible"))


def quantity(reading: Reading, mark: Mark, number: int) -> None:
    """The claim that a number makes."""
    told: Quantity = mark.content
    if _of_tag(reading, mark, told):
        return
    if told.kind == "share":
        _share(reading, mark, told, number)
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
    low, high = told.low * factor - _CLOSE, told.high * factor + _CLOSE

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
    if told.kind != "length":
        return None
    if is_speed(words, mark.stop):
        return "speed", 0.001, mark.stop + 2
    at = mark.stop + (words[mark.stop : mark.stop + 1] == ["in"])
    name = DIMENSION_WORDS.get(reading.word(at), "")
    if name and not (words[at] == "across" and reading.word(at + 1).isalpha() and reading.word(at + 1) != "and"):
        return name, 1.0, at + 1
    before = (DIMENSION_WORDS.get(word, "") for word in words[max(0, mark.start - 5) : mark.start] if word in _MEASURED)
    name = next(before, "")
    return (name, 1.0, mark.stop) if name else None


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
    if not told.numeral and (not of_picture or words[mark.start - 1] in _SPREAD_OVER):
        return
    if not (of_picture or percent or of_it or (covering and reading.word(mark.stop) != "of")):
        return
    targets = reading.binder.targets(mark.start, at, lambda element: element.share is not None)
    if not told.numeral and targets is not None and all(each.share is None for each in targets):
        return
    kind: Kind = "share"
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
        lambda e: within(e.share, told, ROUNDED),
        "share",
        spare=lambda: reading.spare(*span),
    )


def _only(reading: Reading, element: Known) -> bool:
    return len(reading.known) == 1 or not element.is_line


def _measure(reading: Reading, mark: Mark, told: Quantity) -> None:
    span = (mark.start, mark.stop)
    after = [reading.word(mark.stop), reading.word(mark.stop + 1)]
    if reading.word(mark.stop) == "per" or (after == ["resolution", ""]):
        right = reading.gsd is None or told.low <= reading.gsd <= told.high
        reading.add("number", *span, "supported" if right else "contradicted", None, "gsd")
        return
    if told.kind == "area":
        targets = reading.binder.targets(*span, lambda element: element.area is not None)
        if _summed(reading, mark, told, "area"):
            reading.add("number", *span, "supported", targets[0].id if targets else None, "area_m2")
            return
        reading.settle(
            "number",
            span,
            _able(reading, targets, "area"),
            lambda e: within(e.area, told, 0.06),
            "area_m2",
            spare=lambda: reading.spare(*span),
        )
        return
    before = reading.text.words[max(0, mark.start - 3) : mark.start]
    if after[after[0] == "in"] in _OTHER_DIMENSIONS or any(word in _MEASURED for word in before):
        targets = reading.binder.targets(*span, bool)
        reading.add("number", *span, "unsupported", targets[0].id if targets else None, None)
        return
    if _distance(reading, mark, told):
        return
    if after[0] in _COMPARED:  # some 10 m shorter
        return
    if any(word in _APART for word in (*after, *before, reading.word(told.start - 1), reading.word(told.start - 2))):
        if any(within(_metres(each.get("distance_m")), told, 0.06) for one in reading.known for each in one.relations):
            reading.add("number", *span, "supported", None, "relations")
            return
        targets = reading.binder.targets(*span, lambda element: element.spacing is not None)
        reading.settle(
            "number",
            span,
            targets,
            lambda e: within(e.spacing, told, 0.06),
            "spacing_m",
            spare=lambda: reading.known,
        )
        return

    sentence = [
        w
        for w, s in zip(reading.text.words, reading.text.sentence, strict=True)
        if s == reading.text.sentence[mark.start]
    ]

    distances = defaultdict[str, list[float]](list)
    for one in reading.known:
        for each in one.relations:
            if isinstance(each.get("distance_m"), int | float):
                distances[one.id].append(each["distance_m"])
                distances[str(each.get("to"))].append(each["distance_m"])

    def fits(element: Known) -> bool | None:
        known = [value for value in (element.length, element.spacing) if value is not None]
        if _DISTANT.isdisjoint(sentence) and element not in (targets or ()):
            return any(within(value, told, 0.06) for value in known)
        known += distances[element.id]
        if not known:
            return None
        right = any(within(value, told, 0.06) for value in known)
        return right or (False if element.length is not None or element.spacing is not None else None)

    targets = reading.binder.targets(*span, lambda e: e.length is not None or e.spacing is not None)
    targets = _able(reading, targets, "length", "spacing")
    verdict_fact = "spacing_m" if targets and targets[0].length is None else "length_m"
    reading.settle("number", span, targets, fits, verdict_fact, spare=lambda: reading.spare(*span))


def _distance(reading: Reading, mark: Mark, told: Quantity) -> bool:
    """`95 metres west of the canal`, `20 m away`: a distance between any two things that are near each other."""
    at = mark.stop
    while reading.word(at) in _TOWARDS:
        at += 1
    at_place = any(other.kind == "place" and other.start == at for other in reading.marks)
    if not at_place and reading.word(mark.stop) not in _AWAY | _APART:
        return False
    for element in reading.known:
        for each in element.relations:
            if within(_metres(each.get("distance_m")), told, 0.06):
                reading.add("number", mark.start, mark.stop, "supported", element.id, "relations")
                return True
    return False


def _metres(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _able(reading: Reading, targets: list[Known] | None, *names: str) -> list[Known] | None:
    """Elements that have the measure: those meant, or else any that the caption may mean by it."""
    if targets is None or any(getattr(each, name) is not None for each in targets for name in names):
        return targets
    others = [each for each in reading.known if any(getattr(each, name) is not None for name in names)]
    return others if len(others) == 1 else targets


def _between_them(words: Sequence[str]) -> bool:
    return any(pair == ("between", "them") for pair in pairwise(words))


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
