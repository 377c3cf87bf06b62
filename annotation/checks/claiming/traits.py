"""How things look: course, shape, arrangement, axis and other qualities, held against facts."""

from itertools import pairwise

from annotation.checks.claiming import verdicts
from annotation.checks.claiming.known import Known
from annotation.checks.claiming.lexicon import Meaning
from annotation.checks.claiming.marks import FINITE, Mark
from annotation.checks.claiming.reading import Reading
from annotation.checks.claiming.vocabulary import WORDS

_DENIALS = WORDS["traits.denials"]
_DENIED_WITHIN = 3
_RATHER = frozenset(
    (("from", "being"), ("so", "much"), ("rather", "than"), ("instead", "of"), ("far", "from"), ("anything", "but"))
)
_INVERTED = 5
_RATHER_WITHIN = 5
_OUTLINES = WORDS["traits.outlines"]
_ROUNDED = WORDS["traits.rounded"]
_CORNERS = ({"top-left", "bottom-right"}, {"top-right", "bottom-left"})
_PAVED = frozenset(("asphalt", "concrete", "paved", "cobblestone", "paving"))
_UNPAVED = frozenset(("unpaved", "gravel", "dirt", "ground", "grass", "compacted", "earth", "sand", "bare"))
_EXCLUSIVE = frozenset(("surface", "roof", "trees"))
"""Last words of qualities of which a thing has one only."""


def course(reading: Reading, mark: Mark, _: int, meaning: Meaning) -> bool:
    """`Winding`: how a line runs; the straight sides of something else are no course."""
    if reading.word(mark.stop) in _OUTLINES:
        return True
    bends(reading, (mark.start, mark.stop), meaning)
    return True


def _inverts(reading: Reading, stop: int) -> list[Known] | None:
    """`South of it winds a driveway`: the thing after its verb."""
    after = reading.binder.next_mention(stop)
    follows = reading.word(stop) in ("a", "an") and after is not None and after.mark.start <= stop + _INVERTED
    return list(after.elements) if follows and after is not None else None


def bends(reading: Reading, span: tuple[int, int], meaning: Meaning) -> None:
    """Holds a course against that of the line that is spoken of."""
    targets = _inverts(reading, span[1]) or reading.binder.targets(*span, lambda element: element.course)
    denied = _is_denied(reading, span[0])

    def holds(element: Known) -> bool | None:
        return (element.course in meaning.true) != denied if element.course else None

    reading.settle("course", span, targets, holds, "course")


def _is_denied(reading: Reading, at: int) -> bool:
    """Whether a word of denial stands close before: not curved, neither of them is winding."""
    if any(pair in _RATHER for pair in pairwise(reading.text.words[max(0, at - _RATHER_WITHIN) : at])):
        return True
    first = max(0, at - _DENIED_WITHIN)
    near = reading.text.words[first:at]
    if "but" in near:
        return False  # not straight but winding
    clause = [k for k in range(at) if reading.clause[k] == reading.clause[at]]
    return any(word in _DENIALS and "," not in near[number:] for number, word in enumerate(near)) or any(
        reading.word(k) == "neither"
        and reading.word(k + 1) != "end"
        and not FINITE.isdisjoint(reading.text.words[k:at])
        for k in clause
    )


def shape(reading: Reading, mark: Mark, _: int, meaning: Meaning) -> bool:
    """`L-shaped`, `a strip`; rounded corners are no shape."""
    if reading.word(mark.stop) in _ROUNDED and meaning.value != "irregular":
        return True

    def holds(element: Known) -> bool | None:
        if "elongated" in meaning.true and element.axis is not None and not element.is_line:
            return True
        if meaning.value == "several parts" and element.parts is not None:
            return element.parts > 1
        return element.shape in meaning.true if element.shape else None

    targets = reading.binder.targets(mark.start, mark.stop, lambda element: element.shape)
    reading.settle("shape", (mark.start, mark.stop), targets, holds, "shape")
    return True


def arranged(reading: Reading, mark: Mark, _: int, meaning: Meaning) -> bool:
    """`In a row`, `scattered`."""
    targets = reading.binder.targets(mark.start, mark.stop, lambda element: element.arranged)
    reading.settle(
        "position",
        (mark.start, mark.stop),
        targets,
        lambda e: e.arranged in meaning.true if e.arranged else None,
        "arrangement",
    )
    return True


def axis(reading: Reading, mark: Mark, _: int, meaning: Meaning) -> bool:
    """`Diagonally`, `from top to bottom`."""

    def holds(element: Known) -> bool | None:
        if element.axis is None and meaning.value == "diagonally":
            return True if any(pair <= element.cells for pair in _CORNERS) else None
        return verdicts.on_axis(element, meaning.true)

    targets = reading.binder.targets(mark.start, mark.stop, lambda element: element.axis is not None, place=True)
    reading.settle("direction", (mark.start, mark.stop), targets, holds, "orientation")
    return True


def attribute(reading: Reading, mark: Mark, _: int, meaning: Meaning) -> bool:
    """`Asphalt surface`, `overhead wires`."""
    targets = reading.binder.targets(mark.start, mark.stop, lambda element: element.qualities)
    reading.settle("attribute", (mark.start, mark.stop), targets, lambda e: _has(e, meaning), "attributes")
    return True


def _has(element: Known, meaning: Meaning) -> bool | None:
    """Whether an element has a quality; false where it has another of a kind of which there is one only."""
    (sought,) = meaning.true
    if any(sought in quality for quality in element.qualities):
        return True
    first, *_, last = words = sought.split()
    if len(words) < 2 or last not in _EXCLUSIVE:
        return None
    others = [own for own in map(str.split, element.qualities) if own[-1] == last]
    if last == "surface" and any({first, own[0]} & {"paved", "unpaved"} and _same(first, own[0]) for own in others):
        return True
    return False if others else None


def _same(one: str, other: str) -> bool:
    """Whether both surfaces are paved, or both unpaved."""
    return {one, other} <= _PAVED or {one, other} <= _UNPAVED
