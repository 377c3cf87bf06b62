"""The rows of the tag table: one row a tag, read from CSV and checked cell by cell.

Columns are `key,value,kind,noun,plural,seen_from,look`; `*` as value stands for any other value of the key, a key
that ends in `:*` for all keys with that prefix.

For **things** (`kind` is `area`, `line`, `point` or `any`: how such an element is drawn when closedness leaves it
open) `noun` and `plural` are what a person would call it, without article; `seen_from` is the coarsest GSD, in
metres per pixel, at which it can be told apart (empty: never); `look` is how it looks from above (empty: never seen).

For **attributes** (`kind` is `attribute`: they describe a thing, they are none) `noun` is the English phrase for
the value ("asphalt surface"), with `{}` where a free value goes ("{} lanes"); `plural` is how the value changes the
noun of the thing that carries it ("broadleaved {}" before the noun, "tennis court" in its place; empty: not at
all); `seen_from` is the coarsest GSD at which the value can be read, and `look` how it looks.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from annotation.errors import AnnotationError

KINDS: Final = ("area", "line", "point", "any", "attribute")

SEEN_FROM: Final = (0.1, 0.2, 0.6, 1.0, 2.0, 10.0, 30.0)
"""Steps of `seen_from`, metres per pixel: drone, best aerial, NAIP, 1 m, best satellite, Sentinel-2, Landsat."""


@dataclass(frozen=True, slots=True)
class TagRow:
    """One row of the table; the module says what the columns mean for things and for attributes."""

    key: str
    value: str
    kind: str
    noun: str
    plural: str
    seen_from: float | None
    look: str


COLUMNS: Final = tuple(column.name for column in fields(TagRow))


def parse_rows(text: str, source: str) -> dict[tuple[str, str], TagRow]:
    """Read rows from CSV text.

    Args:
        text: The file's content, header first.
        source: The file's name, for messages.

    Raises:
        AnnotationError: The header, a cell or a repeated tag is wrong; the message names line and column.
    """
    reader = csv.DictReader(io.StringIO(text), restkey="", restval=None)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise AnnotationError(f"{source}, line 1: the columns must be {','.join(COLUMNS)}, in this order.")
    rows: dict[tuple[str, str], TagRow] = {}
    for cells in reader:
        row = _row(cells, f"{source}, line {reader.line_num}")
        if (row.key, row.value) in rows:
            raise AnnotationError(
                f"{source}, line {reader.line_num}, column value: {row.key}={row.value} stands in the file twice; "
                "keep one of the two rows."
            )
        rows[row.key, row.value] = row
    return rows


def _row(cells: Mapping[str, str | None], where: str) -> TagRow:
    if "" in cells or None in cells.values():
        given = sum(value is not None for name, value in cells.items() if name)
        raise AnnotationError(
            f"{where}, column {COLUMNS[min(given, len(COLUMNS) - 1)]}: a row has {len(COLUMNS)} cells; put a text "
            "that holds a comma in double quotes."
        )
    text = {name: (value or "").strip() for name, value in cells.items()}
    for name in ("key", "value", "noun"):
        if not text[name]:
            raise AnnotationError(f"{where}, column {name}: the cell is empty; every row needs a {name}.")
    if text["kind"] not in KINDS:
        raise AnnotationError(f"{where}, column kind: {text['kind']!r} is none of {', '.join(KINDS)}.")
    if text["kind"] != "attribute" and not text["plural"]:
        raise AnnotationError(f"{where}, column plural: the cell is empty; a thing needs its plural.")
    for name in ("noun", "plural"):
        if "_" in text[name]:
            raise AnnotationError(f"{where}, column {name}: {text[name]!r} holds an underscore; write plain words.")
    return TagRow(
        text["key"],
        text["value"],
        text["kind"],
        text["noun"],
        text["plural"],
        _seen_from(text["seen_from"], where),
        text["look"],
    )


def _seen_from(text: str, where: str) -> float | None:
    steps = {f"{step:g}": step for step in SEEN_FROM}
    if text and text not in steps:
        raise AnnotationError(
            f"{where}, column seen_from: {text!r} is none of {', '.join(steps)}; leave it empty for never."
        )
    return steps.get(text)
