"""Numbers held against facts: shares, areas, lengths, counts, and qualities that are counted."""

from annotation.checks.claiming.known import Known
from annotation.checks.claiming.lexicon import GENERIC
from annotation.checks.claiming.marks import Mark
from annotation.checks.claiming.numbers import Quantity
from annotation.checks.claiming.reading import Kind, Reading
from annotation.checks.claiming.verdicts import ROUNDED, within
from annotation.checks.claiming.vocabulary import WORDS

_OTHER_DIMENSIONS = WORDS["measures.other_dimensions"]
_MEASURED = WORDS["measures.measured"]
_APART = frozenset(("apart", "spacing", "intervals", "interval"))
_AWAY = frozenset(("away", "from", "off", "distant", "beyond"))
_TOWARDS = frozenset(("to", "on", "its", "their", "the", "further", "farther", "due"))
_PARTS = WORDS["measures.parts"]
_HEAPS = WORDS["measures.heaps"]
_COUNTED = WORDS["measures.counted"]
_SAME = {"floor": "storey", "level": "storey", "carriageway": "lane"}
_COVERING = (
    "cover", "occup", "fill", "tak", "took", "up", "account", "mak", "span", "compris", "over", "across", "constitut",
    "claim", "dominat", "consum", "amount", "represent", "for", "to", "about", "hold", "command",
)  # fmt: skip
_SPREAD_OVER = WORDS["measures.spread_over"]
"""Words before `the whole picture` that do not say how much of it is covered."""
_IN_ALL = (["of", "them"], ["in", "number"], ["in", "total"], ["in", "all"], ["all", "told"])
_TOGETHER = frozenset(("together", "combined", "jointly", "total", "collectively"))
_COMPLEMENTS = frozenset(("the", "this", "our", "all", "that", "its", "whole", "entire", "total", "visible"))


def quantity(reading: Reading, mark: Mark, number: int) -> None:
    """The claim that a number makes."""
    told: Quantity = mark.content
    if told.kind == "share":
        _share(reading, mark, told, number)
    elif told.kind == "count":
        _count(reading, mark, told, number)
    else:
        _measure(reading, mark, told)


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
    if _summed(reading, mark, told, "share"):
        reading.add(kind, mark.start, mark.stop, "supported", targets[0].id if targets else None, "share")
        return
    if targets is not None and all(each.share is None for each in targets):
        targets = [*targets, *(each for each in reading.known if each.share is not None and _only(reading, each))]
    reading.settle(kind, (mark.start, mark.stop), targets, lambda e: within(e.share, told, ROUNDED), "share")


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
        reading.settle("number", span, _able(reading, targets, "area"), lambda e: within(e.area, told, 0.06), "area_m2")
        return
    before = reading.text.words[max(0, mark.start - 3) : mark.start]
    if after[after[0] == "in"] in _OTHER_DIMENSIONS or any(word in _MEASURED for word in before):
        targets = reading.binder.targets(*span, bool)
        reading.add("number", *span, "unsupported", targets[0].id if targets else None, None)
        return
    if _distance(reading, mark, told):
        return
    if any(word in _APART for word in after):
        targets = reading.binder.targets(*span, lambda element: element.spacing is not None)
        reading.settle("number", span, targets, lambda e: within(e.spacing, told, 0.06), "spacing_m")
        return

    def fits(element: Known) -> bool | None:
        known = [value for value in (element.length, element.spacing) if value is not None]
        known += [each["distance_m"] for each in element.relations if isinstance(each.get("distance_m"), int | float)]
        if not known:
            return None
        right = any(within(value, told, 0.06) for value in known)
        return right or (False if element.length is not None or element.spacing is not None else None)

    targets = reading.binder.targets(*span, lambda e: e.length is not None or e.spacing is not None)
    targets = _able(reading, targets, "length", "spacing")
    verdict_fact = "spacing_m" if targets and targets[0].length is None else "length_m"
    reading.settle("number", span, targets, fits, verdict_fact)


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


