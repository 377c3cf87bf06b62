"""Phrases that the checker knows, found by their first word: classes, relations, courses, shapes, hedges and more.

Phrases of measures come from the tables of `annotation.words`; `phrases.csv` adds what other hands write. In it
`cross~` stands for cross, crosses and crossing. The word tables decide what each means.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from annotation import words
from annotation.checks.claiming import numbers, places
from annotation.checks.claiming.classes import Classes, classes_of, spell
from annotation.checks.claiming.text import Text
from annotation.checks.claiming.vocabulary import WORDS
from annotation.grammar.lexicon import conjugate
from annotation.phrasing.phrases import Term
from annotation.tags import TagTable

RELATIVE = frozenset(("which", "that", "whose"))
PHRASE, PLACE, NUMBER, PRONOUN = 1, 2, 4, 8
"""What may begin with a word."""
PRONOUNS = RELATIVE | {
    "first",
    "second",
    "third",
    "last",
    "others",
    "it",
    "its",
    "itself",
    "they",
    "their",
    "them",
    "themselves",
    "these",
    "this",
    "those",
    "one",
    "each",
    "former",
    "latter",
}
GENERIC = WORDS["marks.generic"]
"""Nouns that stand for a thing told before: the area, this feature."""
_PRECEDENCE = ("skip", "whole", "all edges", "hedge", "class", "attribute", "between")
"""Of meanings of equal length, the first of these is meant; what is not listed comes last."""
_TABLES: tuple[tuple[str, tuple[Term, ...]], ...] = (
    ("course", words.COURSES),
    ("shape", words.SHAPES),
    ("shape", words.SHAPE_NOUNS),
    ("arranged", words.ARRANGEMENTS),
)
_READ = {
    "course": words.read_course,
    "shape": words.read_shape,
    "arranged": words.read_arrangement,
    "axis": words.read_orientation,
}
_VERBS_TOO = frozenset(("links", "crosses", "stands", "passes", "runs", "slopes", "parks", "bridges"))
_ARTICLES = frozenset(("the", "a", "an", "both", "its", "through", "from"))
"""A motorway links the edges: what looks like a plural is a verb where an article follows."""
_SURFACES = frozenset(("asphalt", "paved", "unpaved", "gravel", "concrete", "dirt", "cobblestone", "compacted gravel"))


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a phrase may mean.

    Attributes:
        kind: kind of phrase, see `phrases.csv`; besides `class` and `attribute`.
        value: its name; of an attribute the quality.
        true: names of a measure for which it is true.
        senses: classes that it may mean.
    """

    kind: str
    value: str = ""
    true: frozenset[str] = frozenset()
    senses: tuple[str, ...] = ()


_Entry = tuple[int, list[str], tuple[Meaning, ...]]


@dataclass(slots=True)
class Found:
    """A phrase in a caption: words `start` to `stop`, the latter not among them."""

    start: int
    stop: int
    meanings: tuple[Meaning, ...]

    def as_(self, kind: str) -> Meaning | None:
        """Its meaning of a kind."""
        for meaning in self.meanings:
            if meaning.kind == kind:
                return meaning
        return None

    @property
    def first(self) -> Meaning:
        """What it means in the first place."""
        return self.meanings[0]


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """All phrases.

    Attributes:
        classes: what things are.
        by_words: first word -> second word -> length, further words and meanings, the longest phrases first; what is
            one word has no second.
        vocabulary: all words that occur in phrases.
        openers: words with which anything begins that has a meaning, and of what kind that is: the sum of `PHRASE`,
            `PLACE`, `NUMBER` and `PRONOUN`.
    """

    classes: Classes
    by_words: dict[str, dict[str, list[_Entry]]]
    vocabulary: frozenset[str]
    openers: Mapping[str, int]

    def at(self, text: Text, place: int) -> Found | None:
        """The longest phrase that begins at a word."""
        words = text.words
        by_second = self.by_words.get(words[place])
        if by_second is None:
            return None
        after = place + 1
        if after < len(words) and words[after] in by_second:
            for length, rest, meanings in by_second[words[after]]:
                stop = place + length
                if words[after:stop] == rest:
                    if rest[-1] in _VERBS_TOO and stop < len(words) and words[stop] in _ARTICLES:
                        continue
                    return Found(place, stop, meanings)
        alone = by_second.get("")
        return Found(place, after, alone[0][2]) if alone else None

    def alone(self, word: str) -> tuple[Meaning, ...]:
        """What a word means by itself."""
        entries = self.by_words.get(word, {}).get("")
        return entries[0][2] if entries else ()


