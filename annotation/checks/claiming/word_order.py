"""Word order: places that stand before what lies there, passives, inversions."""

from bisect import bisect_left
from collections.abc import Sequence

from annotation.checks.claiming.marks import FINITE, Mark
from annotation.checks.claiming.mentions import ROLES, Mention
from annotation.checks.claiming.places import STARTERS
from annotation.checks.claiming.text import Text
from annotation.checks.claiming.vocabulary import WORDS

INVERTED = WORDS["binding.inverted"]
PREPOSITIONS = WORDS["binding.prepositions"]
_OPENING = frozenset((",", "and", "while", "whereas", "but", "with", ";", "plus", "where", ":", "("))
_PASSIVE = ("covered", "occupied", "filled", "taken", "dominated", "claimed", "made", "crossed", "held", "used",
            "given", "devoted", "occupy", "consumed", "blanketed")  # fmt: skip
_INDEFINITE = frozenset(("a", "an", "several", "some", "another", "the", "many", "there"))
_PASSED = frozenset((",", "from", "to", "image", "frame", "picture", "scene", "view", "photo"))
HEDGING = frozenset(("about", "some", "roughly", "nearly", "almost", "around", "approximately", "just", "over",
                      "under", "close", "to", "well", "slightly", "directly", "immediately"))  # fmt: skip
_REACH = 8
_ADJECTIVES = 3
_FAR = 16


