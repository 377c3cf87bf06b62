"""Tags of OSM elements as tables keep them: maps, JSON, hstore, or a column for each key."""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from download.errors import DownloadError
from download.osm.raw import TAGS

Tags = list[tuple[str, str]]

_PAIR: Final = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*=>\s*(?:"((?:[^"\\]|\\.)*)"|NULL)\s*(?:,|$)', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


def tag_column(batch: pa.RecordBatch, tags: str | None, keys: Sequence[str]) -> pa.MapArray:
    """Tags of the rows of a table, as maps.

    Args:
        batch: The rows.
        tags: Name of the column that holds many tags, if there is one.
        keys: Names of the columns that each hold the values of one key.

    Raises:
        DownloadError: A text of tags is neither JSON nor hstore.
    """
    rows = [_tags(cell) for cell in batch.column(tags).to_pylist()] if tags else [[] for _ in range(len(batch))]
    for key in keys:
        for row, value in zip(rows, batch.column(key).to_pylist(), strict=True):
            if value:
                row.append((key, value))
    return pa.array(rows, TAGS)


def _tags(cell: Any) -> Tags:
    """Tags of one row, from the pairs of a map or from text."""
    if not cell:
        return []
    if isinstance(cell, str):
        return _from_json(cell) if cell.lstrip().startswith("{") else _from_hstore(cell)
    return [(key, value) for key, value in cell if value is not None]


def _from_json(text: str) -> Tags:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise DownloadError(f"The tags {text!r} are not JSON: {error}.") from error
    return [(key, str(value)) for key, value in content.items() if value is not None]


def _from_hstore(text: str) -> Tags:
    r"""PostgreSQL's notation, `"key"=>"value", "key"=>"value"`, with `\"` and `\\` inside of texts."""
    tags: Tags = []
    at = 0
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None:
            raise DownloadError(f'The tags {text!r} are neither JSON nor hstore (\'"key"=>"value"\').')
        if pair[2] is not None:
            tags.append((_ESCAPED.sub(r"\1", pair[1]), _ESCAPED.sub(r"\1", pair[2])))
        at = pair.end()
    return tags
