"""Small rules of English: articles, number, lists, sentences."""

import re
from collections.abc import Sequence
from functools import lru_cache

_VOWEL = re.compile(r"[aeiou]|8|11(?!\d)|18(?!\d)|hour|honou?r|heir|[fhlmnrsx]\b", re.IGNORECASE)
_CONSONANT = re.compile(r"u(?:ni(?!n)|s[aeiu]|-|t[ei])|eu|one\b|once\b|ewe", re.IGNORECASE)
_WORD = re.compile(r"[\w'\u2019-]+")
_SLOT = re.compile(r"\{\w*\}")
_COUNTED = re.compile(r"(?:\d|no |one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)")
_HEAD_ENDS = re.compile(r" (?:of|for|with|in|on|under|along|at|to|from|and|without) ")
_SINGULAR_IN_S = re.compile(r"(?:ss|us|is|works)$")


@lru_cache(maxsize=8192)
def article(phrase: str) -> str:
    """`a` or `an`, by the sound that the phrase begins with."""
    return "a" if _CONSONANT.match(phrase) or not _VOWEL.match(phrase) else "an"


def an(phrase: str) -> str:
    """A countable phrase with its indefinite article."""
    return f"{article(phrase)} {phrase}"


@lru_cache(maxsize=8192)
def head(noun: str) -> str:
    """The word that decides on number: `row` of `row of garages`."""
    return _HEAD_ENDS.split(noun, maxsplit=1)[0].rpartition(" ")[2]


@lru_cache(maxsize=8192)
def is_plural(noun: str, plural: str) -> bool:
    """Whether the noun of one thing is a plural already: school grounds, rapids."""
    last = head(noun)
    in_s = last.endswith("s") and not _SINGULAR_IN_S.search(last)
    return in_s and (plural == noun or not plural.startswith(noun + "e"))


@lru_cache(maxsize=8192)
def is_mass(noun: str, plural: str) -> bool:
    """Whether the noun is that of a mass, without article: farmland, whose plural is `areas of farmland`."""
    partitive = plural.endswith((f" of {noun}", f"{noun} areas", f"{noun} sites"))
    return partitive and not is_plural(noun, plural)


@lru_cache(maxsize=8192)
def piece(noun: str, plural: str) -> str:
    """What one piece of a mass or a set is counted in, as the plural tells: `area`, `patch`; else nothing."""
    if not plural.endswith(f" of {noun}"):
        return ""
    unit = plural.removesuffix(f" of {noun}")
    if unit.endswith("ches"):
        return unit[:-2]
    return unit[:-1]


def with_article(phrase: str) -> str:
    """A phrase for a part or quality with its article, if it takes one: `an asphalt surface`, `two lanes`."""
    last = head(phrase)
    counted = _COUNTED.match(phrase) or (last.endswith("s") and not _SINGULAR_IN_S.search(last))
    return phrase if counted else an(phrase)


def listed(items: Sequence[str]) -> str:
    """`x`, `x and y`, `x, y and z`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def sentence(text: str) -> str:
    """The text with a capital first letter and a full stop."""
    text = text.strip(" ,;")
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


@lru_cache(maxsize=32768)
def words_of(text: str) -> frozenset[str]:
    """The words of a phrase, without its slots."""
    return frozenset(_WORD.findall(_SLOT.sub(" ", text.lower())))
