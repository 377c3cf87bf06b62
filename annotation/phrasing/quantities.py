"""Numbers in English and back: shares, lengths, areas and counts.

What is said is rounded as a person rounds; what is read may be metric or imperial, in digits or in words,
with or without "about". Every phrase said of a number reads back to an interval that holds it.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from annotation.phrasing.phrases import Interval, Phrase, plain, read, say

EXACT = 0.05
"""A number without "about" may be off by a twentieth: nobody measures a road to the metre on a picture."""

ABOUT = 0.12
"""With "about" by an eighth; rounding for speech is at most 11 % off."""

LEAN = 0.15
"""Nearly and just over reach this far to their side, and a fiftieth (rounding) to the other."""


@dataclass(frozen=True, slots=True)
class Hedge:
    """Words before a number, and how far the truth may lie below and above it, relative to it."""

    texts: tuple[str, ...]
    below: float
    above: float

    def around(self, value: float, *, slack: float = 0) -> Interval:
        """Numbers that the hedged number may stand for; `slack` widens finite sides to at least that much."""
        low = value - max(-self.below * value, slack if -1 < self.below < 0 else 0)
        high = value + max(self.above * value, slack if 0 < self.above < math.inf else 0)
        return max(low, 0), high


NONE = Hedge(("",), -EXACT, EXACT)
VAGUE = Hedge(("about", "around", "roughly", "approximately", "some", "close to", "an estimated"), -ABOUT, ABOUT)
UNDER = Hedge(("nearly", "almost", "just under", "a little under", "slightly less than", "not quite"), -LEAN, 0.02)
OVER = Hedge(("just over", "a little over", "slightly more than", "a little more than"), -0.02, LEAN)
MORE = Hedge(("more than", "over", "at least", "upwards of"), 0, math.inf)
LESS = Hedge(("less than", "under", "at most", "fewer than", "up to"), -1, 0)
HEDGES = (NONE, VAGUE, UNDER, OVER, MORE, LESS)

METRES = {
    "metre": 1, "metres": 1, "m": 1, "kilometre": 1000, "kilometres": 1000, "km": 1000,
    "foot": 0.3048, "feet": 0.3048, "ft": 0.3048, "yard": 0.9144, "yards": 0.9144, "yd": 0.9144,
    "mile": 1609.344, "miles": 1609.344, "mi": 1609.344,
}  # fmt: skip
SQUARE_METRES = {
    **{f"{square} {unit}": factor**2 for unit, factor in METRES.items() for square in ("square", "sq", "sq.")},
    "m2": 1, "sqm": 1, "km2": 1e6, "ft2": 0.3048**2, "hectare": 1e4, "hectares": 1e4, "ha": 1e4,
    "acre": 4046.8564224, "acres": 4046.8564224,
}  # fmt: skip

_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES = {
    **{word: float(value) for value, word in enumerate(_SMALL)},
    **{word: float(value) for value, word in zip(range(20, 100, 10), _TENS, strict=True)},
    "a": 1.0, "an": 1.0,
}  # fmt: skip
_VALUES_OF_SCALES = {"dozen": 12.0, "hundred": 100.0, "thousand": 1000.0, "million": 1e6}
_PARTS = {
    "half": 1 / 2, "half a": 1 / 2, "half an": 1 / 2, "a half": 1 / 2, "a quarter of a": 1 / 4,
    "a quarter of an": 1 / 4, "a third of a": 1 / 3, "two thirds of a": 2 / 3, "three quarters of a": 3 / 4,
    "three quarters of an": 3 / 4,
}  # fmt: skip

FRACTIONS = {
    "a twentieth": 1 / 20, "a tenth": 1 / 10, "an eighth": 1 / 8, "a sixth": 1 / 6, "a fifth": 1 / 5,
    "a quarter": 1 / 4, "a third": 1 / 3, "two fifths": 2 / 5, "half": 1 / 2, "three fifths": 3 / 5,
    "two thirds": 2 / 3, "three quarters": 3 / 4, "four fifths": 4 / 5, "nine tenths": 9 / 10,
}  # fmt: skip

_VAGUE_SHARES = (
    Phrase("a sliver", (0, 0.06), (0, 0.03)),
    Phrase("a tiny part", (0, 0.05), (0, 0.03)),
    Phrase("a few percent", (0.015, 0.08), (0.02, 0.06)),
    Phrase("a small part", (0, 0.2), (0.02, 0.15)),
    Phrase("a modest part", (0.08, 0.35), (0.1, 0.25)),
    Phrase("a good part", (0.25, 0.75), (0.3, 0.5)),
    Phrase("a large part", (0.3, 1), (0.4, 0.65)),
    Phrase("the larger part", (0.5, 1), (0.55, 0.8)),
    Phrase("most", (0.55, 1), (0.6, 0.9)),
    Phrase("the bulk", (0.6, 1), (0.7, 0.9)),
    Phrase("nearly all", (0.85, 1), (0.9, 0.985)),
    Phrase("almost all", (0.85, 1), (0.9, 0.985)),
    Phrase("all", (0.95, 1), (0.98, 1)),
    Phrase("the whole", (0.95, 1), (0.98, 1)),
    Phrase("practically all", (0.92, 1), (0.96, 1)),
)


def _fraction_phrases(text: str, value: float) -> list[Phrase]:
    """A fraction and its surroundings: true within a fifth of it (0.02 to 0.08), said within half of that."""
    wide = min(max(0.2 * value, 0.02), 0.08)
    near, just = wide / 2, wide / 8
    low, lower, bare, higher, high = value - wide, value - near, value, value + near, value + wide
    below, above = bare - just, bare + just
    table = {
        ("",): ((lower, higher), (below, above)),
        VAGUE.texts[:4]: ((low, high), (lower, higher)),
        UNDER.texts[:3]: ((low, above), (lower, below)),
        OVER.texts[:2]: ((below, high), (above, higher)),
        MORE.texts[:2]: ((bare, 1), (above, min(high, 1))),
        LESS.texts[:1]: ((0, bare), (low, below)),
    }
    return [Phrase(f"{word} {text}".strip(), *spans) for words, spans in table.items() for word in words]


SHARES: tuple[Phrase, ...] = (
    *chain.from_iterable(_fraction_phrases(text, value) for text, value in FRACTIONS.items()),
    *_VAGUE_SHARES,
)

COUNTS = (
    Phrase("no", (0, 0), (0, 0)), Phrase("none", (0, 0), (0, 0)),
    Phrase("a single", (1, 1), (1, 1)), Phrase("a lone", (1, 1), (1, 1)),
    Phrase("a pair of", (2, 2), (2, 2)), Phrase("a couple of", (2, 3), (2, 2)),
    Phrase("a few", (3, 7), (3, 5)), Phrase("a handful of", (3, 8), (4, 6)),
    Phrase("several", (3, 15), (4, 9)), Phrase("a number of", (3, 40), (5, 12)),
    Phrase("a dozen", (11, 13), (12, 12)), Phrase("about a dozen", (10, 14), (11, 13)),
    Phrase("a dozen or so", (10, 15), (11, 14)), Phrase("many", (10, math.inf), (20, math.inf)),
    Phrase("numerous", (10, math.inf), (15, math.inf)), Phrase("dozens of", (24, 200), (30, 99)),
    Phrase("scores of", (40, 400), (60, 150)), Phrase("well over a hundred", (110, math.inf), (120, 400)),
    Phrase("hundreds of", (180, 5000), (200, 2000)),
)  # fmt: skip


def share_phrases(share: float) -> tuple[str, ...]:
    """Phrases for a share in [0, 1], at least two, the most precise first: `a third`, `about 33 percent`."""
    percent = round(share * 100)
    rounded = percent if percent < 30 else 5 * round(share * 20)
    numerals = (f"about {rounded} percent", f"{percent} percent") if 1 <= percent <= 99 else ()
    return (*say(SHARES, share), *numerals)


def share_interval(phrase: str) -> Interval | None:
    """Shares for which a phrase (of the table, or with a percentage) is true; None if it names no share."""
    text = plain(phrase)
    found = read(SHARES, text)
    if found:
        return max(found[0], 0), min(found[1], 1)
    number = re.fullmatch(r"(.+?) ?(?:%|percent)", text)
    interval = _interval(number[1], slack=1.0) if number else None
    return (interval[0] / 100, min(interval[1] / 100, 1)) if interval else None


def fraction_interval(value: float, hedge: Hedge) -> Interval:
    """Shares for which a fraction in words is true, as in `SHARES`, for any fraction and hedge."""
    wide = min(max(0.2 * value, 0.02), 0.08)
    just = wide / 8
    low, high = {
        NONE: (value - wide / 2, value + wide / 2),
        VAGUE: (value - wide, value + wide),
        UNDER: (value - wide, value + just),
        OVER: (value - just, value + wide),
        MORE: (value, 1.0),
        LESS: (0.0, value),
    }.get(hedge, (value - wide, value + wide))
    return max(low, 0.0), min(high, 1.0)


def length_phrases(metres: float) -> tuple[str, ...]:
    """Phrases for a length on the ground: `about 140 metres`, `roughly 1.2 kilometres`."""
    if metres < 0.95:
        return ("less than a metre", "under a metre")
    if metres < 995:
        return _rounded(metres, "metre")
    return _rounded(metres / 1000, "kilometre")


def length_interval(phrase: str) -> Interval | None:
    """Metres for which a phrase with a number and a unit of length (metric or imperial) is true."""
    return _measured(plain(phrase), METRES, slack=0.5)


def area_phrases(square_metres: float) -> tuple[str, ...]:
    """Phrases for an area on the ground: `about 700 square metres`, `around 1.2 hectares`."""
    if square_metres < 0.95:
        return ("less than a square metre", "under a square metre")
    if square_metres < 5000:
        return _rounded(square_metres, "square metre")
    if square_metres < 995_000:
        return _rounded(square_metres / 1e4, "hectare")
    return _rounded(square_metres / 1e6, "square kilometre")


def area_interval(phrase: str) -> Interval | None:
    """Square metres for which a phrase with a number and a unit of area (metric or imperial) is true."""
    return _measured(plain(phrase), SQUARE_METRES, slack=0.5)


def count_phrases(count: int) -> tuple[str, ...]:
    """Phrases for a number of things: `seven`, `38`, `about forty`, `dozens of`."""
    digits = (str(count),) if count > 1 else ()
    if count < 20:
        return (*((number_words(count),) if count else ()), *digits, *say(COUNTS, count))
    near = number_words(int(_nice(count)))
    hedges = [word for word in ("about", "around", "roughly", "some") if word != "some" or near != "a hundred"]
    return (*digits, *(f"{word} {near}" for word in hedges), *say(COUNTS, count))


def count_interval(phrase: str) -> Interval | None:
    """Numbers of things for which a phrase is true; a bare number is exact."""
    text = plain(phrase)
    found = read(COUNTS, text) or read(COUNTS, f"{text} of")
    if found:
        return found
    number = read_number(text)
    return (number, number) if number is not None else _interval(text, slack=1.0)


def number_words(number: int) -> str:
    """A whole number in words up to a hundred, in digits beyond."""
    if number < len(_SMALL):
        return _SMALL[number]
    if number < 100:
        ten, one = divmod(number, 10)
        return _TENS[ten - 2] + (f"-{_SMALL[one]}" if one else "")
    return "a hundred" if number == 100 else f"{number:,}"


def read_number(text: str) -> float | None:
    """The number that digits or words stand for: `1,200`, `forty-two`, `two hundred and fifty`, `half a`."""
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?|\d+(\.\d+)?", text):
        return float(text.replace(",", ""))
    if text in _PARTS:
        return _PARTS[text]
    whole, and_a_half = text.removesuffix(" and a half"), 0.5 * text.endswith(" and a half")
    total = group = 0.0
    for word in re.split(r"[ -]", whole.replace(" and ", " ")):
        if word in _VALUES:
            group += _VALUES[word]
        elif word in ("dozen", "hundred"):
            group = max(group, 1) * _VALUES_OF_SCALES[word]
        elif word in _VALUES_OF_SCALES:
            total, group = total + max(group, 1) * _VALUES_OF_SCALES[word], 0.0
        else:
            return None
    return total + group + and_a_half


def _interval(text: str, *, slack: float) -> Interval | None:
    """What a number, hedged or not, may stand for; `slack` in its own unit is granted to rounded numbers."""
    for hedge in HEDGES:
        for word in hedge.texts:
            number = read_number(text.removeprefix(word).strip()) if text.startswith(word) else None
            if number is not None:
                return hedge.around(number, slack=slack)
    return None


def _measured(text: str, units: Mapping[str, float], *, slack: float) -> Interval | None:
    """Read a number with a unit; the numeral's unit of rounding is `slack`."""
    text = re.sub(r" (long|wide|across|in length|in area|in size)$", "", text)
    match = re.fullmatch(rf"(.*?)[ -]?({'|'.join(sorted(map(re.escape, units), key=len, reverse=True))})", text)
    if not match:
        return None
    factor = units[match[2]]
    interval = _interval(match[1].strip(), slack=slack if factor < 10 else 0)
    return (interval[0] * factor, interval[1] * factor) if interval else None


def _rounded(value: float, unit: str) -> tuple[str, ...]:
    """Phrases for a positive measure in a unit, rounded as people round."""
    near = _nice(value, finest=1 if unit in ("metre", "square metre") else 0.1)
    numeral = f"{near:,.0f}" if near == round(near) else f"{near:.1f}"
    named = f"{numeral} {unit}" if numeral == "1" else f"{numeral} {unit}s"
    off = value / near - 1
    lean = (OVER if off > 0 else UNDER) if 0.01 <= abs(off) <= ABOUT else None
    return (
        *((named,) if abs(off) <= EXACT / 2 else ()),
        *(f"{word} {named}" for word in VAGUE.texts[:4]),
        *(f"{word} {named}" for word in (lean.texts[:2] if lean else ())),
    )


def _nice(value: float, *, finest: float = 1) -> float:
    """Round to what a person would say: steps of at most an eighth, tens where they are near enough."""
    steps = ((10, finest), (20, 1), (100, 5), (500, 10), (1000, 50))
    coarse = 10.0 ** (math.floor(math.log10(value)) - 1)
    step = next((step for limit, step in steps if value < limit), coarse)
    return round(round(value / step) * step, 1)
