"""A caption read against what is known: its marks, the things that it mentions, and the claims found so far."""

from collections.abc import Callable, Sequence
from typing import Literal

from annotation.checks.claiming.binding import Binder
from annotation.checks.claiming.known import Known
from annotation.checks.claiming.lexicon import Lexicon
from annotation.checks.claiming.marks import DETERMINERS, FINITE, Mark, clauses, read_marks
from annotation.checks.claiming.mentions import ROLES, Mention, governed, is_generic_mention, is_mention, meant_by
from annotation.checks.claiming.names import Name, names_in
from annotation.checks.claiming.pronouns import antecedents, generic_antecedents, is_pronoun
from annotation.checks.claiming.text import Text, fold

Kind = Literal[
    "class", "name", "number", "share", "position", "direction", "course", "shape", "relation", "count", "hedge",
    "attribute", "edge",
]  # fmt: skip
Verdict = Literal["supported", "contradicted", "unsupported"]
Raw = tuple[Kind, tuple[int, int], Verdict, str | None, str | None]
"""Kind, span, verdict, element and fact of a claim."""
Test = Callable[[Known], bool | None]

_HEDGE_ENDS = frozenset(",;.:!?()")
_MARKS = frozenset((",", ".", ")"))
_APPOSED = 4
"""Words between a name and the noun that explains it: a comma, an article, two adjectives."""
_PREDICATED = 6
_IS_A = (["is", "a"], ["is", "an"], ["is", "the"], [",", "a"], [",", "an"], [",", "the"])
_YARDS = frozenset(("yard", "compound", "complex", "centre", "station"))
"""Nouns that say little by themselves: a recycling yard may be a recycling site."""
_NAMING = frozenset(("named", "called", "known", "as", "by", "the", "name", "of", "titled"))


