"""Numerals in a caption: values in digits and words, units, hedges, and words for counts and shares."""

import math
from collections.abc import Sequence
from functools import lru_cache

from annotation.phrasing.phrases import Interval, plain
from annotation.phrasing.quantities import (
    ABOUT,
    COUNTS,
    EXACT,
    LESS,
    METRES,
    MORE,
    NONE,
    OVER,
    SHARES,
    SQUARE_METRES,
    UNDER,
    VAGUE,
    Hedge,
    number_words,
)

VALUES = {word: float(value) for value in range(100) if "-" not in (word := number_words(value))}
SCALES = {"dozen": 12.0, "hundred": 100.0, "thousand": 1e3, "million": 1e6}
_UNITS_OF_TEN = frozenset(number_words(value) for value in range(1, 20))
GLYPHS = {"\u00bd": 1 / 2, "\u00bc": 1 / 4, "\u00be": 3 / 4, "\u2153": 1 / 3, "\u2154": 2 / 3, "\u2155": 1 / 5}
PARTS = {"half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
          "ninth": 9, "tenth": 10, "twelfth": 12, "fifteenth": 15, "twentieth": 20, "hundredth": 100}  # fmt: skip
PARTS |= {f"{word}s": number for word, number in PARTS.items()} | {"halves": 2}
ARTICLES = frozenset(("a", "an", "one"))
_UNITS = {
    **{plain(unit): ("area", factor) for unit, factor in SQUARE_METRES.items()},
    **{plain(unit): ("length", factor) for unit, factor in METRES.items()},
    "m²": ("area", 1.0), "km²": ("area", 1e6), "ft²": ("area", 0.3048**2), "sqft": ("area", 0.3048**2),
    "mi²": ("area", 1609.344**2), "yd²": ("area", 0.9144**2), "sqkm": ("area", 1e6), "kms": ("length", 1000.0),
    "yds": ("length", 0.9144), "hectares": ("area", 1e4), "metres squared": ("area", 1.0),
}  # fmt: skip
UNIT_WORDS = frozenset((*(unit.split(" ")[0] for unit in _UNITS), "sq"))
"""First words of units."""
_AFTER_NUMBERS_ONLY = frozenset(("m", "mi", "ha", "ft", "yd"))

_HEDGES: dict[str, Hedge] = {
    words: hedge
    for hedge, texts in (
        (VAGUE, (*VAGUE.texts, "circa", "ca", "approx", "~", "\u2248", "just about", "near", "barely", "scarcely",
                 "hardly", "a modest", "a mere")),
        (UNDER, (*UNDER.texts, "just short of", "just below", "slightly under", "a bit less than", "a little less than",
                 "slightly below", "close on", "virtually", "practically")),
        (OVER, (*OVER.texts, "slightly over", "just above", "a bit more than", "a bit over", "just more than",
                "a good", "good", "a solid")),
        (MORE, (*MORE.texts, "above", "in excess of", "exceeding", "well over", "no less than", "no fewer than",
                "greater than", "beyond")),
        (LESS, (*LESS.texts, "below", "no more than", "well under", "not more than", "smaller than")),
        (NONE, ("exactly", "precisely", "a full", "fully", "only", "just")),
    )
    for words in texts
}  # fmt: skip
_HEDGE_ENDS = frozenset(words.rpartition(" ")[2] for words in _HEDGES)
AFTER_UNITS = frozenset(("of", "long", "wide", "in", "or", "across", "and", "squared"))
"""`A yard` is a measure before these only, else a place."""
_DIGITS = frozenset(".0123456789")
_EXTENT = Hedge(("over",), -EXACT, ABOUT)
"""`Stretches over 300 metres`: the measure itself, or a little more."""
_EXTENDING = (
    "spread",
    "stretch",
    "extend",
    "span",
    "run",
    "sprawl",
    "reach",
    "continu",
    "go",
    "lead",
    "wind",
    "bend",
    "curv",
)

_COUNT_WORDS = {
    **{phrase.text: phrase.true for phrase in COUNTS},
    "a solitary": (1, 1), "only one": (1, 1), "just one": (1, 1), "a lone": (1, 1), "twin": (2, 2),
    "paired": (2, 2), "a trio of": (3, 3), "a quartet of": (4, 4), "multiple": (2, math.inf),
    "various": (2, math.inf), "countless": (15, math.inf), "lots of": (6, math.inf), "plenty of": (5, math.inf),
    "a couple": (2, 3), "a pair": (2, 2), "some dozen": (10, 14), "half a dozen": (5, 7), "a half dozen": (5, 7),
    "a handful": (3, 8), "few": (2, 7), "a great many": (15, math.inf), "a large number of": (10, math.inf),
    "several dozen": (24, 99), "a few dozen": (24, 80), "many dozens of": (48, 999), "dozens": (24, 200),
    "hundreds": (180, 5000), "a score of": (18, 22), "one single": (1, 1), "pairs of": (2, 99),
}  # fmt: skip
_NO_COUNTS = frozenset(("no", "none"))
_COUNT_WORDS = {text: span for text, span in _COUNT_WORDS.items() if text not in _NO_COUNTS}
_VAGUE_SHARES = {
    **{phrase.text: phrase.true for phrase in SHARES if not any(part in phrase.text.split() for part in PARTS)},
    "the majority": (0.5, 1.0), "a majority": (0.5, 1.0), "the greater part": (0.5, 1.0), "much": (0.25, 1.0),
    "the lion's share": (0.5, 1.0), "the vast majority": (0.6, 1.0), "a small portion": (0.0, 0.2),
    "a small share": (0.0, 0.2), "a small fraction": (0.0, 0.2), "a tiny fraction": (0.0, 0.06),
    "a large portion": (0.25, 1.0), "a significant portion": (0.15, 1.0), "a good deal": (0.2, 1.0),
    "a substantial portion": (0.2, 1.0), "a considerable part": (0.2, 1.0), "a large share": (0.25, 1.0),
    "the entire": (0.9, 1.0), "the whole": (0.9, 1.0), "the full": (0.9, 1.0), "nearly the entire": (0.8, 1.0),
    "almost the entire": (0.8, 1.0), "nearly the whole": (0.8, 1.0), "almost the whole": (0.8, 1.0),
    "virtually all": (0.85, 1.0), "the larger share": (0.5, 1.0), "the better part": (0.5, 1.0),
    "well over half": (0.52, 1.0), "a major part": (0.3, 1.0), "a minor part": (0.0, 0.3), "a fraction": (0.0, 0.4),
}  # fmt: skip