class WordOrder:
    """The mentions of a caption and how its sentences are built.

    Attributes:
        text: the caption.
        mentions: all of it, in order.
        clause: number of the clause of each word.
    """

    def __init__(self, text: Text, mentions: Sequence[Mention], clause: Sequence[int], marks: Sequence[Mark]) -> None:
        """Takes the mentions of a caption in order, the clause of each word, and all marks."""
        self.text = text
        self.mentions = mentions
        self.clause = clause
        self._numbers = {mark.start for mark in marks if mark.kind == "quantity"}
        self._lengths = {mark.start for mark in marks if mark.kind == "quantity" and mark.content.kind == "length"
                         and text.words[mark.stop : mark.stop + 1] != ["of"]}  # fmt: skip
        self._measures = {mark.stop: mark.content.start for mark in marks if mark.kind == "quantity"}
        self._after_pictures = {mark.start: mark.stop for mark in marks if mark.kind == "picture"}
        self._starts = [mention.mark.start for mention in mentions]

    def is_fronted(self, start: int, stop: int) -> bool:
        """Whether a place stands before the thing that lies there: `in the north, a pond`."""
        words = self.text.words
        while stop in self._after_pictures or (
            stop < len(words) and words[stop] == "of" and self._picture_from(stop + 1)
        ):
            stop = self._after_pictures.get(stop) or self._picture_from(stop + 1)
        stop = self.past_aside(stop)
        return self._opens(start, stop) and self._thing_follows(stop)

    def _opens(self, start: int, stop: int) -> bool:
        """Whether a place opens a clause."""
        words, sentence = self.text.words, self.text.sentence[start]
        at = start - 1
        while at >= 0 and self.text.sentence[at] == sentence and words[at] in PREPOSITIONS:
            at -= 1
        measured = self._measures.get(at + 1)
        if measured and words[measured - 2 : measured] == ["and", ","] and words[stop : stop + 1] == [","]:
            at = measured - 1  # Bell Street and, 158 m west of it, Main Street
        if at < 0 or self.text.sentence[at] != sentence:
            return True
        told = words[at] == ":" and any(mention.mark.stop == at for mention in self.mentions)
        return words[at] in _OPENING and not told  # the latter: lower right

    def _thing_follows(self, stop: int) -> bool:
        """Whether a thing with its article, a number of them, or a name follows, at most a verb and hedges before."""
        words = self.text.words
        for at in range(stop, min(len(words), stop + _REACH)):
            word = words[at]
            placed = word == "the" and words[at + 1 : at + 2] and words[at + 1] in STARTERS
            follows = bisect_left(self._starts, at)
            mention = self.mentions[follows] if follows < len(self.mentions) else None
            if at in self._lengths and words[stop] == ",":
                return False  # in the north, 37 m west of the ramp
            if (word in _INDEFINITE and not placed) or at in self._numbers:
                return word == "there" or (mention is not None and mention.mark.start <= at + 5)
            if mention is not None and mention.mark.start == at:
                return mention.kind == "pronoun" or (mention.kind in ("class", "name") and at > stop)
            if mention is not None and self._is_bare_name(mention, stop, at):
                return True
            if not placed and word not in INVERTED and word not in STARTERS and word not in _PASSED | HEDGING:
                return False
        return False

    def _is_bare_name(self, mention: Mention, stop: int, at: int) -> bool:
        """`Across the middle, one-way Adams Street`: a name without an article, after a comma."""
        words = self.text.words
        near = stop < at and mention.mark.start <= at + _ADJECTIVES and words[stop] == ","
        return near and mention.kind == "name" and words[at] not in FINITE | _OPENING

    def past_aside(self, stop: int) -> int:
        """The comma that ends an aside on where a fronted place is: `in the north, beyond the road, a wood`."""
        words = self.text.words
        if words[stop : stop + 1] != [","]:
            return stop
        for at in range(stop + 1, min(stop + _REACH + 1, len(words))):
            if words[at] in FINITE or self.text.sentence[at] != self.text.sentence[stop]:
                return stop
            if words[at] == ",":
                aside = words[stop + 1 : at]
                opening = aside[aside[0] in HEDGING] if len(aside) > 1 else ""
                placed = opening in STARTERS or opening in ROLES - PREPOSITIONS
                measured = not self._numbers.isdisjoint(range(stop + 1, stop + 3)) and not STARTERS.isdisjoint(aside)
                return at if (placed or measured) and not ROLES.isdisjoint(aside) else stop
        return stop

    def _picture_from(self, at: int) -> int:
        """Where the word for the picture ends that begins at a word or after its article; 0 if there is none."""
        return self._after_pictures.get(at) or self._after_pictures.get(at + 1) or 0

    def is_passive(self, stop: int) -> bool:
        """`A third of the picture is covered by`, `the north is taken up by`."""
        words = self.text.words[stop : stop + _REACH]
        for at, word in enumerate(words[:-1]):
            if word in (",", ".", ";") or (word == "and" and words[at + 1] in ("is", "are")):
                return False
            if word.startswith(_PASSIVE) and ("by" in words[at : at + 3] or "with" in words[at : at + 2]):
                return words[max(0, at - 2) : at] != [] and any(w in ("is", "are", "being") for w in words[:at])
        return False

    def agent_follows(self, start: int, stop: int) -> bool:
        """`Crossed in the lower right by`: what follows is there as well."""
        if self.text.words[stop : stop + 1] != ["by"]:
            return False
        at = start - 1
        while at > 0 and self.text.words[at] in PREPOSITIONS | {"its", "their"}:
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

    def inverted(self, start: int, stop: int) -> Mention | None:
        """The subject that comes last, where an opening phrase has none: `filling the corner, there is a stadium`."""
        words, sentence = self.text.words, self.text.sentence[start]
        if not self._opens_without_subject(start):
            return None
        for at in range(stop, min(stop + _FAR, len(words) - 1)):
            if self.text.sentence[at] != sentence or words[at] in (";", ":"):
                return None
            if words[at] in FINITE:
                return self._after_verb(at, stop)
        return None

    def _opens_without_subject(self, start: int) -> bool:
        """Whether a phrase opens the sentence, and neither a subject nor a verb stands before a word."""
        words = self.text.words
        first = bisect_left(self.text.sentence, self.text.sentence[start])
        if not (words[first] in ROLES or words[first] in STARTERS or words[first].endswith(("ing", "ed"))):
            return False
        told = self.mentions[bisect_left(self._starts, first) : bisect_left(self._starts, start)]
        return not any(mention.subject for mention in told) and FINITE.isdisjoint(words[first:start])

    def _after_verb(self, verb: int, stop: int) -> Mention | None:
        """What follows a verb, with its article or by name, unless a subject stands before the verb."""
        following, between = self.next_mention(verb + 1), self.next_mention(stop)
        if between is not None and between.mark.start < verb and between.subject:
            return None
        opens = self.text.words[verb + 1] in _INDEFINITE or self.text.words[verb + 1] == "part"
        named = following is not None and following.kind == "name" and following.mark.start == verb + 1
        return following if opens or named else None
