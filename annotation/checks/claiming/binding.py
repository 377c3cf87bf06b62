"""Which thing a claim speaks of: the noun it describes, the subject of its clause, the thing told last."""

from bisect import bisect_left
from collections.abc import Callable, Sequence

from annotation.checks.claiming.known import Known
from annotation.checks.claiming.marks import DETERMINERS, FINITE, Mark
from annotation.checks.claiming.mentions import ROLES, Mention
from annotation.checks.claiming.places import STARTERS
from annotation.checks.claiming.text import Text
from annotation.checks.claiming.vocabulary import WORDS

Applies = Callable[[Known], object]

_INVERTED = WORDS["binding.inverted"]
_PREPOSITIONS = WORDS["binding.prepositions"]
_OPENING = frozenset((",", "and", "while", "whereas", "but", "with", ";", "plus", "where", ":", "("))
_STOPPERS = WORDS["binding.stoppers"]
_PASSIVE = ("covered", "occupied", "filled", "taken", "dominated", "claimed", "made", "crossed", "held", "used",
            "given", "devoted", "occupy", "consumed", "blanketed")  # fmt: skip
_INDEFINITE = frozenset(("a", "an", "several", "some", "another", "the", "many", "there"))
_PASSED = frozenset((",", "from", "to", "image", "frame", "picture", "scene", "view", "photo"))
_HEDGING = frozenset(("about", "some", "roughly", "nearly", "almost", "around", "approximately", "just", "over",
                      "under", "close", "to", "well", "slightly", "directly", "immediately"))  # fmt: skip
_FINITES = [[word] for word in FINITE]
_REACH = 8
_FAR = 16
_BESIDE = 3
"""Words between a thing and what is surely said of it: a comma, a verb, a hedge."""


