"""Sorts more rows than fit into memory along a curve that keeps neighbours together."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

BITS: Final = 20
"""Cells of the curve along a side of the world: 2^20, some 38 m of longitude at the equator."""

RUN_BYTES: Final = 64 * 2**20
"""Rows held before they are sorted and put aside."""

BLOCK: Final = 4096
"""Rows of a run that are in memory while runs are merged."""

KEY: Final = "_key"

_END: Final = 2**64


def hilbert(longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Distances along a Hilbert curve over the world, for points in degrees.

    The curve is D. Hilbert's (1891), walked level by level as in Hacker's Delight, chapter 16.
    """
    cells = 2**BITS
    x = np.clip((longitude + 180) / 360 * cells, 0, cells - 1).astype(np.uint64)
    y = np.clip((latitude + 90) / 180 * cells, 0, cells - 1).astype(np.uint64)
    distance = np.zeros(x.shape, np.uint64)
    one = np.uint64(1)
    for bit in np.arange(BITS - 1, -1, -1, dtype=np.uint64):
        right, up = (x >> bit) & one, (y >> bit) & one
        distance = (distance << np.uint64(2)) | ((np.uint64(3) * right) ^ up)
        turned, mirrored = up == 0, (up == 0) & (right == 1)
        x, y = np.where(mirrored, ~x, x), np.where(mirrored, ~y, y)
        x, y = np.where(turned, y, x), np.where(turned, x, y)
    return distance


class SpatialSort:
    """Takes tables in any order and gives their rows back by place, then by `id`.

    Sorted runs are put aside in files and merged block by block, so that memory does not grow with their number
    (external merge sort: Knuth, The Art of Computer Programming 3, section 5.4).

    Args:
        folder: Where the files may lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: list[pa.Table] = []
        self._bytes = 0
        self._runs: list[Path] = []

    def add(self, table: pa.Table, keys: NDArray[np.uint64]) -> None:
        """Takes rows and their places on the curve."""
        table = table.append_column(KEY, pa.array(keys, pa.uint64()))
        self._held.append(table)
        self._bytes += table.nbytes
        if self._bytes > RUN_BYTES:
            self._put_aside()

    def rows(self) -> Iterator[pa.Table]:
        """All rows in order, in tables of any length."""
        if not self._runs:
            if self._held:
                yield self._take_held().drop_columns(KEY)
            return
        if self._held:
            self._put_aside()
        yield from _merge(self._runs)

    def _take_held(self) -> pa.Table:
        held, self._held, self._bytes = pa.concat_tables(self._held), [], 0
        return _sorted(held)

    def _put_aside(self) -> None:
        path = self._folder / f"run-{len(self._runs)}.arrow"
        table = self._take_held()
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table, max_chunksize=BLOCK)
        self._runs.append(path)


def _sorted(table: pa.Table) -> pa.Table:
    return table.sort_by([(KEY, "ascending"), ("id", "ascending")]).combine_chunks()


def _merge(paths: list[Path]) -> Iterator[pa.Table]:
    """Rows of sorted files in their common order.

    Rows below the last key in sight of every file are complete; then the files that set this limit show more.
    """
    runs = [_Run(path) for path in paths]
    while (limit := min(run.last for run in runs)) < _END:
        yield from _ordered([run.take_below(limit) for run in runs])
        for run in runs:
            if run.last == limit:
                run.show_more()
    yield from _ordered([run.pending for run in runs])


def _ordered(pieces: list[pa.Table]) -> Iterator[pa.Table]:
    table = pa.concat_tables(pieces)
    if len(table):
        yield _sorted(table).drop_columns(KEY)


class _Run:
    """A sorted file, of which a few blocks are in sight."""

    def __init__(self, path: Path) -> None:
        self._reader = pa.ipc.open_file(pa.OSFile(str(path)))
        self._next = 0
        self.pending = self._reader.schema.empty_table()
        self.last = 0
        self.show_more()

    def show_more(self) -> None:
        """Reads a block more; `last` is its last key, or beyond all keys where the file ends."""
        block = pa.Table.from_batches([self._reader.get_batch(self._next)])
        self.pending = pa.concat_tables([self.pending, block])
        self._next += 1
        ended = self._next == self._reader.num_record_batches
        self.last = _END if ended else block[KEY][-1].as_py()

    def take_below(self, limit: int) -> pa.Table:
        """Takes out the rows in sight whose keys are smaller."""
        count = int(np.searchsorted(self.pending[KEY].to_numpy(), np.uint64(limit)))
        taken, self.pending = self.pending.slice(0, count), self.pending.slice(count)
        return taken
