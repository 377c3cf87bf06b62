"""`Meadow and grass make up 27 and 23 %, respectively`: of which of several things each of several measures is."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from annotation.checks.claiming.marks import Mark
from annotation.checks.claiming.mentions import Mention
from annotation.checks.claiming.text import Text

_RESPECTIVELY = "respectively"
_JOINING = frozenset(
    (",", "and", "or", "of", "the", "about", "roughly", "around", "nearly", "some", "picture", "image")
)
"""Words between the measures of a list."""


def respective(text: Text, mentions: Sequence[Mention], marks: Sequence[Mark]) -> dict[int, Mention]:
    """The thing of each measure that is told respectively, by the measure's first word."""
    found: dict[int, Mention] = {}
    if _RESPECTIVELY not in text.words:
        return found
    for at in (at for at, word in enumerate(text.words) if word == _RESPECTIVELY):
        here = [mark for mark in marks if mark.kind == "quantity" and text.sentence[mark.start] == text.sentence[at]]
        for measures in _lists(text, here):
            things = _things_before(text, mentions, measures[0])[-len(measures) :]
            if len(things) == len(measures) > 1:
                found.update(zip((mark.start for mark in measures), things, strict=True))
    return found


def _lists(text: Text, measures: Sequence[Mark]) -> Iterator[list[Mark]]:
    """Measures that only commas, `and` and the like stand between."""
    several = list(measures[:1])
    for one, other in pairwise(measures):
        if _JOINING.issuperset(text.words[one.stop : other.start]):
            several.append(other)
            continue
        yield several
        several = [other]
    if several:
        yield several


def _things_before(text: Text, mentions: Sequence[Mention], measure: Mark) -> list[Mention]:
    """Things of the sentence told before a measure; a noun and its name are one."""
    things: list[Mention] = []
    for mention in mentions:
        if mention.mark.stop > measure.start or text.sentence[mention.mark.start] != text.sentence[measure.start]:
            continue
        if mention.kind not in ("class", "name") or not mention.elements:
            continue
        same = things and [each.id for each in things[-1].elements] == [each.id for each in mention.elements]
        things[-1:] = [mention] if same else [*things[-1:], mention]
    return things
