"""Dates of OpenStreetMap: the formats of its wiki, and which things stood on a day."""

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from download.osm.dates import Span, period, periods, span, stood
from download.osm.raw import TAGS

# fmt: off
FORMATS = [
    ("2019", "2019-01-01", "2019-12-31"),
    ("0897", "0897-01-01", "0897-12-31"),
    ("2019-05", "2019-05-01", "2019-05-31"),
    ("2020-02", "2020-02-01", "2020-02-29"),
    ("2019-05-03", "2019-05-03", "2019-05-03"),
    ("2019-5-3", "2019-05-03", "2019-05-03"),
    (" 2019 ", "2019-01-01", "2019-12-31"),
    ("1850s", "1850-01-01", "1859-12-31"),
    ("1800s", "1800-01-01", "1809-12-31"),
    ("C19", "1801-01-01", "1900-12-31"),
    ("C1", "0001-01-01", "0100-12-31"),
    ("late C19", "1867-09-01", "1900-12-31"),
    ("mid C14", "1334-05-02", "1367-09-01"),
    ("early 1920s", "1920-01-01", "1923-05-02"),
    ("mid-1950s", "1953-05-02", "1956-08-31"),
    ("Late 2015", "2015-09-01", "2015-12-31"),
    ("~1920", "1914-12-28", "1926-01-04"),
    ("~1940s", "1929-12-31", "1960-01-01"),
    ("~C13", "1101-01-02", "1400-12-31"),
    ("~2015-05", "2014-11-27", "2015-11-02"),
    ("~2015-05-20", "2015-05-15", "2015-05-25"),
    ("before 1900", "0001-01-01", "1899-12-31"),
    ("before 1910-01-20", "0001-01-01", "1910-01-19"),
    ("before late 1920s", "0001-01-01", "1926-08-31"),
    ("after 1900", "1900-01-01", "1900-12-31"),
    ("2015..2017", "2015-01-01", "2017-12-31"),
    ("2008-08-08..2008-08-24", "2008-08-08", "2008-08-24"),
    ("mid C17..late C17", "1634-05-02", "1700-12-31"),
    ("1980..~1990", "1980-01-01", "1995-12-30"),
    ("j:1918-01-31", "1918-02-13", "1918-02-13"),
    ("j:1700-02-28", "1700-03-10", "1700-03-10"),
    ("j:1700-03-01", "1700-03-12", "1700-03-12"),
    ("j:1582-10-05", "1582-10-15", "1582-10-15"),
    ("jd:2455511", "2010-11-10", "2010-11-10"),
    ("19/01/2005", "2005-01-01", "2005-12-31"),
]
# fmt: on

UNREADABLE = (
    "", "yes", "unknown", "201011", "480 BC", "2019-13", "2019-02-30", "2019-00", "2019-05-00", "0000", "1914-1918",
    "1998 or 1999", "2019-05-03T10:00", "28/10/2004;29/10/2004", "2017..2015", "..2017", "2015..", "1914..1916..1918",
    "C0", "1855s", "summer 1998", "~", "before", "before before 1900", "~~1920", "jd:99999999", "jd:9999999", "jd:1",
    "٢٠١٩",
)  # fmt: skip

DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))