@lru_cache(maxsize=4)
def lexicon_of(table: TagTable) -> Lexicon:
    """The lexicon for a tag table, kept per process."""
    classes = classes_of(table)
    phrases: dict[str, dict[tuple[str, str], Meaning]] = {}
    for phrase, meaning in _meanings(table, classes):
        if phrase:
            phrases.setdefault(phrase, {}).setdefault((meaning.kind, meaning.value), meaning)
    by_words: dict[str, dict[str, list[_Entry]]] = {}
    for phrase in sorted(phrases, key=lambda phrase: -phrase.count(" ")):
        first, *rest = phrase.split()
        meanings = tuple(sorted(phrases[phrase].values(), key=_rank))
        by_words.setdefault(first, {}).setdefault(rest[0] if rest else "", []).append((1 + len(rest), rest, meanings))
    vocabulary = frozenset(word for phrase in phrases for word in phrase.split())
    openers: Counter[str] = Counter()
    for opens, openings in ((PHRASE, by_words), (PLACE, places.STARTERS), (NUMBER, numbers.STARTERS)):
        openers.update(dict.fromkeys(openings, opens))
    openers.update(dict.fromkeys(PRONOUNS | GENERIC, PRONOUN))
    return Lexicon(classes, by_words, vocabulary, dict(openers))


def _rank(meaning: Meaning) -> int:
    kind = "between" if meaning.value == "between" else meaning.kind
    return _PRECEDENCE.index(kind) if kind in _PRECEDENCE else len(_PRECEDENCE)


def _meanings(table: TagTable, classes: Classes) -> Iterator[tuple[str, Meaning]]:
    for wording, senses in classes.senses.items():
        yield wording, Meaning("class", senses[0], senses=senses)
    for term in words.RELATIONS:
        yield spell(term.text), Meaning("rel", next(iter(term.said)))
    for kind, terms in _TABLES:
        for term in terms:
            yield spell(term.text), Meaning(kind, next(iter(term.said)), _READ[kind](term.text) or term.true)
    yield from _attributes(table)
    text = (files("annotation.checks.claiming") / "phrases.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        read = _READ.get(row["kind"])
        true = (read and read(row["value"])) or frozenset((row["value"],))
        for wording in row["words"].split("|"):
            for form in _forms(wording):
                yield spell(form), Meaning(row["kind"], row["value"], true)


def _forms(wording: str) -> tuple[str, ...]:
    """Forms of a verb that is marked by `~`: cross, crosses, crossing."""
    verb, mark, rest = wording.partition("~")
    return tuple(form + rest for form in {verb, *conjugate(verb)}) if mark else (wording,)


def _attributes(table: TagTable) -> Iterator[tuple[str, Meaning]]:
    """Qualities that the tag table knows; surfaces also without the word."""
    for row in table.rows.values():
        if row.kind != "attribute" or row.seen_from is None or "{}" in row.noun:
            continue
        phrase = spell(row.noun)
        if " " in phrase:
            yield phrase, Meaning("attribute", row.key, frozenset((phrase,)))
        bare = phrase.removesuffix(" surface")
        if bare != phrase and bare in _SURFACES:
            for form in (bare, f"{bare} surfaced", f"surfaced with {bare}"):
                yield form, Meaning("attribute", row.key, frozenset((phrase,)))
