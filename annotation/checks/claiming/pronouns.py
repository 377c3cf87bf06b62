"""Pronouns: which words are some, and what they stand for."""

from collections.abc import Sequence
from itertools import pairwise

from annotation.checks.claiming.known import Known
from annotation.checks.claiming.lexicon import PRONOUNS, RELATIVE
from annotation.checks.claiming.marks import FINITE, Mark
from annotation.checks.claiming.mentions import Mention
from annotation.checks.claiming.numerals import UNIT_WORDS
from annotation.checks.claiming.places import STARTERS
from annotation.checks.claiming.text import Text
from annotation.checks.claiming.vocabulary import WORDS

_FINITES = [[word] for word in FINITE]
_PAIRED = {"former": -2, "latter": -1}
"""Of the two things told last, which is meant."""
_EXTENTS = frozenset(("area", "land", "zone", "tract", "expanse", "plot", "parcel"))
_PLACES = {"first": 0, "second": 1, "third": 2}
_VERBS = FINITE - {"line", "lines", "house", "houses", "border", "borders", "feature", "features"}
_JOINED = 4
"""Words between two things that `and` joins: a comma, an article, an adjective."""
_BEFORE_SUBJECTS = WORDS["pronouns.before_subjects"]
_ORDERED = frozenset(("first", "last", "others"))
"""`The first two`: any of the things told so far."""


def antecedents(text: Text, mark: Mark, told: Sequence[Mention], clause: Sequence[int]) -> list[Known]:
    """What a pronoun may mean: `which` the thing just told, `it` the subject before."""
    word = text.words[mark.start]
    if not told:
        return []
    if word in RELATIVE:
        return list(told[-1].elements)
    listed = _listed(text, mark, [each for each in told if each.kind != "pronoun"])
    if listed is not None:
        return listed
    own = clause[mark.start]
    same = [each for each in told if each.subject and clause[each.mark.start] == own] if _is_object(text, mark) else []
    others = [each for each in told if each not in same]  # crosses it: not the subject of the same clause
    found: dict[str, Known] = {}
    for mention in _ranked(text, mark, others or told, clause):
        for element in mention.elements:
            found.setdefault(element.id, element)
        if not mention.elements and not found:
            return []
    subject = {element.id for each in same for element in each.elements} if others else set()
    if not subject.issuperset(found):
        found = {name: element for name, element in found.items() if name not in subject}
    return _of_number(word, list(found.values()))


def generic_antecedents(text: Text, mark: Mark, told: Sequence[Mention], clause: Sequence[int]) -> list[Known]:
    """What `this area` may mean: a thing told with that word, else as a pronoun, but no line where an area was told."""
    word = text.words[mark.start]
    for each in reversed(told):
        if each.kind == "class" and text.words[max(0, each.mark.start - 2) : each.mark.start] == [word, "of"]:
            return each.elements  # this band, after a band of grass
    meant = antecedents(text, mark, told, clause)
    if word not in _EXTENTS:
        return meant
    areas = [element for each in reversed(told) for element in each.elements if not element.is_line]
    return [element for element in meant if not element.is_line] or areas[:1] or meant


def _listed(text: Text, mark: Mark, named: Sequence[Mention]) -> list[Known] | None:
    """`The second`, `the latter`, `the first two`: of the things told so far; None for other pronouns."""
    word = text.words[mark.start]
    if word in _PLACES and text.words[mark.start + 1 : mark.start + 2] not in (["two"], ["three"]):
        kept = [each for each in named if each.elements]
        return list(kept[_PLACES[word]].elements) if _PLACES[word] < len(kept) else []
    if word in _ORDERED:
        return [element for each in named for element in each.elements]
    if word in _PAIRED:
        return list(_pair(text, named)[_PAIRED[word] if len(named) > 1 else -1].elements) if named else []
    return None


def _is_object(text: Text, mark: Mark) -> bool:
    """Whether `it` or `them` is what a verb or preposition governs; not in `ten of them`."""
    word, before = text.words[mark.start], text.words[mark.start - 1] if mark.start else "."
    measured = text.words[mark.start - 2] if mark.start > 1 else ""
    counted = before == "of" and (word == "them" or measured in UNIT_WORDS)
    return word in ("it", "them") and before not in _BEFORE_SUBJECTS and not counted


def _ranked(text: Text, mark: Mark, told: Sequence[Mention], clause: Sequence[int]) -> list[Mention]:
    """Mentions that a pronoun may stand for, the likeliest first: subjects of the sentence, then of the one before."""
    sentence, own = text.sentence[mark.start], clause[mark.start]
    here = [each for each in told if text.sentence[each.mark.start] == sentence]
    earlier = [each for each in told if text.sentence[each.mark.start] == sentence - 1]
    before = [each for each in here if each.subject and clause[each.mark.start] < own]
    ranked = (before or [each for each in here if each.subject])[:1]
    if not before:
        ranked += [each for each in earlier if each.subject][:1] + earlier[-1:]
    return [*_parallel(text, mark, here), *ranked, *here[-1:], told[-1]]


def _parallel(text: Text, mark: Mark, here: Sequence[Mention]) -> list[Mention]:
    """`North of the wood lies a meadow, and south of it a pond`: the wood."""
    if text.words[max(0, mark.start - 1) : mark.start] != ["of"]:
        return []
    return [each for each in here if "of" in text.words[max(0, each.mark.start - 2) : each.mark.start]
            and not STARTERS.isdisjoint(text.words[max(0, each.mark.start - 4) : each.mark.start])][:1]  # fmt: skip


def _of_number(word: str, found: list[Known]) -> list[Known]:
    """`They` are several if something told is; `it` is rather one thing."""
    several = [element for element in found if element.count is not None]
    if word in ("they", "their", "them", "these", "those") and several:
        return several
    return sorted(found, key=lambda element: element.count is not None) if word in ("it", "its") else found


def _pair(text: Text, named: Sequence[Mention]) -> Sequence[Mention]:
    """The last two things that `and` joins; if there are none, all."""
    for one, other in reversed(list(pairwise(named))):
        between = text.words[one.mark.stop : other.mark.start]
        if "and" in between[:2] and len(between) <= _JOINED:
            return one, other
    return named


def is_pronoun(text: Text, mark: Mark) -> bool:
    """Whether a word stands for a thing: `this` before a noun does not, nor does `that` after a verb."""
    word = text.words[mark.start]
    after = text.words[mark.stop] if mark.stop < len(text.words) else ""
    if word in ("this", "these", "those", "each", "one"):
        return after in FINITE or after in ("", ",", ".")
    if word in _ORDERED or word in _PLACES:
        number = after in ("two", "three", "four")
        following = text.words[mark.stop + number : mark.stop + number + 1]
        ends = word in _PLACES and following in (["."], [","], [";"])
        return text.words[max(0, mark.start - 1) : mark.start] == ["the"] and (following in _FINITES or ends)
    if word == "that":
        before = text.words[mark.start - 1] if mark.start else ""
        return (before.isalnum() or before in (",", "%")) and before not in _VERBS and after not in ("the", "a", "it")
    return word in PRONOUNS