def _summed(reading: Reading, mark: Mark, told: Quantity, name: str) -> bool:
    """Whether the things of the sentence, said to be taken together, have the measure in sum."""
    if _TOGETHER.isdisjoint(reading.text.words):
        return False
    here = {
        element.id: element
        for mention in reading.mentions
        for element in mention.elements
        if mention.kind != "generic" and reading.same_sentence(mention.mark, mark)
    }
    values = [value for each in here.values() if (value := getattr(each, name)) is not None]
    return len(values) > 1 and bool(within(sum(values), told, ROUNDED))


def _count(reading: Reading, mark: Mark, told: Quantity, number: int) -> None:
    """How many: of a thing, of parts, of lanes and storeys; other bare numbers stand in a fact or are invented."""
    if reading.text.words[mark.stop : mark.stop + 2] in _IN_ALL:
        targets = reading.binder.targets(mark.start, mark.stop, lambda element: element.count is not None)
        reading.settle("count", (mark.start, mark.stop), targets, lambda e: within(e.count, told), "count")
        return
    following = reading.marks[number + 1] if number + 1 < len(reading.marks) else None
    at = mark.stop
    while reading.word(at).isalpha() and at < mark.stop + 4:
        mention = reading.by_start.get(at)
        if (
            mention is not None
            and mention.kind == "class"
            and not (mention.mark.stop - at == 1 and reading.word(at) in _COUNTED and told.numeral)
        ):
            _count_of(reading, mark, told, at)
            return
        if reading.word(at) in _PARTS:
            targets = reading.binder.targets(mark.start, at + 1, lambda element: element.parts is not None)
            reading.settle("count", (mark.start, mark.stop), targets, lambda e: _parts(e, told), "parts")
            return
        if reading.word(at) in _COUNTED:
            _counted_quality(reading, mark, told, at)
            return
        if reading.word(at) in ("of", "more", "other") and reading.word(at - 1) not in GENERIC | _HEAPS:
            break
        at += 1
    digits = reading.text.words[mark.stop - 1][0].isdigit()
    if told.numeral and digits and not (following and following.start == mark.stop and following.kind == "place"):
        word = reading.text.words[mark.stop - 1]
        known = any(word in value for each in reading.known for value in (*each.names, *each.others))
        reading.add("number", mark.start, mark.stop, "supported" if known else "unsupported", None, None)


def _count_of(reading: Reading, mark: Mark, told: Quantity, at: int) -> None:
    mention = reading.by_start[at]
    if not mention.elements:
        reading.add("count", mark.start, mark.stop, "unsupported", None, None)
        return
    singles = sum(1 for each in mention.elements if each.count is None)
    wide = any(each.own not in mention.senses for each in mention.elements)

    def right(element: Known) -> bool | None:
        if mention.part:
            return None
        if element.count is not None:
            return within(element.count, told)
        if wide and told.high <= singles:
            return True  # two roads, of three streets, ramps and motorways
        return bool(within(singles, told) or within(element.parts, told))

    verdict = reading.settle("count", (mark.start, mark.stop), mention.elements, right, "count")
    if (
        verdict == "contradicted"
        and singles == len(mention.elements)
        and told.low <= len(mention.elements) <= told.high
    ):
        kind, span, _, element, fact = reading.found.pop()
        reading.found.append((kind, span, "supported", element, fact))


def _parts(element: Known, told: Quantity) -> bool | None:
    if element.parts is not None:
        return within(element.parts, told)
    measured = bool(element.course or element.shape) and element.shape != "several parts"
    return bool(told.low <= 1) if measured else None


def _counted_quality(reading: Reading, mark: Mark, told: Quantity, at: int) -> None:
    noun = reading.word(at).removesuffix("s")
    noun = _SAME.get(noun, noun)
    targets = reading.binder.targets(mark.start, at + 1, lambda element: element.qualities)

    def right(element: Known) -> bool | None:
        for quality in element.qualities:
            words = quality.split()
            if words[-1].removesuffix("s") == noun:
                value = _spelled(words[0])
                return None if value is None else within(value, told)
        return None

    reading.settle(
        "attribute" if told.numeral is False else "count", (mark.start, at + 1), targets, right, "attributes"
    )


_NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


def _spelled(word: str) -> float | None:
    if word.isdecimal():
        return float(word)
    return float(_NUMBERS.index(word)) if word in _NUMBERS else 1.0 if word == "single" else None
