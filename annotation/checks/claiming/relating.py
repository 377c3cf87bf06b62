"""How one thing is said to stand to another: crossing, inside, beside, between, north of."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Literal

from annotation.checks.claiming import standing, traits
from annotation.checks.claiming.known import Known
from annotation.checks.claiming.lexicon import Meaning
from annotation.checks.claiming.marks import DETERMINERS, Mark
from annotation.checks.claiming.mentions import Mention
from annotation.checks.claiming.places import Place
from annotation.checks.claiming.reading import Reading, Verdict
from annotation.checks.claiming.subjects import REACH, STANDING, attached, subjects_of
from annotation.checks.claiming.vocabulary import WORDS

Span = tuple[int, int]

_AGENT_AFTER = frozenset((",", "lies", "lie", "stands", "stand", "sits", "sit", "lying", "standing", "hard"))
"""Words after which `by` means beside; elsewhere it names an agent: covered by."""
_SPREADING = frozenset(("over", "across", "through"))
_PARTING = ("divid", "split", "separat", "cut")
"""Verbs that part one thing from another."""
_SHARP = frozenset(("crosses", "crossed", "inside", "touches", "outside"))
"""Relations that are clear enough to be held against what a pronoun most likely means."""
_ASIDE = 10
_DENIALS = frozenset(("not", "never", "without"))
_DENIED_WITHIN = 2
_NOT_GOVERNED = WORDS["relating.not_governed"]
_OPEN_KINDS = frozenset(("picture", "place", "rel", "edge"))


def relation(reading: Reading, mark: Mark, number: int, meaning: Meaning) -> bool:
    """`Crosses the wood`; true where there is a thing that something stands to."""
    if mark.stop - mark.start == 1 and reading.word(mark.start - 1) in DETERMINERS:
        return False  # a cross
    course = reading.lexicon.alone(reading.word(mark.start)) if mark.stop - mark.start > 1 else ()
    if course and course[0].kind == "course":  # winds through the wood
        traits.bends(reading, (mark.start, mark.start + 1), course[0])
    if "straight" in reading.text.words[mark.start + 1 : mark.stop]:  # runs straight through the wood
        straight = reading.text.words.index("straight", mark.start)
        traits.bends(reading, (straight, straight + 1), reading.lexicon.alone("straight")[0])
    mention = object_of(reading, mark)
    if _is_picture_subject(reading, mark, number) or (
        meaning.value == "contains" and _is_place_subject(reading, mark, number)
    ):
        return True
    if mention is None or (reading.word(mark.start) == "by" and _names_agent(reading, mark.start)):
        return False
    if meaning.value == "between":
        return _between(reading, mark, mention)
    if not (reading.word(mark.start).startswith(_PARTING) and reading.word(mention.mark.stop) == "from"):
        _relate_told(reading, mark, meaning, mention)
    return True


def _relate_told(reading: Reading, mark: Mark, meaning: Meaning, mention: Mention) -> None:
    """Adds the claim that the subject stands so to a mention."""
    subjects, others = subjects_of(reading, mark, mention), mention.elements
    if reading.word(mark.stop) in ("which", "whom") and mention.mark.start == mark.stop == mark.start + 1:
        passing = reading.binder.next_mention(mention.mark.stop)  # a wood through which a path passes
        subjects = list(passing.elements) if passing else []
    if reading.word(mark.start) in _SPREADING:  # scattered over the meadow
        subjects = [element for element in subjects if element.is_line]
    if mention.kind == "pronoun" and not subjects and meaning.value in _SHARP:  # crosses it: not the subject
        subjects = (reading.binder.subjects(mark.start) or [])[:1]
        others = [element for element in others if element not in subjects][:1]
    brought = attached(reading, mark) if mention.kind == "pronoun" else None
    if brought is not None:
        subjects = list(brought.elements)
        others = [each for each in reading.binder.subjects(brought.mark.start) or others if each not in subjects]
    weak = mention.kind == "pronoun" and (meaning.value not in _SHARP or reading.word(mark.start) == "in")
    relate(reading, (mark.start, mention.mark.stop), subjects, meaning.value, others, weak=weak)


def _names_agent(reading: Reading, at: int) -> bool:
    """Whether `by` names who does it: covered by, crossed, in its lower part, by; elsewhere it means beside."""
    if reading.word(at - 1) not in _AGENT_AFTER:
        return True
    before = reading.text.words[max(0, at - _ASIDE) : at - 1]
    return any(word.endswith("ed") and before[k + 1 : k + 2] == [","] for k, word in enumerate(before))


def relate(
    reading: Reading, span: Span, ones: Sequence[Known], name: str, others: Sequence[Known], *, weak: bool = False
) -> None:
    """Adds the claim that one of some elements stands in a relation to one of others; a weak one is never false."""
    denied = _is_denied(reading, span[0])

    def stands(one: Known, other: Known) -> bool | None:
        held = standing.stands(one, name, other)
        if denied:
            return None if held is None else not held
        return None if weak and held is False else held

    _settle(reading, "relation", span, ones, others, stands)


def _is_denied(reading: Reading, start: int) -> bool:
    """Whether a relation is denied: does not cross it, without touching the wood."""
    before = reading.text.words[max(0, start - _DENIED_WITHIN) : start]
    return bool(before) and (not _DENIALS.isdisjoint(before) or before[-1].endswith("n't")) and "," not in before


def towards(reading: Reading, span: Span, ones: Sequence[Known], place: Place, others: Sequence[Known]) -> None:
    """Adds the claim that one of some elements lies in a direction from one of others."""
    _settle(reading, "direction", span, ones, others, lambda one, other: standing.lies_towards(one, place, other))


def object_of(reading: Reading, mark: Mark) -> Mention | None:
    """The thing that a relation governs: the next one, with nothing but its adjectives before it."""
    mention = reading.binder.next_mention(mark.stop)
    if mention is None or mention.mark.start > mark.stop + REACH:
        return None
    between = reading.text.words[mark.stop : mention.mark.start]
    possessive = reading.word(mention.mark.start) in ("its", "their") and mention.kind == "pronoun"
    if possessive and any(each.kind == "place" and each.start == mention.mark.stop for each in reading.marks):
        return None  # traverses its lower third
    if any(not word.isalnum() or word in _NOT_GOVERNED or word in STANDING for word in between):
        return None
    first = bisect_left(reading.marks, mark.stop, key=lambda each: each.start)
    for each in reading.marks[first:]:
        if each.start >= mention.mark.start:
            break
        if each.kind in _OPEN_KINDS:
            return None
    return mention


def _between(reading: Reading, mark: Mark, first: Mention) -> bool:
    """`Between the wood and the lake`; flanked by one thing only is something else."""
    second = reading.binder.next_mention(first.mark.stop)
    if second is not None and second.kind == "name" and second.mark.start == first.mark.stop:
        first, second = second, reading.binder.next_mention(second.mark.stop)  # the river Tamber
    if second is not None:
        apart = reading.text.words[first.mark.stop : second.mark.start]
        placed = apart[:1] in (["to"], ["in"], ["on"])  # between a wood to the north and a lake
        second = second if "and" in apart[: REACH if placed else 2] else None
    if second is None and reading.word(mark.start) == "flanked":
        return False
    others = second.elements if second else first.elements[1:]
    sides = {element.id for element in (*first.elements, *others)}
    targets = [element for element in subjects_of(reading, mark, first) if element.id not in sides]
    after = reading.binder.next_mention(second.mark.stop) if second else None
    trios = [
        (one, side, other)
        for one in targets or (after.elements if after else ())
        for side in first.elements
        for other in others
        if len({one.id, side.id, other.id}) == len(("one", "side", "other"))
    ]
    if trios:
        held = [standing.lies_between(*trio) for trio in trios]
        verdict: Verdict = "supported" if True in held else "contradicted" if False in held else "unsupported"
        reading.add("relation", mark.start, first.mark.stop, verdict, trios[0][0].id, "relation")
    return True


def _is_picture_subject(reading: Reading, mark: Mark, number: int) -> bool:
    """`The picture contains a wood`: no thing does."""
    before = reading.marks[number - 1] if number else None
    if before is None or before.kind != "picture" or before.stop != mark.start:
        return False
    clause = reading.clause[mark.start]
    return not any(
        told.mark.start < mark.start and reading.clause[told.mark.start] == clause for told in reading.mentions
    )


def _is_place_subject(reading: Reading, mark: Mark, number: int) -> bool:
    """`The top right holds a pond`, `the corner, 62 m further east, holds a ramp`: a part of the picture does."""
    for before in reversed(reading.marks[:number]):
        if before.kind == "place":
            if reading.word(before.start - 1) != "the" or not reading.same_sentence(before, mark):
                continue
            opens = before.start < 2 or reading.text.opens_sentence(before.start - 1)
            return opens or reading.word(before.start - 2) in (",", ";", "and", "while")
        if before.start in reading.by_start:
            return False
    return False


def _settle(
    reading: Reading,
    kind: Literal["relation", "direction"],
    span: Span,
    ones: Sequence[Known],
    others: Sequence[Known],
    test: Callable[[Known, Known], bool | None],
) -> None:
    """Adds a claim on pairs: one pair is enough to bear it out, but only the likeliest subject can contradict it."""
    pairs = [(one, other) for one in ones for other in others if one.id != other.id]
    if not pairs:
        return
    held = [test(one, other) for one, other in pairs]
    first = [verdict for verdict, (one, _) in zip(held, pairs, strict=True) if one is pairs[0][0]]
    verdict: Verdict = "supported" if True in held else "contradicted" if False in first else "unsupported"
    chosen = held.index(True) if True in held else 0
    reading.add(kind, *span, verdict, pairs[chosen][0].id, kind)
