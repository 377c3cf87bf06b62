"""Tags of many OSM objects at once.

Asking pyosmium for the tags of one object after another costs more than everything else in reading a map, because
each tag becomes a Python object. Here osmium writes a batch of objects to a file of lines (OPL, "object per line",
https://osmcode.org/opl-file-format/), which takes about a microsecond an object, and Arrow takes the lines apart as
columns.
"""

import re
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

import numpy as np
import osmium
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from download.osm.raw import NODE, TIMESTAMP, WAY

_FIELDS: Final = 5
"""Of a line: type and id, deleted or not, timestamp, tags, and where it is."""

_ESCAPED: Final = re.compile("%([0-9a-f]+)%")


class Labels(NamedTuple):
    """What OSM objects carry besides their geometry, as columns."""

    origin: NDArray[np.uint8]
    osm_id: NDArray[np.int64]
    tags: pa.MapArray
    timestamp: pa.Array


class TagSheet:
    """Collects tagged objects with `add_node` and `add_way`, and gives back their labels as columns.

    Args:
        folder: Where the file of lines may lie; it holds one batch at a time.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "labels.opl"
        self._pool = osmium.io.ThreadPool()
        self._start()

    def _start(self) -> None:
        file = osmium.io.File(str(self._path), "opl,add_metadata=timestamp")
        self._writer = osmium.SimpleWriter(file, overwrite=True, thread_pool=self._pool)
        self.add_node = self._writer.add_node
        self.add_way = self._writer.add_way

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
        self._path.unlink(missing_ok=True)

    def take(self) -> Labels:
        """Labels of the objects added since the last time, in their order."""
        self._writer.close()
        text = pa.array([self._path.read_bytes()], pa.string())
        self._start()
        lines = pc.split_pattern(text, "\n").flatten()[:-1]
        fields = pc.split_pattern(lines, " ", max_splits=_FIELDS - 1).flatten()
        names, stamps, tags = (fields[column::_FIELDS] for column in (0, 2, 3))
        is_node = pc.starts_with(names, "n").to_numpy(zero_copy_only=False)
        return Labels(
            np.where(is_node, NODE, WAY).astype(np.uint8),
            pc.utf8_slice_codeunits(names, 1).cast(pa.int64()).to_numpy(),
            _tags(pc.utf8_slice_codeunits(tags, 1)),
            _timestamps(pc.utf8_slice_codeunits(stamps, 1)),
        )


def _tags(column: pa.StringArray) -> pa.MapArray:
    """`key=value,key=value` -> maps."""
    lists = pc.split_pattern(column, ",")
    words = pc.split_pattern(lists.flatten(), "=", max_splits=1).flatten()
    return pa.MapArray.from_arrays(lists.offsets, _unescaped(words[0::2]), _unescaped(words[1::2]))


def _unescaped(words: pa.StringArray) -> pa.StringArray:
    """Characters that OPL writes as `%hex%` put back; most words have none, and many are the same."""
    coded = words.dictionary_encode()
    plain = [
        _ESCAPED.sub(lambda code: chr(int(code[1], 16)), word) if "%" in word else word
        for word in coded.dictionary.to_pylist()
    ]
    return pa.DictionaryArray.from_arrays(coded.indices, pa.array(plain, pa.string())).dictionary_decode()


def _timestamps(column: pa.StringArray) -> pa.Array:
    """`2022-04-30T07:19:13Z` -> seconds, nothing -> null."""
    known = pc.if_else(pc.equal(column, ""), None, column)
    return known.cast(TIMESTAMP)