class Reading:
    """A caption and what is known, while it is read.

    Attributes:
        text: the caption.
        known: the elements.
        lexicon: phrases.
        gsd: metres per pixel, if known.
        marks: what stands where.
        mentions: things spoken of.
        binder: finds what a claim speaks of.
        done: marks by number that are spoken for.
        found: claims so far.
    """

    def __init__(
        self, text: Text, known: Sequence[Known], lexicon: Lexicon, place: Sequence[tuple[str, ...]], gsd: float | None
    ) -> None:
        """Reads marks and mentions; `place` holds the folded words of names around the picture."""
        self.text, self.known, self.lexicon, self.gsd = text, known, lexicon, gsd
        self.found: list[Raw] = []
        self.done: set[int] = set()
        names = names_in(text, known, place, lexicon.vocabulary)
        self.marks = read_marks(text, lexicon, names)
        self.clause = clauses(text, self.marks)
        self.by_stop = {mark.stop - 1: mark for mark in self.marks}
        self._hedged = self._hedges()
        self._after_places = {mark.stop for mark in self.marks if mark.kind == "place"}
        self.by_start: dict[int, Mention] = {}
        self.mentions = self._mentions()
        self.binder = Binder(text, self.mentions, self.clause, self.marks, known)

    def add(self, kind: Kind, start: int, stop: int, verdict: Verdict, element: str | None, fact: str | None) -> None:
        """One more claim, about words `start` to `stop`."""
        self.found.append((kind, self.text.span(start, stop), verdict, element, fact))

    def settle(
        self,
        kind: Kind,
        span: tuple[int, int],
        targets: Sequence[Known] | None,
        test: Test,
        fact: str | None,
        *,
        spare: Callable[[], Sequence[Known]] = tuple,
    ) -> Verdict:
        """Adds a claim that some elements may bear out: it is enough that one does. Returns the verdict.

        Others that the caption may mean after all (`spare`) can bear a claim out, but not contradict it.
        """
        verdict: Verdict = "unsupported"
        element = targets[0].id if targets else None
        for target in targets or ():
            held = test(target)
            if held:
                self.add(kind, *span, "supported", target.id, fact)
                return "supported"
            if held is False and verdict == "unsupported":
                verdict, element = "contradicted", target.id
        meant = next((other.id for other in spare() if test(other)), None)
        if meant is not None:
            verdict, element = "supported", meant
        self.add(kind, *span, verdict, element, fact)
        return verdict

    def told(self, start: int | None = None) -> list[Known]:
        """Elements that the caption mentions, or those that the sentence of a word does."""
        sentence = None if start is None else self.text.sentence[start]
        here = (each for each in self.mentions if sentence is None or self.text.sentence[each.mark.start] == sentence)
        return list({element.id: element for each in here for element in each.elements}.values())

    def spare(self, start: int, stop: int) -> list[Known]:
        """Elements that a measure may be of after all, unless it stands right beside the thing it is of."""
        return [] if self.binder.is_close(start, stop) else self.told()

    def same_sentence(self, one: Mark, other: Mark) -> bool:
        """Whether two marks stand in one sentence."""
        return self.text.sentence[one.start] == self.text.sentence[other.start]

    def word(self, at: int) -> str:
        """A word, or nothing beyond the ends."""
        return self.text.words[at] if 0 <= at < len(self.text.words) else ""

    def _hedges(self) -> list[bool]:
        """Which words are only supposed: from a hedge to the next comma."""
        hedged = [False] * len(self.text.words)
        for mark in self.marks:
            if mark.kind == "hedge":
                self.add("hedge", mark.start, mark.stop, "unsupported", None, None)
                at = mark.stop
                while at < len(hedged) and self.text.words[at] not in _HEDGE_ENDS:
                    hedged[at] = True
                    at += 1
        return hedged

    def _mentions(self) -> list[Mention]:
        told: list[Mention] = []
        for mark in self.marks:
            mention = self._mention(mark, told)
            if mention is None:
                continue
            mention.subject = not governed(self.text, mark, self.by_stop)
            self.by_start[mark.start] = mention
            known = {element.id for each in told for element in each.elements}
            if not (mention.part and any(element.id in known for element in mention.elements)):
                told.append(mention)
        self._check_names(told)
        return told

    def _mention(self, mark: Mark, told: Sequence[Mention]) -> Mention | None:
        if mark.kind == "name":
            return self._name(mark)
        if mark.kind == "pronoun" and is_pronoun(self.text, mark) and not self._points_at_noun(mark):
            before = self.by_stop.get(mark.start - 1)
            if self.word(mark.start) in ("it", "they") and before is not None and before.kind in ("class", "generic"):
                return None  # the fields it follows cover
            return Mention(mark, "pronoun", antecedents(self.text, mark, told, self.clause) or list(self.known[:1]))
        stands_for = mark.kind == "generic" or self.word(mark.start) == "one"  # the residential one
        if stands_for and (qualified := self._qualified(mark)):
            return Mention(mark, "class", qualified, senses=tuple(element.own for element in qualified))
        if mark.kind == "generic" and told and is_generic_mention(self.text, mark):
            return Mention(mark, "generic", generic_antecedents(self.text, mark, told, self.clause))
        return self._class(mark, told) if mark.kind == "class" else None

    def _points_at_noun(self, mark: Mark) -> bool:
        """`West of that ramp`: the noun that follows is meant, and no pronoun."""
        if self.word(mark.start) != "that" or self.word(mark.start - 1) not in ROLES:
            return False
        following = next((each for each in self.marks if each.start >= mark.stop), None)
        return following is not None and following.start <= mark.stop + 1 and following.kind in ("class", "generic")

    def _qualified(self, mark: Mark) -> list[Known]:
        """`Hospital land`, `the retail parcel`: things whose noun begins with the word before."""
        word = self.word(mark.start - 1)
        if not word.isalpha() or mark.start - 1 in self.by_stop:
            return []
        return [element for element in self.known if element.qualifier == word]

    def _class(self, mark: Mark, told: Sequence[Mention]) -> Mention | None:
        """A noun; one for what no element is, unless it is only supposed, may as well be a verb, or tells a surface."""
        meaning, surface = mark.meaning("class"), mark.meaning("attribute")
        if meaning is None or (surface and surface.value == "surface") or not is_mention(self.text, mark, self.by_stop):
            return None
        meant = meant_by(self.text, mark, meaning, self.known)
        if meant is None and self.word(mark.start) in _YARDS and (qualified := self._qualified(mark)):
            meant = qualified, False, False
        if meant is None and (named := self._named_so(mark)):
            meant = named, False, False
        if meant is None:
            verb = mark.meaning("rel") and self.word(mark.start - 1) not in DETERMINERS
            if verb or self._hedged[mark.start]:
                return None
            self.add("class", mark.start, mark.stop, "unsupported", None, None)
            return Mention(mark, "class", [])
        elements, part, look = meant
        if len(elements) > 1 and self.word(mark.start - 1) in ("the", "that", "this") and not part:
            called = [element for element in self._named_so(mark) if element in elements]
            elements = called or elements  # the avenue, of an avenue and a court
        elements = self._predicated(mark, told, elements)
        if not look:
            self.add("class", mark.start, mark.stop, "supported", elements[0].id, "noun")
        return Mention(mark, "class", elements, part=part, senses=meaning.senses)

    def _named_so(self, mark: Mark) -> list[Known]:
        """`The parkway`, of the Grand Central Parkway."""
        words = tuple(map(fold, self.text.words[mark.start : mark.stop]))
        return [each for each in self.known if any(name[-len(words) :] == words for name in each.names)]

    def _predicated(self, mark: Mark, told: Sequence[Mention], elements: list[Known]) -> list[Known]:
        """`Broadway is a road`: that one of several roads."""
        if not told or told[-1].named is None or len(elements) == 1:
            return elements
        between = self.text.words[told[-1].mark.stop : mark.start]
        if len(between) > _PREDICATED or between[:2] not in _IS_A:
            return elements
        return [element for element in elements if element in told[-1].elements] or elements

    def _name(self, mark: Mark) -> Mention:
        name: Name = mark.content
        owners = [element for element in self.known if element.id in name.owners]
        if not name.owners:
            self.add("name", mark.start, mark.stop, "supported" if name.known else "unsupported", None, None)
            return Mention(mark, "name", [] if not name.known else list(self.known[:1]), named=name)
        return Mention(mark, "name", owners, named=name)

    def _check_names(self, told: Sequence[Mention]) -> None:
        """A name beside the noun of another thing is wrong there."""
        for number, mention in enumerate(told):
            if mention.named is None or not mention.named.owners:
                continue
            verdict: Verdict = "supported"
            for other in told[max(0, number - 1) : number + 2]:
                if other.kind == "class" and other.elements and self._apposed(other.mark, mention.mark):
                    own = {element.id for element in other.elements}
                    verdict = verdict if own & mention.named.owners else "contradicted"
            self.add("name", mention.mark.start, mention.mark.stop, verdict, mention.elements[0].id, "name")

    def _apposed(self, noun: Mark, name: Mark) -> bool:
        """`The stream Mühlbach`, `a stream called Mühlbach`, `Mühlbach, a stream`."""
        if noun.stop <= name.start:
            return all(word in _NAMING for word in self.text.words[noun.stop : name.start])
        between = self.text.words[name.stop : noun.start]
        after = self.text.words[noun.stop : noun.stop + 2]
        if name.start > 1 and self.text.words[name.start - 1] == "of" and name.start - 1 in self._after_places:
            return False  # north-east of Broadway, a parking aisle
        goes_on = after and after[0] not in FINITE and after[0] not in _MARKS
        if goes_on or after[1:] == ["and"]:
            return False  # a list of things
        return between[:2] in ([",", "a"], [",", "an"]) and len(between) <= _APPOSED
