"""When things stood, as their tags tell it.

The keys and formats are those of https://wiki.openstreetmap.org/wiki/Key:start_date. Where a date is a span, the
part of it that is sure counts: a thing is taken to stand from the last day of the span of its start on, and to be
gone from the first day of the span of its end on, so that nothing is told that may not have been there.
"""

import calendar
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

STARTS: Final = ("start_date", "construction_date", "year_of_construction", "opening_date")
"""Keys that tell since when a thing stands; the first one that can be read counts. An opening date is left alone
while the thing is under construction: the site can be seen, and the date is a plan."""

ENDS: Final = ("end_date",)
"""Keys that tell since when a thing is gone. Closing dates are none: a closed thing still stands."""

_ABOUT: Final = 5
"""How many days, months or years `~` may be off, after the precision of the date; decades and centuries only one."""

_PARTS: Final = ("early", "mid", "late")

_QUALIFIED: Final = re.compile(
    r"(?:(?P<side>before|after) +)?(?P<about>~ *)?(?:(?P<part>early|mid|late)[ -]+)?(?P<julian>j:)?(?P<plain>.+)",
    re.IGNORECASE,
)

_DAY_OF_JULIAN_0: Final = 1_721_425
"""What a Julian day number has more than `date.toordinal`."""


class Span(NamedTuple):
    """The days among which one is meant.

    Attributes:
        first: First of them; `date.min` where nobody knows how early.
        last: Last of them.
    """

    first: date
    last: date


def period(tags: Mapping[str, str]) -> tuple[date | None, date | None]:
    """When a thing stood, as far as its tags are sure.

    Args:
        tags: All tags of the thing.

    Returns:
        The first day on which it stood for sure, and the first day on which it may have been gone; None for what the
        tags do not tell, or not in a way that can be read. Years before Christ are not read.
    """
    building = "construction" in tags or "construction" in tags.values()
    starts = [key for key in STARTS if not (building and key == "opening_date")]
    start, end = _first_span(tags, starts), _first_span(tags, ENDS)
    return (start.last if start else None, end.first if end else None)


def periods(tags: pa.MapArray) -> tuple[NDArray[np.datetime64], NDArray[np.datetime64]]:
    """The same for many things; only those with one of the keys cost time.

    Args:
        tags: A column of maps from text to text.

    Returns:
        Starts and ends as `period` gives them, as days, NaT for None; each of the length of the column.
    """
    start = np.full(len(tags), "NaT", "datetime64[D]")
    end = start.copy()
    dated = pc.is_in(tags.keys, pa.array([*STARTS, *ENDS])).to_numpy(zero_copy_only=False)
    places = np.flatnonzero(dated)
    offsets = tags.offsets.to_numpy()
    rows = np.unique(np.searchsorted(offsets, places, side="right")) - 1
    for row in rows[(rows >= 0) & (rows < len(tags))].tolist():
        start[row], end[row] = period(dict(tags[row].as_py()))
    return start, end


def stood(
    on: date, start: NDArray[np.datetime64], end: NDArray[np.datetime64], edited: NDArray[np.datetime64]
) -> NDArray[np.bool_]:
    """Which things can be vouched for on a day, out of a map that only knows their present state.

    A thing is left out whose start is later, whose end is not, or which was edited after that day: what it was
    before the edit, nobody knows. What is unknown leaves nothing out.

    Args:
        on: The day, UTC.
        start: First days on which they stood, NaT where unknown; days.
        end: First days on which they may be gone, NaT where unknown; days.
        edited: Times of their last edits, NaT where unknown; seconds, UTC.

    Returns:
        True where nothing speaks against it.
    """
    day = np.datetime64(on, "D")
    return ~((start > day) | (end <= day) | (edited >= day + 1))


