"""CSVs of pictures and texts, read row by row."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from pipeline.errors import PipelineError

Pair = dict[str, str]
"""A row: `filepath`, and what else the CSV holds."""


@contextmanager
def reading(file: Path) -> Iterator["csv.DictReader[str]"]:
    """The rows of a CSV; line breaks and quotes may stand in them, missing fields are empty.

    Raises:
        PipelineError: it cannot be read, or is not CSV in UTF-8; also while rows are taken.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, restval="")
            try:
                yield reader
            except (csv.Error, UnicodeDecodeError) as error:
                raise PipelineError(f"{file}, after line {reader.line_num:,}: {error}.") from error
    except OSError as error:
        raise PipelineError(f"{file} cannot be read: {error.strerror}.") from error


def blocks(file: Path, size: int) -> Iterator[list[Pair]]:
    """All rows, `size` at a time.

    Raises:
        PipelineError: see `reading`.
    """
    with reading(file) as reader:
        while block := list(islice(reader, size)):
            yield block
