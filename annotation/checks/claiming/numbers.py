"""Numbers in a caption: how much, of which unit, and what that may stand for."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.checks.claiming.numerals import (
    AFTER_UNITS,
    ARTICLES,
    COUNT_WORDS,
    GLYPHS,
    PARTS,
    SCALES,
    SHARE_WORDS,
    UNIT_WORDS,
    VALUES,
    ByWords,
    past_odd,
    read_hedge,
    read_unit,
    read_value,
)
from annotation.checks.claiming.text import Text
from annotation.phrasing.quantities import NONE, VAGUE, Hedge, fraction_interval

STARTERS = frozenset((*VALUES, *SCALES, *GLYPHS, *PARTS, *ARTICLES, *COUNT_WORDS, *SHARE_WORDS))
"""Words that numbers begin with, besides digits."""
_PLAIN = frozenset(("a", "an", "the", "some"))
_AFTER_ARTICLES = frozenset(
    (
        *SCALES,
        *PARTS,
        *UNIT_WORDS,
        "full",
        "good",
        "mere",
        *(second for word in _PLAIN for table in (COUNT_WORDS, SHARE_WORDS) for second in table.get(word, ())),
    )
)
"""What may follow an article that begins a number."""
_SEEN = frozenset(("visible", "mapped", "shown"))
_FULLY = frozenset(("full", "good", "mere"))
_GRANTED = 0.5
"""Metres or square metres that rounding may cost."""


@dataclass(slots=True)
class Quantity:
    """A number or share in a caption.

    Attributes:
        kind: `share`, `length`, `area` or `count`.
        low: least that it may stand for, in metres or square metres where it has a unit.
        high: most.
        start: first word, that of its hedge.
        stop: after its last word.
        numeral: whether it is a number, and not a word such as several.
    """

    kind: str
    low: float
    high: float
    start: int
    stop: int
    numeral: bool = True


def may_begin(words: Sequence[str], place: int) -> bool:
    """Whether a number may begin at a word; quicker to ask than to read it."""
    word = words[place]
    if word in _PLAIN:
        return place + 1 < len(words) and words[place + 1] in _AFTER_ARTICLES
    return word in STARTERS or word[0].isdigit() or word[0] == "."


def quantity_at(text: Text, place: int) -> Quantity | None:
    """The number that begins at a word, with its unit and the hedge before it."""
    words = text.words
    phrase = _phrase(words, place, SHARE_WORDS, "share") or _phrase(words, place, COUNT_WORDS, "count")
    number = _fraction(words, place) or _number(text, place)
    return number if number and (phrase is None or number.stop > phrase.stop) else phrase


def _phrase(words: Sequence[str], place: int, table: ByWords, kind: str) -> Quantity | None:
    by_second = table.get(words[place])
    if by_second is None:
        return None
    for second in (words[place + 1] if place + 1 < len(words) else "", ""):
        for phrase, (low, high) in by_second.get(second, ()):
            if words[place : place + len(phrase)] == phrase:
                return Quantity(kind, low, high, place, place + len(phrase), numeral=False)
    return None


def _number(text: Text, place: int) -> Quantity | None:
    """`About 1,200 square feet`, `nearly 12 percent`, `200 to 250 metres`, `thirty-eight`."""
    words = text.words
    least, stop = read_value(words, place)
    if stop == place:
        return None
    more, stop = _and_a_part(words, stop)
    least += more
    most, stop = _upper(text, place, least, stop)
    start, hedge = read_hedge(words, place)
    hedge, stop = _or_so(words, stop, hedge)
    if past_odd(words, stop) > stop:  # forty-odd metres: 40 to 50
        most, stop = most + _odd(most), past_odd(words, stop)
    article = words[place] in ("a", "an") and stop == place + 1
    kind, factor, end, slack = _measure(words, stop)
    if kind == "length" and start and words[start - 1] == "within" and words[end : end + 1] == ["of"]:
        return Quantity(kind, 0.0, hedge.around(most)[1] * factor, start, end)  # within 30 feet of
    if article and (
        kind == "count"
        or (hedge is NONE and end < len(words) and words[end].isalnum() and words[end] not in AFTER_UNITS)
    ):
        return None
    if kind in ("length", "area") and not more:  # an acre and a half
        more, end = _and_a_part(words, end)
        least, most = least + more, most + more
    hedge, end = _or_so(words, end, hedge)
    if kind == "count" and hedge is NONE:
        return Quantity(kind, least, most, start, end)
    low, high = hedge.around(least, slack=slack)[0] * factor, hedge.around(most, slack=slack)[1] * factor
    return Quantity(kind, low, min(high, 1.0) if kind == "share" else high, start, end)


def _odd(value: float) -> float:
    return 100.0 if value and value % 100 == 0 else 10.0 if value % 10 == 0 else 1.0


def _and_a_part(words: Sequence[str], stop: int) -> tuple[float, int]:
    """`And a half`, `and three quarters`: a part of one more, and where it ends; not of the picture."""
    if stop + 1 >= len(words) or words[stop] != "and":
        return 0.0, stop
    part, end = _ratio(words, stop + 1)
    of_it = words[end : end + 1] == ["of"] and words[end + 1 : end + 2] in (["the"], ["this"], ["it"], ["its"])
    return (part, end) if 0 < part < 1 and not of_it else (0.0, stop)


def _measure(words: Sequence[str], stop: int) -> tuple[str, float, int, float]:
    """What a number counts, as a factor, where that ends, and what rounding may cost in its own unit."""
    after = words[stop] if stop < len(words) else ""
    if after == "%":
        return "share", 0.01, stop + 1, 1.0
    if after == "per" and words[stop + 1 : stop + 2] == ["cent"]:
        return "share", 0.01, stop + 2, 1.0
    unit = read_unit(words, stop + (after in _SEEN))
    if unit is None:
        return "count", 1.0, stop, 1.0
    kind, factor, end = unit
    return kind, factor, end, _GRANTED if factor < SCALES["dozen"] else 0.0


def _upper(text: Text, place: int, least: float, stop: int) -> tuple[float, int]:
    """The upper end of a range and where it ends; the number itself where there is none."""
    words = text.words
    if stop >= len(words):
        return least, stop
    dashed, word = text.joined[stop], words[stop]
    linked = word in ("to", "or") or (word == "and" and place > 0 and words[place - 1] == "between")
    if dashed or linked:
        after = stop if dashed else stop + 1
        most, end = read_value(words, after)
        if end > after and most > least and (dashed or _has_unit(words, end)):
            return most, end
    return least, stop


def _has_unit(words: Sequence[str], stop: int) -> bool:
    return read_unit(words, stop) is not None or words[stop : stop + 1] in (["%"], ["per"])


def _or_so(words: Sequence[str], stop: int, hedge: Hedge) -> tuple[Hedge, int]:
    """`A hundred or so`: a hedge that follows."""
    follows = stop + 1 < len(words) and words[stop] == "or" and words[stop + 1] == "so"
    return (VAGUE, stop + 2) if follows else (hedge, stop)


def _fraction(words: Sequence[str], place: int) -> Quantity | None:
    """`Two thirds`, `half`, `3/4`: a share, or with a unit after it a measure (`a quarter of a mile`)."""
    value, stop = _ratio(words, place)
    if not value:
        return None
    start, hedge = read_hedge(words, place)
    beyond = stop + (words[stop : stop + 1] == ["of"])
    if words[beyond : beyond + 1] and words[beyond] in ARTICLES:
        unit = read_unit(words, beyond + 1)
        if unit:
            kind, factor, end = unit
            low, high = hedge.around(value)
            return Quantity(kind, low * factor, high * factor, start, end)
    if value > 1:
        return None
    return Quantity("share", *fraction_interval(value, hedge), start, stop)


def _ratio(words: Sequence[str], place: int) -> tuple[float, int]:
    """A fraction and where it ends; zero if there is none."""
    word = words[place]
    if word in GLYPHS:
        return GLYPHS[word], place + 1
    if word.isdecimal() and words[place + 1 : place + 2] == ["/"]:
        below = words[place + 2] if place + 2 < len(words) else ""
        return (float(word) / float(below), place + 3) if below.isdecimal() and float(below) else (0.0, place)
    top = 1.0 if word in ARTICLES else VALUES.get(word) or (float(word) if word.isdecimal() else 0.0)
    after = place + bool(top)
    if top and after < len(words) and words[after] in _FULLY:
        after += 1
    part = PARTS.get(words[after]) if after < len(words) else None
    return ((top or 1.0) / part, after + 1) if part and (top or words[after] == "half") else (0.0, place)
