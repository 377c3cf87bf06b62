"""Counts held against facts: of things, of their parts, of what is counted about them."""

from annotation.checks.claiming.known import Known
from annotation.checks.claiming.lexicon import GENERIC
from annotation.checks.claiming.marks import DETERMINERS, FINITE, Mark
from annotation.checks.claiming.mentions import Mention
from annotation.checks.claiming.numbers import Quantity
from annotation.checks.claiming.reading import Kind, Reading, Verdict
from annotation.checks.claiming.verdicts import within
from annotation.checks.claiming.vocabulary import WORDS

_PARTS = WORDS["counts.parts"]
_HEAPS = WORDS["counts.heaps"]
_COUNTED = WORDS["counts.counted"]
_SAME = {"floor": "storey", "level": "storey", "story": "storey", "storie": "storey", "carriageway": "lane"}
_MEASURING = frozenset(("with", "at", "against", "only", "measures", "for"))
_ROUNDED = 0.06
_NEARLY = 0.02
"""Share of a number that rounding it and the number beside it may cost."""
_WHOLE = 0.5
"""What rounding to whole metres may cost."""
_REACH = 4
"""Words between a number and what it counts."""
_IN_ALL = (["of", "them"], ["in", "number"], ["in", "total"], ["in", "all"], ["all", "told"])


def count(reading: Reading, mark: Mark, told: Quantity, number: int) -> None:
    """How many: of a thing, of parts, of lanes and storeys; other bare numbers stand in a fact or are invented."""
    parts = [at for at in range(max(0, mark.start - _REACH), mark.start) if reading.word(at) in _COUNTED]
    if parts and reading.text.words[mark.stop : mark.stop + 2] == ["of", "them"]:  # cables, six of them
        _counted_quality(reading, mark, told, parts[-1])
        return
    if reading.text.words[mark.stop : mark.stop + 2] in _IN_ALL:
        targets = reading.binder.targets(mark.start, mark.stop, lambda element: element.count is not None)
        reading.settle("count", (mark.start, mark.stop), targets, lambda e: within(e.count, told), "count")
        return
    at = _counted(reading, mark, told)
    if at is None:
        _bare(reading, mark, told, number)
    elif reading.word(at) in _COUNTED and told.numeral and _counts_parts(reading, at):
        _counted_quality(reading, mark, told, at)
    elif at in reading.by_start:
        _count_of(reading, mark, told, at)
    else:
        targets = reading.binder.targets(mark.start, at + 1, lambda e: e.parts is not None or e.count is not None)
        reading.settle("count", (mark.start, mark.stop), targets, lambda e: _parts(e, told), "parts")


def _counted(reading: Reading, mark: Mark, told: Quantity) -> int | None:
    """Where the word stands for what is counted; None where nothing is."""
    at = mark.stop
    while reading.word(at).isalpha() and at < mark.stop + _REACH:
        word = reading.word(at)
        mention = reading.by_start.get(at)
        lane = word in _COUNTED and told.numeral and _counts_parts(reading, at)
        if lane or (mention is not None and mention.kind == "class"):
            return at
        if word in _PARTS | _COUNTED or (word in _HEAPS and reading.word(at + 1) != "of"):
            return at  # grass in five patches
        if reading.word(at + 1) in _COUNTED and reading.text.joined[at + 1]:
            at += 2  # three two-lane streets
            continue
        if _ends_phrase(reading, at, first=at == mark.stop):
            return None
        at += 1
    return None


def _counts_parts(reading: Reading, at: int) -> bool:
    mention = reading.by_start.get(at)
    graded = "grade" in reading.text.words[max(0, at - _REACH) : at]  # a grade 3 track
    return mention is None or graded or _may_be_part(reading.word(at), mention)


def _may_be_part(word: str, mention: Mention) -> bool:
    """Whether a noun may as well be counted as a part: the tracks of a railway, but not one straight farm track."""
    return mention.mark.stop - mention.mark.start == 1 and not any(word in each.heads for each in mention.elements)


def _ends_phrase(reading: Reading, at: int, *, first: bool) -> bool:
    """`Two ways thread the wood`, `between the two passes a track`: what follows is not counted."""
    word, before = reading.word(at), reading.word(at - 1)
    article = (word in DETERMINERS and not first) or (word == "and" and first)  # garages number 50 and houses 138
    verb = word in FINITE and before not in DETERMINERS
    return article or verb or (word in ("of", "more", "other") and before not in GENERIC | _HEAPS)


