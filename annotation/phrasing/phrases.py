"""Phrases that are said of a measure and can be read back: the form of every table of words."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeVar

Interval = tuple[float, float]
"""Both ends belong to it; the upper one may be infinite."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words for a number.

    Attributes:
        text: the phrase.
        true: the numbers for which nobody could call it wrong.
        said: the numbers for which we say it; within `true`.
    """

    text: str
    true: Interval
    said: Interval

    def suits(self, value: float) -> bool:
        """Whether it is said of a number."""
        return self.said[0] <= value <= self.said[1]

    @property
    def precision(self) -> float:
        """Width of what it leaves open; less is more precise."""
        return self.true[1] - self.true[0]


@dataclass(frozen=True, slots=True)
class Term:
    """Words for a name.

    Attributes:
        text: the phrase.
        true: the names for which nobody could call it wrong.
        said: the names for which we say it; within `true`.
    """

    text: str
    true: frozenset[str]
    said: frozenset[str]

    def suits(self, value: str) -> bool:
        """Whether it is said of a name."""
        return value in self.said

    @property
    def precision(self) -> float:
        """Number of names that it leaves open; less is more precise."""
        return len(self.true)


Meaning_co = TypeVar("Meaning_co", covariant=True)
Value_contra = TypeVar("Value_contra", contravariant=True)


class Words(Protocol[Value_contra, Meaning_co]):
    """What `Phrase` and `Term` have in common."""

    @property
    def text(self) -> str:
        """The phrase."""

    @property
    def true(self) -> Meaning_co:
        """What it may mean."""

    @property
    def precision(self) -> float:
        """How much it leaves open."""

    def suits(self, value: Value_contra) -> bool:
        """Whether it is said of a value."""


Value = TypeVar("Value")
Meaning = TypeVar("Meaning")


def say(table: Iterable[Words[Value, Meaning]], value: Value) -> tuple[str, ...]:
    """Phrases said of a value, the most precise first; equally precise ones in the order of the table."""
    suiting = [entry for entry in table if entry.suits(value)]
    return tuple(entry.text for entry in sorted(suiting, key=lambda entry: entry.precision))


def read(table: Iterable[Words[Value, Meaning]], phrase: str) -> Meaning | None:
    """What a phrase may mean, whatever its case and spelling; None where the table does not hold it."""
    sought = plain(phrase)
    return next((entry.true for entry in table if plain(entry.text) == sought), None)


def terms(said: str, texts: Iterable[str], *, also: Iterable[str] = ()) -> tuple[Term, ...]:
    """Terms that are said of one name, and are not wrong of some others."""
    return tuple(Term(text, frozenset((said, *also)), frozenset((said,))) for text in texts)


_COMPASS_SPELLINGS = {
    f"{north}{gap}{west}": f"{north}-{west}"
    for north in ("north", "south")
    for west in ("east", "west")
    for gap in ("", " ")
}
_SPELLINGS = {
    "\N{EN DASH}": "-", "\N{EM DASH}": "-", "\N{NON-BREAKING HYPHEN}": "-",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'", "\N{SUPERSCRIPT TWO}": "2",
    "center": "centre", "meter": "metre", "per cent": "percent", "left-hand": "left", "right-hand": "right",
    **_COMPASS_SPELLINGS,
}  # fmt: skip


@lru_cache(maxsize=8192)
def plain(text: str) -> str:
    """One spelling for all: lower case, British, hyphens, single spaces, no full stop."""
    text = text.lower()
    for other, ours in _SPELLINGS.items():
        text = text.replace(other, ours)
    return re.sub(r"\s+", " ", text).strip(" .,;:!")
