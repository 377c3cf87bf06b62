"""A map extract as GeoParquet: one row an element, decided once, ordered by place, read by box."""

import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from annotation.tags import TagTable
from download.osm.extract import OsmExtract
from download.osm.raw import Tally, UnsortedExtract
from download.scene import Bounds
from pipeline.atomic import UNFINISHED, replacing
from pipeline.decide import ELEMENT_SCHEMA, SIDES, Decider
from pipeline.errors import PipelineError
from pipeline.spatial_sort import BITS, SpatialSort, hilbert

__all__ = ["ELEMENT_SCHEMA", "ElementCounts", "ElementStore", "write_elements"]

ROW_GROUP: Final = 4096
"""Elements that are read together; a box of a scene meets few such groups."""


LARGE: Final = 0.01
"""Degrees. Among their neighbours, larger elements would stretch the box of every row group; apart from them, a small
box of Liechtenstein reads 0.3 of the groups instead of 0.65."""


@dataclass(frozen=True, slots=True)
class ElementCounts:
    """What became of a map's elements: `read` is the sum of `written` and `left_out`.

    Attributes:
        read: Tagged nodes, ways and relations.
        written: Elements in the file, by kind.
        hidden: Those among them that cannot be seen, by reason.
        left_out: Those that are not in the file, by reason.
        repaired: Broken outlines that were mended.
        notices: What the user should know of.
    """

    read: int
    written: Mapping[str, int]
    hidden: Mapping[str, int]
    left_out: Mapping[str, int]
    repaired: int
    notices: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The same as plain JSON."""
        return asdict(self)


def write_elements(source: OsmExtract, table: TagTable, target: Path) -> ElementCounts:
    """Reads, decides, orders and writes all elements of a map extract.

    The file appears whole or not at all, and the same extract and table give the same bytes.

    Raises:
        DownloadError: The extract cannot be used.
        PipelineError: No element of it can be used.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", suffix=UNFINISHED, dir=target.parent) as folder:
        scratch = Path(folder)
        try:
            return _write(source, table, target, scratch, Tally())
        except UnsortedExtract as error:
            tally = Tally(notices=[f"{error} It was sorted into a temporary copy."])
            return _write(source.sorted_copy(scratch, tally), table, target, scratch, tally)


def _write(source: OsmExtract, table: TagTable, target: Path, scratch: Path, tally: Tally) -> ElementCounts:
    decide = Decider(table)
    written: Counter[str] = Counter()
    hidden: Counter[str] = Counter()
    ordered = SpatialSort(scratch)
    for raw in source.read(table.physical_keys, scratch, tally):
        elements = decide(raw, tally)
        written += _count(elements["kind"])
        hidden += _count(elements["hidden"].drop_null())
        ordered.add(elements, _places(elements))
    counts = ElementCounts(
        tally.read,
        dict(sorted(written.items())),
        dict(sorted(hidden.items())),
        dict(sorted(tally.left_out.items())),
        tally.repaired,
        tuple(tally.notices),
    )
    if not written:
        raise PipelineError(_nothing(source.path, counts))
    with replacing(target) as beside:
        _write_parquet(ordered.rows(), beside)
    return counts


def _count(column: pa.ChunkedArray) -> Counter[str]:
    return Counter({str(each["values"]): each["counts"].as_py() for each in column.value_counts()})


def _places(elements: pa.Table) -> NDArray[np.uint64]:
    """Where the middles of the elements lie along the curve; large elements come first, by themselves."""
    west, south, east, north = _box_columns(elements)
    small = np.maximum(east - west, north - south) <= LARGE
    return hilbert((west + east) / 2, (south + north) / 2) | (small.astype(np.uint64) << np.uint64(2 * BITS))


def _box_columns(elements: pa.Table) -> list[NDArray[np.float64]]:
    boxes = elements["bbox"].combine_chunks()
    return [boxes.field(side).to_numpy() for side in SIDES]


def _nothing(path: Path, counts: ElementCounts) -> str:
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in counts.left_out.items())
    return (
        f"No element of {path} can be used: of {counts.read:,} with tags, {reasons or 'none is left'}. "
        "Take an extract with roads, buildings, land use or the like, and with the nodes of its ways."
    )