ByWords = dict[str, dict[str, list[tuple[list[str], Interval]]]]


def _by_words(texts: dict[str, Interval]) -> ByWords:
    """Phrases by their first and second word, the longest first; what is one word has no second."""
    found: ByWords = {}
    for text in sorted(texts, key=lambda text: -text.count(" ")):
        words = [*text.replace("percent", "%").split(), ""]
        found.setdefault(words[0], {}).setdefault(words[1], []).append((words[:-1], texts[text]))
    return found


COUNT_WORDS, SHARE_WORDS = _by_words(_COUNT_WORDS), _by_words(_VAGUE_SHARES)


def read_value(words: Sequence[str], place: int) -> tuple[float, int]:
    """A number without unit and hedge, and where it ends; it ends where it began if there is none."""
    if place >= len(words):
        return 0.0, place
    return _in_digits(words, place) if words[place][0] in _DIGITS else _in_words(words, place)


def _in_digits(words: Sequence[str], place: int) -> tuple[float, int]:
    """`1,200`, `2\u00bd`, `3 million`."""
    value, stop = _digits(words[place]), place + 1
    if value is None:
        return 0.0, place
    following = words[stop] if stop < len(words) else ""
    if following in GLYPHS:
        return value + GLYPHS[following], stop + 1
    return (value * SCALES[following], stop + 1) if following in SCALES else (value, stop)


def _in_words(words: Sequence[str], place: int) -> tuple[float, int]:
    """`Two hundred and fifty`, `a dozen`; `a` counts before a scale or a unit only."""
    total = group = 0.0
    stop = place
    while stop < len(words) and _counts(words, place, stop, large=bool(total) or group >= SCALES["hundred"]):
        word = words[stop]
        if word in ("thousand", "million"):
            total, group = total + max(group, 1.0) * SCALES[word], 0.0
        elif stop > place and words[stop - 1] in _UNITS_OF_TEN and word in VALUES:
            break  # two one-way streets
        elif word in SCALES:
            group = max(group, 1.0) * SCALES[word]
        else:
            group += 1.0 if word in ("a", "an") else VALUES.get(word, 0.0)
        stop += 1
    return total + group, stop


def _counts(words: Sequence[str], place: int, at: int, *, large: bool) -> bool:
    """Whether a word goes on a number in words that began at a place."""
    word = words[at]
    after = words[at + 1] if at + 1 < len(words) else ""
    if word == "and":
        return large and after in VALUES
    if word in ("a", "an"):
        return at == place and (after in SCALES or read_unit(words, at + 1, article=True) is not None)
    return word in VALUES or word in SCALES


@lru_cache(maxsize=4096)
def _digits(word: str) -> float | None:
    cleaned = "".join(c for c in word if c not in ",\u00a0\u2009\u202f'\u2019")
    try:
        return float(cleaned)
    except ValueError:
        return None


def past_odd(words: Sequence[str], stop: int) -> int:
    """Where `-odd` ends after a number: 40-odd metres."""
    return stop + (stop < len(words) and words[stop] == "odd")


def read_unit(words: Sequence[str], place: int, *, article: bool = False) -> tuple[str, float, int] | None:
    """Kind and factor of the unit that begins at a word, and where it ends."""
    if place >= len(words):
        return None
    word = words[place]
    if word in ("square", "sq"):
        after = place + 1 + (words[place + 1 : place + 2] == ["."])
        found = _UNITS.get(f"square {words[after]}") if after < len(words) else None
        return (*found, after + 1) if found else None
    found = _UNITS.get(word)
    if found and words[place + 1 : place + 2] == ["squared"]:
        return "area", found[1] ** 2, place + 2
    if not found or (article and word in _AFTER_NUMBERS_ONLY):
        return None
    return (*found, place + 1)


def read_hedge(words: Sequence[str], place: int) -> tuple[int, Hedge]:
    """The hedge before a number, and where it begins."""
    if not place or words[place - 1] not in _HEDGE_ENDS:
        return place, NONE
    for length in (4, 3, 2, 1):
        first = place - length
        hedge = _HEDGES.get(" ".join(words[first:place])) if first >= 0 else None
        if hedge is None:
            continue
        if list(words[first:place]) == ["up", "to"] and first and words[first - 1].startswith(("add", "amount", "sum")):
            return place, NONE
        if words[first] == "over" and _extends(words, first):
            hedge = _EXTENT
        return first, hedge
    if words[place - 1] == "over" and _extends(words, place - 1):
        return place - 1, _EXTENT
    return place, NONE


def _extends(words: Sequence[str], over: int) -> bool:
    """Whether `over` tells how far: runs over 250 m, bends gently over 250 m."""
    before = over - 1
    if before > 0 and (words[before].endswith("ly") or words[before] == "straight"):
        before -= 1
    return before >= 0 and words[before].startswith(_EXTENDING)