@lru_cache(maxsize=10_000)
def span(text: str) -> Span | None:
    """Reads a date of OpenStreetMap.

    | text | days |
    |---|---|
    | `2019`, `2019-05`, `2019-05-03` | the year, the month, the day |
    | `1850s` | the ten years from 1850 on; `1800s` too are ten years |
    | `C19` | 1801 to 1900 |
    | `early 1920s`, `mid C14`, `late 2015` | a third of that time |
    | `~1920` | five years earlier to five years later; with months and days likewise; other times once their length |
    | `before 1900` | anything up to the day before |
    | `after 1900` | 1900, as nothing is known but that it is later |
    | `2015..2017`, `mid C17..late C17` | from the first to the last day of both |
    | `j:1918-01-31`, `jd:2455511` | a day of the Julian calendar; a Julian day number |
    | `19/01/2005` | that year, as nobody can tell which number is the month (not of the wiki, but common) |

    Args:
        text: Value of a tag.

    Returns:
        The span, None if the text is nothing of that kind.
    """
    first, dots, last = text.partition("..")
    if not dots:
        return _single(text)
    ends = _single(first), _single(last)
    if ends[0] and ends[1] and ends[0].first <= ends[1].last:
        return Span(ends[0].first, ends[1].last)
    return None


def _first_span(tags: Mapping[str, str], keys: Iterable[str]) -> Span | None:
    spans = (span(tags[key]) for key in keys if key in tags)
    return next((each for each in spans if each), None)


def _single(text: str) -> Span | None:
    """Reads a date that is no range."""
    words = _QUALIFIED.fullmatch(text.strip())
    days = _plain(words["plain"]) if words else None
    if not words or not days:
        return None
    if words["julian"]:
        days = Span(_gregorian(days.first), _gregorian(days.last))
    if words["part"]:
        days = _third(days, _PARTS.index(words["part"].lower()))
    if words["about"]:
        off = _length(days) * (_ABOUT if _length(days) <= 366 else 1)
        days = Span(_moved(days.first, -off), _moved(days.last, off))
    if (words["side"] or "").lower() == "before":
        days = Span(date.min, _moved(days.first, -1))
    return days


def _iso(year: int, month: int | None = None, day: int | None = None) -> Span:
    if month is None:
        return _years(year, 1)
    if day is None:
        return Span(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))
    return Span(date(year, month, day), date(year, month, day))


def _years(first: int, count: int) -> Span:
    return Span(date(first, 1, 1), date(first + count - 1, 12, 31))


def _day_number(number: int) -> Span:
    day = date.fromordinal(number - _DAY_OF_JULIAN_0)
    return Span(day, day)


_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[..., Span]], ...]] = (
    (re.compile(r"(\d{4})(?:-(\d\d?)(?:-(\d\d?))?)?", re.ASCII), _iso),
    (re.compile(r"(\d{3}0)s", re.ASCII), lambda year: _years(year, 10)),
    (re.compile(r"[Cc](\d\d?)", re.ASCII), lambda century: _years(100 * century - 99, 100)),
    (re.compile(r"\d\d?/\d\d?/(\d{4})", re.ASCII), lambda year: _years(year, 1)),
    (re.compile(r"jd:(\d{1,7})", re.ASCII), _day_number),
)


def _plain(text: str) -> Span | None:
    """Reads a date without qualifying words; one that no calendar has is none."""
    for form, days in _FORMS:
        found = form.fullmatch(text)
        if found:
            try:
                return days(*(int(number) for number in found.groups() if number))
            except ValueError:
                return None
    return None


def _length(days: Span) -> int:
    return (days.last - days.first).days + 1


def _third(days: Span, part: int) -> Span:
    """Part 0, 1 or 2 of three; a day on their border belongs to both."""
    length = _length(days)
    return Span(_moved(days.first, length * part // 3), _moved(days.first, -(-length * (part + 1) // 3) - 1))


def _gregorian(day: date) -> date:
    """The day that the Julian calendar calls so: the calendars part by a day in each century year but every fourth."""
    year = day.year - (day.month <= 2)
    return _moved(day, year // 100 - year // 400 - 2)


def _moved(day: date, days: int) -> date:
    """Some days later; no further than years go."""
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))