def _write_parquet(tables: Iterator[pa.Table], path: Path) -> None:
    """Writes row groups of one size, and the metadata of GeoParquet 1.1 with the whole box."""
    whole = np.array([np.inf, np.inf, -np.inf, -np.inf])
    with pq.ParquetWriter(
        path, ELEMENT_SCHEMA, compression="zstd", use_dictionary=["kind", "tags", "hidden", "main", "noun"]
    ) as writer:
        for group in _groups(tables):
            west, south, east, north = _box_columns(group)
            box = [west.min(), south.min(), east.max(), north.max()]
            whole = np.concatenate([np.minimum(whole, box)[:2], np.maximum(whole, box)[2:]])
            writer.write_table(group, row_group_size=ROW_GROUP)
        writer.add_key_value_metadata({"geo": json.dumps(_geo(whole.tolist()), sort_keys=True)})


def _groups(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in tables of `ROW_GROUP` rows; the last one may be shorter."""
    held = ELEMENT_SCHEMA.empty_table()
    for table in tables:
        held = pa.concat_tables([held, table])
        whole = len(held) - len(held) % ROW_GROUP
        for start in range(0, whole, ROW_GROUP):
            yield held.slice(start, ROW_GROUP).combine_chunks()
        held = held.slice(whole)
    if len(held):
        yield held.combine_chunks()


def _geo(box: list[float]) -> dict[str, Any]:
    """GeoParquet 1.1 metadata (https://geoparquet.org/releases/v1.1.0/)."""
    from pyproj import CRS

    column = {
        "encoding": "WKB",
        "geometry_types": [],
        "crs": CRS.from_epsg(4326).to_json_dict(),
        "bbox": box,
        "covering": {"bbox": {side: ["bbox", side] for side in SIDES}},
    }
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}


class ElementStore:
    """Elements on disk, of which only those of a box are read.

    Args:
        path: A file made by `write_elements`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def bounds(self) -> Bounds:
        """The box of all elements: west, south, east, north in degrees."""
        with self._open() as file:
            west, south, east, north = json.loads(file.metadata.metadata[b"geo"])["columns"]["geometry"]["bbox"]
        return (west, south, east, north)

    def read(self, bbox: Bounds, *, hidden: bool = False) -> pa.Table:
        """Elements whose boxes meet a box, ordered by id.

        Args:
            bbox: West, south, east, north in degrees (EPSG:4326).
            hidden: Also those that cannot be seen.

        Returns:
            A table with the columns of `ELEMENT_SCHEMA`.
        """
        with self._open() as file:
            table = file.read_row_groups(self.groups_of(bbox)).cast(ELEMENT_SCHEMA)
        wanted = _meets(_box_columns(table), bbox)
        if not hidden:
            wanted &= table["hidden"].is_null().to_numpy()
        return table.filter(pa.array(wanted)).sort_by("id").combine_chunks()

    def groups_of(self, bbox: Bounds) -> list[int]:
        """Numbers of the row groups that may hold elements of a box."""
        groups: list[int] = np.flatnonzero(_meets(self._group_boxes, bbox)).tolist()
        return groups

    def _open(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self.path)
        except (OSError, pa.ArrowInvalid) as error:
            raise PipelineError(f"Cannot read the elements {self.path}: {error}. Remove it and run again.") from error

    @cached_property
    def _group_boxes(self) -> list[NDArray[np.float64]]:
        """West, south, east and north of the row groups, from the statistics of the file."""
        with self._open() as file:
            return _statistics(file.metadata)


def _statistics(metadata: pq.FileMetaData) -> list[NDArray[np.float64]]:
    first = metadata.row_group(0)
    columns = {first.column(number).path_in_schema: number for number in range(first.num_columns)}
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]

    def extremes(side: str, extreme: str) -> NDArray[np.float64]:
        column = columns[f"bbox.{side}"]
        return np.array([getattr(group.column(column).statistics, extreme) for group in groups])

    return [extremes(side, extreme) for side, extreme in zip(SIDES, ("min", "min", "max", "max"), strict=True)]


def _meets(boxes: list[NDArray[np.float64]], bbox: Bounds) -> NDArray[np.bool_]:
    """Whether boxes, given as columns, share a point with a box."""
    west, south, east, north = boxes
    return (west <= bbox[2]) & (east >= bbox[0]) & (south <= bbox[3]) & (north >= bbox[1])