def _bare(reading: Reading, mark: Mark, told: Quantity, number: int) -> None:
    """A number that counts nothing: it stands for a count or a measure of something told, or in a tag."""
    following = reading.marks[number + 1] if number + 1 < len(reading.marks) else None
    at_place = following is not None and following.start == mark.stop and following.kind == "place"
    word = reading.word(mark.stop - 1)
    if not told.numeral or not word[0].isdigit() or at_place:
        return
    span = (mark.start, mark.stop)
    if following is not None and _shares_unit(reading, mark, told, following):
        return
    beside = next((each for each in reading.mentions if each.mark.stop == told.start), None)
    if beside and any(_is_percent(each, told) for each in beside.elements):
        reading.add("share", *span, "supported", beside.elements[0].id, "share")
        return  # the wood takes 37 percent, the farmland 28
    if any(within(each.count, told) for each in reading.told()):  # which number 263
        reading.add("count", *span, "supported", None, "count")
        return
    graded = (f"{reading.word(mark.start - 1)}{word}",)  # of grade 3
    said = told.start < mark.start or reading.word(mark.start - 1) in _MEASURING  # the latter just under 160
    measured = said and any(_measures(each, told) for each in reading.told())
    known = measured or any(graded in each.others for each in reading.known)
    known = known or any(word in value for each in reading.known for value in (*each.names, *each.others))
    reading.add("number", *span, "supported" if known else "unsupported", None, None)


def _shares_unit(reading: Reading, mark: Mark, told: Quantity, following: Mark) -> bool:
    """`10.4 and 12.1 percent`: the unit stands after the second number only. Adds the claim."""
    respective = reading.binder.respective.get(mark.start)
    joined = reading.text.words[mark.stop : following.start] in (["and"], ["or"], ["to"])
    if not joined or following.kind != "quantity" or following.content.kind == "count":
        return False
    kind, spelled = following.content.kind, reading.word(following.start)
    number = float(spelled.replace(",", "")) if spelled.replace(",", "").replace(".", "", 1).isdecimal() else 0.0
    if not number:
        return False
    unit = (following.content.low + following.content.high) / 2 / number
    half = 0.5 * 10.0 ** -len(reading.word(mark.stop - 1).partition(".")[2])
    low, high = ((bound + sign * max(_NEARLY * bound, half)) * unit for bound, sign in ((told.low, -1), (told.high, 1)))
    meant = respective.elements if respective else reading.told()
    values = (value for each in meant for value in _of_kind(each, kind) if value is not None)
    held = any(low <= value <= high for value in values)
    told_kind: Kind = "share" if kind == "share" else "number"
    verdict: Verdict = "supported" if held else "contradicted"
    reading.add(told_kind, mark.start, mark.stop, verdict, None, kind)
    return True


def _of_kind(element: Known, kind: str) -> tuple[float | None, ...]:
    if kind == "share":
        return (element.share,)
    return (element.area,) if kind == "area" else (element.length, element.spacing)


def _is_percent(element: Known, told: Quantity) -> bool:
    return bool(within(None if element.share is None else 100 * element.share, told, _WHOLE))


def _measures(element: Known, told: Quantity) -> bool:
    """Whether a number without its unit is a length, or an area in square metres or hectares."""
    hectares = None if element.area is None else element.area / 1e4
    slack = _WHOLE if told.low == told.high and float(told.low).is_integer() else _ROUNDED
    return within(hectares, told, _ROUNDED) or any(
        within(value, told, slack) for value in (element.length, element.area)
    )


def _count_of(reading: Reading, mark: Mark, told: Quantity, at: int) -> None:
    mention = reading.by_start[at]
    if not mention.elements:
        reading.add("count", mark.start, mark.stop, "unsupported", None, None)
        return
    singles = sum(1 for each in mention.elements if each.count is None)
    wide = any(each.own not in mention.senses for each in mention.elements)

    kin = sum(1 for each in reading.known if not each.kinds.isdisjoint(mention.senses))

    def right(element: Known) -> bool | None:
        if mention.part:
            return None
        if element.count is not None:
            return within(element.count, told)
        if singles < told.low <= kin <= told.high and mention.kind == "class":
            return True  # three railway lines, of a track and two sidings
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
    if element.parts is not None or element.count is not None:
        return bool(within(element.parts, told) or within(element.count, told))
    measured = bool(element.course or element.shape) and element.shape != "several parts"
    return bool(told.low <= 1) if measured else None


def _counted_quality(reading: Reading, mark: Mark, told: Quantity, at: int) -> None:
    noun = reading.word(at).removesuffix("s")
    noun = _SAME.get(noun, noun)
    graded = f"{reading.word(mark.start - 1)}{reading.word(mark.stop - 1)}"  # a grade 3 track
    if any((graded,) in element.others for element in reading.known):
        reading.add("attribute", mark.start, mark.stop, "supported", None, "tags")
        return

    def tells(element: Known) -> bool:
        return bool(element.qualities) or noun in element.tagged.counts

    def right(element: Known) -> bool | None:
        if noun in element.tagged.counts:
            return any(within(value, told) for value in element.tagged.counts[noun])
        for quality in element.qualities:
            words = quality.split()
            if words[-1].removesuffix("s") == noun:
                value = _spelled(words[0])
                return None if value is None else within(value, told)
        return None

    targets = reading.binder.targets(mark.start, at + 1, tells) or []
    if not any(tells(element) for element in targets):
        targets = [element for element in reading.known if noun in element.tagged.counts] or targets
    span = (mark.start, max(mark.stop, at + 1))  # cables, six of them
    reading.settle("attribute" if told.numeral is False else "count", span, targets, right, "attributes")


_NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


def _spelled(word: str) -> float | None:
    if word.isdecimal():
        return float(word)
    return float(_NUMBERS.index(word)) if word in _NUMBERS else 1.0 if word == "single" else None
