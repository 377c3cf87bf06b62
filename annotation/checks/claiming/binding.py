"""Which thing a claim speaks of: the noun it describes, the subject of its clause, the thing told last."""

from bisect import bisect_left
from collections.abc import Callable, Sequence

from annotation.checks.claiming.known import Known
from annotation.checks.claiming.marks import DETERMINERS, FINITE, Mark
from annotation.checks.claiming.mentions import ROLES, Mention
from annotation.checks.claiming.places import STARTERS
from annotation.checks.claiming.respective import respective
from annotation.checks.claiming.text import Text
from annotation.checks.claiming.vocabulary import WORDS
from annotation.checks.claiming.word_order import HEDGING, INVERTED, PREPOSITIONS, WordOrder

Applies = Callable[[Known], object]

_STOPPERS = WORDS["binding.stoppers"]
_FINITES = [[word] for word in FINITE]
_BESIDE = 3
"""Words between a thing and what is surely said of it: a comma, a verb, a hedge."""


class Binder(WordOrder):
    """Finds what claims speak of."""

    def __init__(
        self,
        text: Text,
        mentions: Sequence[Mention],
        clause: Sequence[int],
        marks: Sequence[Mark],
        elements: Sequence[Known],
    ) -> None:
        """Takes the mentions of a caption in order, the clause of each word, all marks, and all that is known.

        `respective` holds of which thing a measure is that is told respectively, by the measure's first word.
        """
        super().__init__(text, mentions, clause, marks)
        self.elements = elements
        self.respective = respective(text, mentions, marks)

    def targets(self, start: int, stop: int, applies: Applies, *, place: bool = False) -> list[Known] | None:
        """Elements that a claim may speak of, the likeliest first; None if it is a thing that no element is.

        Args:
            start: first word of the claim.
            stop: after its last word.
            applies: whether an element has the fact that is claimed.
            place: whether it is a place, which may stand before what lies there.
        """
        meant = self._by_order(start, stop, place=place)
        if meant:
            return self._known(meant)
        chosen = self._before(start) or self._fronting(start, stop) or self._earlier(start)
        if chosen and not chosen[0].elements and chosen[0].kind != "pronoun":
            return None
        if not chosen:
            return list(self.elements)
        fitting = [mention for mention in chosen if any(applies(element) for element in mention.elements)]
        return self._known(fitting or chosen)

    def _by_order(self, start: int, stop: int, *, place: bool) -> list[Mention]:
        """What the order of words says: the noun described, what follows a fronted place, an agent; else nothing."""
        described = self.respective.get(start) or self._described(start, stop)
        if described is not None:
            return [described]
        if not place and (beside := self._of_noun(start)) is not None:
            return [beside]
        if place and self.is_fronted(start, stop) and (following := self.next_mention(self.past_aside(stop))):
            second = self.next_mention(following.mark.stop) if following.kind == "pronoun" else None
            return [following, second] if second else [following]
        if self.is_passive(stop) or self.agent_follows(start, stop):
            following = self.next_mention(stop)
            if following is not None and following.kind == "pronoun":  # half of it is covered by a wood
                following = self.next_mention(following.mark.stop) or following
            if following is not None:
                return [following]
        last = self.inverted(start, stop)
        return [last] if last is not None else []

    def _of_noun(self, start: int) -> Mention | None:
        """The noun or name before `of` and a claim: Fifth Street of 288 m is crossed by a motorway."""
        while start > 1 and self.text.words[start - 1] in HEDGING:
            start -= 1
        at = bisect_left(self._starts, start) - 1
        if start == 0 or self.text.words[start - 1] != "of" or at < 0:
            return None
        mention = self.mentions[at]
        return mention if mention.mark.stop == start - 1 and mention.kind in ("class", "name") else None

    def is_close(self, start: int, stop: int) -> bool:
        """Whether a claim stands right beside the noun or name that it is about: `a street of 250 m`, `rock (19%)`."""
        described = self.respective.get(start) or self._described(start, stop)
        if described is not None:
            return described.kind in ("class", "name")
        at = bisect_left(self._starts, start) - 1
        if at < 0 or self.mentions[at].kind not in ("class", "name"):
            return False
        between = self.text.words[self.mentions[at].mark.stop : start]
        return len(between) <= _BESIDE and "and" not in between

    def subjects(self, start: int) -> list[Known] | None:
        """Elements that a relation may speak of, which no noun after it describes; None as in `targets`."""
        return self._known(self._before(start) or self._fronting(start, start + 1) or self._earlier(start))

    def _known(self, mentions: Sequence[Mention]) -> list[Known] | None:
        if mentions and not mentions[0].elements:
            return None
        found = {element.id: element for mention in mentions for element in mention.elements}
        return list(found.values())

    def _described(self, start: int, stop: int) -> Mention | None:
        """The noun that a claim stands before: a winding road, 38 houses, 300 metres of hedge."""
        at = bisect_left(self._starts, stop)
        if at == len(self.mentions):
            return None
        mention = self.mentions[at]
        between = self.text.words[stop : mention.mark.start]
        if mention.kind == "pronoun":
            return mention if between == ["of"] and self.text.words[mention.mark.start] in ("it", "them") else None
        if "of" in between[:3] and not any(word in _STOPPERS - {"of"} or not word.isalnum() for word in between):
            return mention if start == 0 or self.text.words[start - 1] != "the" else None
        words = self.text.words
        coordinate = between[:1] == [","] and start and words[start - 1] in DETERMINERS and words[start] not in STARTERS
        if coordinate and len(between) > 1:
            between = [word for word in between[1:] if word != "one"]  # the straight, 245 m long; one-way
        if len(between) > 3 or any(
            word in _STOPPERS
            or word in ROLES
            or word in DETERMINERS
            or word in FINITE
            or not (word.isalnum() or word[0].isdigit())
            or word in INVERTED
            for word in between
        ):
            return None
        return mention

    def _before(self, start: int) -> list[Mention]:
        """Things told before in the same clause: nearest, or the subject where a verb of its own follows."""
        clause = self.clause[start]
        at = bisect_left(self._starts, start) - 1
        here = []
        while at >= 0 and self.clause[self._starts[at]] == clause:
            here.append(self.mentions[at])
            at -= 1
        if not here:
            return []
        nearest, subjects = here[0], [mention for mention in here if mention.subject]
        between = self.text.words[nearest.mark.stop : start]
        verb = not FINITE.isdisjoint(between)
        if nearest.subject:
            joined = len(here) > 1 and "and" in self.text.words[here[1].mark.stop : nearest.mark.start]
            if nearest.kind == "pronoun" or between[:1] in _FINITES or PREPOSITIONS.issuperset(between):
                return [nearest]
            other = here[1] if verb and joined else subjects[-1]
            return [nearest] if other is nearest or (verb and not joined) else [nearest, other]
        if not subjects:
            return [nearest] if nearest is here[-1] else [nearest, here[-1]]
        if verb:
            return [subjects[0]]
        goes_on = between == ["and"] and self.text.words[start].endswith("ing")  # crossing a road and touching a wood
        return [subjects[0], nearest] if "," in between or goes_on else [nearest, subjects[0]]

    def _fronting(self, start: int, stop: int) -> list[Mention]:
        following = self.next_mention(stop)
        return (
            [following] if following is not None and self.clause[following.mark.start] <= self.clause[start] + 1 else []
        )

    def _earlier(self, start: int) -> list[Mention]:
        """Subject and last thing of what was told before."""
        at = bisect_left(self._starts, start) - 1
        if at < 0:
            return [self.mentions[0]] if self.mentions else []
        last = self.mentions[at]
        clause = self.clause[last.mark.start]
        subject = last
        while at >= 0 and self.clause[self.mentions[at].mark.start] == clause:
            subject = self.mentions[at] if self.mentions[at].subject else subject
            at -= 1
        return [subject] if subject is last else [subject, last]