class Binder:
    """Finds what claims speak of.

    Attributes:
        mentions: all of a caption, in order.
    """

    def __init__(
        self,
        text: Text,
        mentions: Sequence[Mention],
        clause: Sequence[int],
        marks: Sequence[Mark],
        elements: Sequence[Known],
    ) -> None:
        """Takes the mentions of a caption in order, the clause of each word, all marks, and all that is known."""
        self.elements = elements
        self._numbers = {mark.start for mark in marks if mark.kind == "quantity"}
        self._after_pictures = {mark.start: mark.stop for mark in marks if mark.kind == "picture"}
        self.text = text
        self.mentions = mentions
        self.clause = clause
        self._starts = [mention.mark.start for mention in mentions]

    def targets(self, start: int, stop: int, applies: Applies, *, place: bool = False) -> list[Known] | None:
        """Elements that a claim may speak of, the likeliest first; None if it is a thing that no element is.

        Args:
            start: first word of the claim.
            stop: after its last word.
            applies: whether an element has the fact that is claimed.
            place: whether it is a place, which may stand before what lies there.
        """
        described = self._described(start, stop)
        if described is not None:
            return self._known([described])
        if place and self.is_fronted(start, stop):
            following = self.next_mention(self._past_aside(stop))
            if following is not None:
                second = self.next_mention(following.mark.stop) if following.kind == "pronoun" else None
                return self._known([following, second] if second else [following])
        if self.is_passive(stop) or self._agent_follows(start, stop):
            following = self.next_mention(stop)
            if following is not None and following.kind == "pronoun":  # half of it is covered by a wood
                following = self.next_mention(following.mark.stop) or following
            if following is not None:
                return self._known([following])
        inverted = self._inverted(start, stop)
        if inverted is not None:
            return self._known([inverted])
        chosen = self._before(start) or self._fronting(start, stop) or self._earlier(start)
        if chosen and not chosen[0].elements and chosen[0].kind != "pronoun":
            return None
        if not chosen:
            return list(self.elements)
        fitting = [mention for mention in chosen if any(applies(element) for element in mention.elements)]
        return self._known(fitting or chosen)

    def is_close(self, start: int, stop: int) -> bool:
        """Whether a claim stands right beside the noun or name that it is about: `a street of 250 m`, `rock (19%)`."""
        described = self._described(start, stop)
        if described is not None:
            return described.kind in ("class", "name")
        at = bisect_left(self._starts, start) - 1
        if at < 0 or self.mentions[at].kind not in ("class", "name"):
            return False
        between = self.text.words[self.mentions[at].mark.stop : start]
        return len(between) <= _BESIDE and "and" not in between

    def _inverted(self, start: int, stop: int) -> Mention | None:
        """What an opening phrase speaks of whose subject comes last: `south of it, filling the corner, is a stadium`."""
        words, sentence = self.text.words, self.text.sentence[start]
        first = bisect_left(self.text.sentence, sentence)
        at = bisect_left(self._starts, first)
        opening = words[first] in ROLES or words[first] in STARTERS or words[first].endswith(("ing", "ed"))
        if (
            not opening
            or any(mention.subject for mention in self.mentions[at : bisect_left(self._starts, start)])
            or any(word in FINITE for word in words[first:start])
        ):
            return None
        for place in range(stop, min(stop + _FAR, len(words) - 1)):
            if self.text.sentence[place] != sentence or words[place] in (";", ":"):
                return None
            if words[place] in FINITE:
                following = self.next_mention(place + 1)
                opens = words[place + 1] in _INDEFINITE or words[place + 1] == "part"
                named = following is not None and following.kind == "name" and following.mark.start == place + 1
                between = self.next_mention(stop)
                before_verb = between is not None and between.mark.start < place and between.subject
                return following if (opens or named) and not before_verb else None
        return None

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
        if len(between) > 3 or any(
            word in _STOPPERS
            or word in ROLES
            or word in DETERMINERS
            or word in FINITE
            or not word.isalnum()
            or word in _INVERTED
            for word in between
        ):
            return None
        return mention

    def is_fronted(self, start: int, stop: int) -> bool:
        """Whether a place stands before the thing that lies there: `in the north, a pond`."""
        words = self.text.words
        while stop in self._after_pictures or (
            stop < len(words) and words[stop] == "of" and self._picture_from(stop + 1)
        ):
            stop = self._after_pictures.get(stop) or self._picture_from(stop + 1)
        stop = self._past_aside(stop)
        at = start - 1
        sentence = self.text.sentence[start]
        while at >= 0 and self.text.sentence[at] == sentence and words[at] in _PREPOSITIONS:
            at -= 1
        if at >= 0 and words[at] == ":" and any(mention.mark.stop == at for mention in self.mentions):
            return False  # the latter: lower right
        if at >= 0 and self.text.sentence[at] == sentence and words[at] not in _OPENING:
            return False
        at = stop
        while at < len(words) and at < stop + _REACH:
            word = words[at]
            placed = word == "the" and self.text.words[at + 1 : at + 2] and self.text.words[at + 1] in STARTERS
            if (word in _INDEFINITE and not placed) or at in self._numbers:
                follows = bisect_left(self._starts, at)
                return word == "there" or (follows < len(self._starts) and self._starts[follows] <= at + 5)
            if self._starts[(k := bisect_left(self._starts, at)) : k + 1] == [at]:
                mention = self.mentions[k]
                return mention.kind == "pronoun" or (mention.kind in ("class", "name") and at > stop)
            if not placed and word not in _INVERTED and word not in STARTERS and word not in _PASSED | _HEDGING:
                return False
            at += 1
        return False

    def _past_aside(self, stop: int) -> int:
        """The comma that ends an aside on where a fronted place is: `in the north, beyond the road, a wood`."""
        words = self.text.words
        if words[stop : stop + 1] != [","]:
            return stop
        for at in range(stop + 1, min(stop + _REACH + 1, len(words))):
            if words[at] in FINITE or self.text.sentence[at] != self.text.sentence[stop]:
                return stop
            if words[at] == ",":
                aside = words[stop + 1 : at]
                opening = aside[aside[0] in _HEDGING]
                placed = opening in STARTERS or opening in ROLES - _PREPOSITIONS
                measured = not self._numbers.isdisjoint(range(stop + 1, stop + 3)) and not STARTERS.isdisjoint(aside)
                return at if (placed or measured) and not ROLES.isdisjoint(aside) else stop
        return stop

    def _picture_from(self, at: int) -> int:
        """Where the word for the picture ends that begins at a word or after its article; 0 if there is none."""
        return self._after_pictures.get(at) or self._after_pictures.get(at + 1) or 0

    def is_passive(self, stop: int) -> bool:
        """`A third of the picture is covered by`, `the north is taken up by`."""
        words = self.text.words[stop : stop + _REACH]
        words = words[words[:1] == [","] :]  # the land to its south, in the lower part, is occupied by
        for at, word in enumerate(words[:-1]):
            if word in (",", ".", ";") or (word == "and" and words[at + 1] in ("is", "are")):
                return False
            if word.startswith(_PASSIVE) and ("by" in words[at : at + 3] or "with" in words[at : at + 2]):
                return words[max(0, at - 2) : at] != [] and any(w in ("is", "are", "being") for w in words[:at])
        return False

    def _agent_follows(self, start: int, stop: int) -> bool:
        """`Crossed in the lower right by`: what follows is there as well."""
        if self.text.words[stop : stop + 1] != ["by"]:
            return False
        at = start - 1
        while at > 0 and self.text.words[at] in _PREPOSITIONS | {"its", "their"}:
            at -= 1
        if at >= 0 and self.text.words[at] in _OPENING:  # the north is covered by a wood, the south by a lake
            before = [k for k in range(at) if self.text.sentence[k] == self.text.sentence[start]]
            return any(self.text.words[k].startswith(_PASSIVE) and self.is_passive(k - 1) for k in before[1:])
        return at >= 0 and self.text.words[at].endswith(("ed", "cut", "split"))

    def next_mention(self, stop: int) -> Mention | None:
        """The first thing told after a word of the same sentence."""
        at = bisect_left(self._starts, stop)
        if at < len(self.mentions) and self.text.sentence[self._starts[at]] == self.text.sentence[stop - 1]:
            return self.mentions[at]
        return None

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
            if nearest.kind == "pronoun" or between[:1] in _FINITES or _PREPOSITIONS.issuperset(between):
                return [nearest]
            other = here[1] if verb and joined else subjects[-1]
            return [nearest] if other is nearest or (verb and not joined) else [nearest, other]
        if not subjects:
            return [nearest] if nearest is here[-1] else [nearest, here[-1]]
        if verb:
            return [subjects[0]]
        return [subjects[0], nearest] if "," in between else [nearest, subjects[0]]

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
