"""Lengths held against facts: of lines, between neighbours, and from one thing to another."""

from collections.abc import Iterator

from annotation.checks.claiming.known import Known
from annotation.checks.claiming.marks import Mark
from annotation.checks.claiming.numbers import Quantity
from annotation.checks.claiming.reading import Reading
from annotation.checks.claiming.verdicts import within
from annotation.checks.claiming.vocabulary import WORDS

ROUNDING = 0.06
"""Metres, kilometres an hour or volts that rounding may cost."""
MEASURED = WORDS["measures.measured"]
_OTHER_DIMENSIONS = WORDS["measures.other_dimensions"]
_APART = frozenset(("apart", "spacing", "intervals", "interval", "spaced", "gap", "gaps"))
_COMPARED = frozenset(("shorter", "longer", "wider", "narrower", "more", "less", "fewer"))
_DISTANT = WORDS["lengths.distant"]
"""Words of sentences in which a length may be the distance of any two things."""
_AWAY = frozenset(("away", "from", "off", "distant", "beyond"))
_TOWARDS = frozenset(("to", "on", "its", "their", "the", "further", "farther", "due"))


def length(reading: Reading, mark: Mark, told: Quantity) -> None:
    """The claim of a length: of a line, between neighbours, or between any two things."""
    span = (mark.start, mark.stop)
    after = [reading.word(mark.stop), reading.word(mark.stop + 1)]
    before = reading.text.words[max(0, mark.start - 3) : mark.start]
    if after[0] in _COMPARED:
        return  # some 10 m shorter
    if after[after[0] == "in"] in _OTHER_DIMENSIONS or any(word in MEASURED for word in before):
        targets = reading.binder.targets(*span, bool)
        reading.add("number", *span, "unsupported", targets[0].id if targets else None, None)
    elif not _distance(reading, mark, told):
        hedged = (reading.word(told.start - 1), reading.word(told.start - 2))
        if _APART.isdisjoint((*after, *before, *hedged)):
            _of_line(reading, mark, told)
        else:
            _spacing(reading, mark, told)


def _of_line(reading: Reading, mark: Mark, told: Quantity) -> None:
    """How long something is; where the sentence speaks of distances, also how far two things are apart."""
    span, sentence = (mark.start, mark.stop), reading.text.sentence
    words = (word for word, of in zip(reading.text.words, sentence, strict=True) if of == sentence[mark.start])
    parted = not _DISTANT.isdisjoint(words)
    targets = reading.binder.targets(*span, lambda e: e.length is not None or e.spacing is not None)
    targets = able(reading, targets, "length", "spacing")

    def fits(element: Known) -> bool | None:
        own = [value for value in (element.length, element.spacing) if value is not None]
        bound = element in (targets or ())
        known = [*own, *_distances(reading, element)] if parted or bound else own
        if any(within(value, told, ROUNDING) for value in known):
            return True
        return False if own else None

    fact = "spacing_m" if targets and targets[0].length is None else "length_m"
    reading.settle("number", span, targets, fits, fact, spare=lambda: reading.spare(*span))


def _spacing(reading: Reading, mark: Mark, told: Quantity) -> None:
    """`12 m apart`, `at intervals of 12 m`: between neighbours of a kind, or between two things."""
    span = (mark.start, mark.stop)
    if any(within(value, told, ROUNDING) for element in reading.known for value in _distances(reading, element)):
        reading.add("number", *span, "supported", None, "relations")
        return
    targets = reading.binder.targets(*span, lambda element: element.spacing is not None)
    reading.settle(
        "number", span, targets, lambda e: within(e.spacing, told, ROUNDING), "spacing_m", spare=lambda: reading.known
    )


def _distances(reading: Reading, element: Known) -> Iterator[float]:
    """Metres from an element to others, told from either side."""
    for other in reading.known:
        for each in other.relations:
            metres = _metres(each.get("distance_m"))
            if metres is not None and element.id in (other.id, each.get("to")):
                yield metres


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
            if within(_metres(each.get("distance_m")), told, ROUNDING):
                reading.add("number", mark.start, mark.stop, "supported", element.id, "relations")
                return True
    return False


def _metres(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def able(reading: Reading, targets: list[Known] | None, *names: str) -> list[Known] | None:
    """Elements that have the measure: those meant, or else any that the caption may mean by it."""
    if targets is None or any(getattr(each, name) is not None for each in targets for name in names):
        return targets
    others = [each for each in reading.known if any(getattr(each, name) is not None for name in names)]
    return others if len(others) == 1 else targets
