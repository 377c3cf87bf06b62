"""Where a thing is said to lie in the picture, and what else such words may mean."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from annotation.checks.claiming import listing, standing, verdicts
from annotation.checks.claiming.known import Known
from annotation.checks.claiming.listing import PREPOSITIONS
from annotation.checks.claiming.marks import DETERMINERS
from annotation.checks.claiming.places import Place
from annotation.checks.claiming.reading import Reading
from annotation.checks.claiming.vocabulary import WORDS

_FURTHER = frozenset(("further", "farther"))
_THROUGH = frozenset(("through", "across", "along", "down", "over", "up", "via", "crossing", "crosses", "cross"))
_ENDS = WORDS["position.ends"]
"""Words before a place that may be where a line begins or ends."""
_END_WITHIN = 7
_WITHIN = frozenset(("in", "at", "within", "into", "across", "over", "throughout"))
_STOPPING = frozenset(("ends", "ending", "stops", "stopping", "terminates", "finishes"))
_REACHING = ("reach", "extend", "also", "continu", "stretch", "spill", "spread", "partly", "another", "piece")
"""Words before a place that need not hold all of a thing."""
_REACHING_WITHIN = 5


def position(reading: Reading, span: tuple[int, int], listed: Sequence[Place], word: str) -> None:
    """Adds the claim that something lies in places.

    Args:
        reading: of the caption.
        span: first word of the places, and the one after the last.
        listed: the places.
        word: the last word before them that is more than an article.
    """
    said = _Said(reading, span, listed, word, listing.before(reading, span[0]))
    targets = reading.binder.targets(*span, lambda element: element.cells, place=True)
    word_after = reading.word(span[1])
    goes_on = reading.word(span[1] + 1)[:1].isalnum()
    quality = "" if goes_on or word_after in DETERMINERS else word_after
    of_quality = [element for element in reading.known if quality in element.loose]  # the left residential
    reading.settle(
        "position",
        span,
        of_quality or targets,
        said.holds,
        "position",
        spare=lambda: reading.known if said.picked else said.coming(),
    )


@dataclass(slots=True)
class _Said:
    """Places as they are said, and what stands before them.

    Attributes:
        reading: of the caption.
        span: their words.
        listed: the places.
        word: before them.
        before: where that stands.
    """

    reading: Reading
    span: tuple[int, int]
    listed: Sequence[Place]
    word: str
    before: int

    @property
    def picked(self) -> bool:
        """`The northern one`, `the one in the north`: any element may be meant."""
        word = self.reading.word
        return "one" in (word(self.span[1]), word(self.before), word(self.before - 1))

    def coming(self) -> Sequence[Known]:
        """What follows `200 m further south, is`: it may lie there, seen from what is told before."""
        following = self.reading.binder.next_mention(self.span[1]) if self.word in _FURTHER else None
        return following.elements if following else ()

    def holds(self, element: Known) -> bool | None:
        """Whether an element lies there, ends there, heads there, or lies there from something else."""
        if self.word in _FURTHER and len(self.listed) == 1:
            seen = [standing.lies_towards(element, self.listed[0], other) for other in self._told_before(element)]
            if seen and (True in seen or {False}.issuperset(seen)):
                return True in seen
        through = self.word in _THROUGH and any(each.middle and not each.points for each in self.listed)
        lies = verdicts.at_places(element, self.listed, through=through, forgiving=self.word == "near")
        if (
            lies
            or self._is_within_part(element)
            or self._is_relative(element)
            or self._ends_there(element)
            or self._heads_there(element)
        ):
            return True
        if element.ends is not None and not _STOPPING.isdisjoint(
            self.reading.text.words[max(0, self.before - 2) : self.before]
        ):
            return False
        return None if lies is False and self._is_partly_there(element) else lies

    def _told_before(self, element: Known) -> list[Known]:
        before = (told for told in self.reading.mentions if told.mark.start < self.span[0])
        return [other for told in before for other in told.elements if other is not element]

    def _is_relative(self, element: Known) -> bool:
        """`On the north-western side`, `borders them on the south-east`: as seen from another thing."""
        here = self.listed[0]
        if len(self.listed) > 1 or not here.points or here.scope not in ("", "side"):
            return False
        if not here.compass and not self.picked:
            return False
        if self.word in _WITHIN and not self.picked:
            return False
        marks = self.reading.marks
        following = marks[bisect_right(marks, self.span[0], key=lambda mark: mark.start) :][:1]
        if following and following[0].kind == "picture" and following[0].start <= self.span[1] + 2:
            return False
        others = self.reading.known if self.picked else self._seen_from(element)
        return any(standing.lies_towards(element, here, other) for other in others if other is not element)

    def _seen_from(self, element: Known) -> list[Known]:
        """What is told right before, as `it` in `touching it on the south`; else all that is told."""
        right_before = (
            told
            for told in self.reading.mentions
            if 0 <= self.before - told.mark.stop <= 1 and element not in told.elements
        )
        nearest = next(right_before, None)
        return list(nearest.elements) if nearest else self.reading.told()

    def _ends_there(self, element: Known) -> bool:
        """`Its other end lies in the east`, `stops on the right`."""
        words = self.reading.text.words[max(0, self.before - _END_WITHIN) : self.before + 1]
        where = "where" in self.reading.text.words[self.span[1] : self.span[1] + _END_WITHIN]  # is where it stops
        if element.ends is None or (_ENDS.isdisjoint(words) and not where):
            return False
        return self._touches(element) or any(
            verdicts.ends_in(end, each) for end in element.ends for each in self.listed
        )

    def _heads_there(self, element: Known) -> bool:
        """`Carries a motorway northeast`."""
        here = self.listed[0]
        bare = self.before == self.span[0] - 1 and len(self.listed) == 1 and here.compass and not here.scope
        bare = bare and self.word.isalpha() and self.word not in PREPOSITIONS
        return bool(bare and element.is_line and verdicts.heads_for(element, here))

    def _is_partly_there(self, element: Known) -> bool:
        """`Also reaches into the lower right`, `another piece in the corner`."""
        words = self.reading.text.words[max(0, self.span[0] - _REACHING_WITHIN) : self.span[0]]
        pieces = element.parts is not None and element.parts > 1
        partly = pieces or self.word == "from" or any(word.startswith(_REACHING) for word in words)
        return partly and self._touches(element)

    def _is_within_part(self, element: Known) -> bool:
        """`In the lower part of the frame, in the middle and on the right`: the middle of that part."""
        one, *others = self.listed
        if not others and one.middle and not one.points:
            earlier = [mark for mark in self.reading.marks if mark.kind == "place" and mark.stop <= self.span[0]]
            sentence = self.reading.text.sentence
            if not earlier or sentence[earlier[-1].start] != sentence[self.span[0]]:
                return False
            one, others = earlier[-1].content, [one]
        if len(one.points) != 1 or not any(each.middle and not each.points for each in others):
            return False
        parts = [verdicts.part_of(one, each) for each in others]
        return bool(element.cells) and all(cells is not None and not cells.isdisjoint(element.cells) for cells in parts)

    def _touches(self, element: Known) -> bool:
        return bool(element.cells) and not any(each.needs.isdisjoint(element.cells) for each in self.listed)