@pytest.mark.parametrize(("text", "first", "last"), FORMATS)
def test_formats(text: str, first: str, last: str) -> None:
    assert span(text) == Span(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_cannot_be_read_is_not_guessed(text: str) -> None:
    assert span(text) is None
    assert period({"start_date": text, "end_date": text}) == (None, None)


@given(st.text() | st.text("~Cj:.0123456789- s/beforlaty", max_size=30))
@example("~" * 255)
@example("before ~0001")
@example("~9999")
@example("j:0001-01-01")
def test_any_text_is_read_or_left(text: str) -> None:
    days = span(text)
    assert days is None or days.first <= days.last


@given(DAYS)
def test_a_day_lies_in_its_month_year_decade_and_century(day: date) -> None:
    century = (day.year + 99) // 100
    texts = [day.isoformat(), f"{day:%Y-%m}".zfill(7), f"{day.year:04}", f"C{century}", f"~{day.year:04}"]
    if day.year >= 10:
        texts.insert(3, f"{day.year // 10:03}0s")
    for text in texts:
        days = span(text)
        if days is None:
            assert century == 100
        else:
            assert days.first <= day <= days.last


@given(DAYS)
def test_the_three_thirds_cover_the_whole(day: date) -> None:
    whole = span(f"{day.year:04}")
    early, mid, late = (span(f"{part} {day.year:04}") for part in ("early", "mid", "late"))
    assert whole
    assert early
    assert mid
    assert late
    assert (early.first, late.last) == whole
    assert 0 <= (mid.first - early.last).days <= 1
    assert 0 <= (late.first - mid.last).days <= 1


@given(DAYS, DAYS)
def test_a_range_goes_from_the_first_to_the_last_day(one: date, other: date) -> None:
    first, last = sorted([one, other])
    assert span(f"{first.isoformat()}..{last.isoformat()}") == Span(first, last)
    assert first == last or span(f"{last.isoformat()}..{first.isoformat()}") is None


def test_the_sure_part_of_a_period() -> None:
    assert period({"start_date": "1850s", "end_date": "2010s"}) == (date(1859, 12, 31), date(2010, 1, 1))
    assert period({"building": "yes"}) == (None, None)
    assert period({"start_date": "after 1900"}) == (date(1900, 12, 31), None)
    assert period({"end_date": "before 1900"}) == (None, date.min)


def test_other_keys_of_a_start() -> None:
    assert period({"construction_date": "1993"})[0] == date(1993, 12, 31)
    assert period({"year_of_construction": "1928"})[0] == date(1928, 12, 31)
    assert period({"start_date": "1990", "construction_date": "1993"})[0] == date(1990, 12, 31)
    assert period({"start_date": "long ago", "opening_date": "1993"})[0] == date(1993, 12, 31)
    assert period({"highway": "construction", "opening_date": "2023"}) == (None, None)
    assert period({"highway": "construction", "start_date": "2020"})[0] == date(2020, 12, 31)


def test_periods_of_a_column() -> None:
    rows = [
        {"building": "yes"},
        {},
        {"start_date": "2019", "name": "A"},
        {"end_date": "2015-03", "start_date": "j:1918-01-31"},
        {"start_date": "unknown"},
    ]
    column = pa.array([list(row.items()) for row in rows], TAGS)
    for start in range(len(rows)):
        starts, ends = periods(column[start : start + 3])
        expected = [period(row) for row in rows[start : start + 3]]
        assert [each.item() for each in starts] == [first for first, _ in expected]
        assert [each.item() for each in ends] == [last for _, last in expected]


def column(values: list[Any], unit: str) -> NDArray[np.datetime64]:
    return np.array(values, f"datetime64[{unit}]")


MAYBE = st.none() | st.dates(date(2000, 1, 1), date(2000, 1, 20))
MOMENTS = st.none() | st.integers(0, 20 * 86_400).map(lambda second: np.datetime64("2000-01-01", "s") + second)


@given(st.dates(date(2000, 1, 1), date(2000, 1, 20)), st.lists(st.tuples(MAYBE, MAYBE, MOMENTS), max_size=9))
def test_stood_agrees_with_a_loop(
    on: date, things: list[tuple[date | None, date | None, np.datetime64 | None]]
) -> None:
    start, end, edited = ([thing[number] for thing in things] for number in range(3))
    told = stood(on, column(start, "D"), column(end, "D"), column(edited, "s"))
    for thing, answer in zip(things, told.tolist(), strict=True):
        began, ended, touched = thing
        there = (began is None or began <= on) and (ended is None or on < ended)
        vouched = touched is None or touched.astype("datetime64[D]") <= np.datetime64(on)
        assert answer == (there and vouched)


def test_an_edit_on_the_evening_of_the_day_is_no_later_edit() -> None:
    unknown = column([None, None], "D")
    told = stood(date(2019, 5, 3), unknown, unknown, column(["2019-05-03T23:59:59", "2019-05-04T00:00:00"], "s"))
    assert told.tolist() == [True, False]
