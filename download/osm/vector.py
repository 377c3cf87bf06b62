"""Reads GeoPackage and GeoParquet files that hold OSM elements with their ids and tags.

What is accepted, in every layer with geometries (tables without are passed over):

- **geometry** with a known CRS: points, lines, polygons and multipolygons.
- **ids** in a column `id`, `osm_id`, `feature_id` or `@id`: text like `way/123` or `w123`, or numbers with the type
  (`node`, `way`, `relation`, or its first letter) in `osm_type` or `@type`. Without types, as GDAL's OSM driver
  writes them: a point is a node, a line a way, a polygon the way of `osm_way_id` or else a relation.
- **tags** in a column `tags` (a map, JSON text, or hstore text `"key"=>"value"`); or in `other_tags` of the same
  forms beside a text column for each further key (GDAL again); or in one text column for each key.
- **timestamp** of the last edit, if there is such a column.

So what MapTeller writes can be read again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from download.errors import DownloadError
from download.osm.layers import Layer, layers
from download.osm.raw import NODE, RELATION, TIMESTAMP, WAY, RawElements, Tally, plain
from download.osm.tag_text import tag_column
from download.scene import Bounds

ID_COLUMNS: Final = ("id", "osm_id", "feature_id", "@id")
TYPE_COLUMNS: Final = ("osm_type", "@type")
TAG_COLUMNS: Final = ("tags", "other_tags")
WAY_IDS: Final = "osm_way_id"
TIMESTAMPS: Final = "timestamp"

_ID: Final = r"^(?P<type>[a-zA-Z]*)/?(?P<number>-?[0-9]+)$"
_LETTERS: Final = pa.array(["n", "w", "r"])
_POLYGONS: Final = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_KNOWN: Final = (shapely.GeometryType.POINT, shapely.GeometryType.LINESTRING, *_POLYGONS)
_UNKNOWN: Final = -1


def check(path: Path) -> None:
    """Looks whether the layers have what is needed.

    Raises:
        DownloadError: They have not; the message names the columns found and wanted.
    """
    for layer in layers(path):
        _columns(layer)


def bounds(path: Path) -> Bounds | None:
    """The box of all layers in degrees, None where a layer does not state its box."""
    found = layers(path)
    boxes = [_degrees(layer).transform_bounds(*layer.bounds) for layer in found if layer.bounds]
    if len(boxes) < len(found):
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return (min(west), min(south), max(east), max(north))


def read(path: Path, tally: Tally) -> Iterator[RawElements]:
    """Streams the rows as elements; of several with the same id the first counts, so ids are held in memory.

    Args:
        path: The file.
        tally: Filled on the way.

    Raises:
        DownloadError: The file cannot be used.
    """
    seen: set[tuple[int, int]] = set()
    for layer in layers(path):
        columns = _columns(layer)
        for batch in layer.batches():
            tally.read += len(batch)
            elements = _elements(batch, layer, columns, tally)
            new = _unseen(elements, seen)
            tally.leave_out("second row of an id", int((~new).sum()))
            yield elements.take(new)


def _unseen(elements: RawElements, seen: set[tuple[int, int]]) -> NDArray[np.bool_]:
    """Which rows have an id that none before had; adds them to the ids seen."""
    new = np.ones(len(elements), bool)
    for row, key in enumerate(zip(elements.origin.tolist(), elements.osm_id.tolist(), strict=True)):
        new[row] = key not in seen
        seen.add(key)
    return new


class _Columns(NamedTuple):
    """Which column of a layer says what."""

    ids: str
    types: str | None
    way_ids: str | None
    tags: str | None
    keys: list[str]
    timestamp: str | None


def _columns(layer: Layer) -> _Columns:
    names = layer.schema.names
    ids, types, tags = (_first(names, wanted) for wanted in (ID_COLUMNS, TYPE_COLUMNS, TAG_COLUMNS))
    reserved = {*ID_COLUMNS, *TYPE_COLUMNS, *TAG_COLUMNS, WAY_IDS, TIMESTAMPS, layer.geometry}
    texts = [field.name for field in layer.schema if field.type in (pa.string(), pa.large_string())]
    keys = [] if tags == "tags" else [name for name in texts if name not in reserved]
    missing = [
        *([] if ids else [f"OSM ids in one of {', '.join(ID_COLUMNS)}"]),
        *([] if tags or keys else ["tags in `tags` or `other_tags`, or a text column for each key"]),
    ]
    if missing:
        raise DownloadError(f"{layer} lacks {' and '.join(missing)}. Its columns are: {', '.join(names)}.")
    assert ids
    return _Columns(ids, types, _first(names, (WAY_IDS,)), tags, keys, _first(names, (TIMESTAMPS,)))


def _first(names: list[str], wanted: tuple[str, ...]) -> str | None:
    return next((name for name in wanted if name in names), None)


def _degrees(layer: Layer) -> Transformer:
    return Transformer.from_crs(layer.crs, 4326, always_xy=True)


def _elements(batch: pa.RecordBatch, layer: Layer, columns: _Columns, tally: Tally) -> RawElements:
    """Rows that are elements; the others are counted by reason."""
    geometry = _geometry(batch.column(layer.geometry), layer)
    types = shapely.get_type_id(geometry)
    origin, osm_id = _ids(batch, columns, types)
    elements = RawElements(
        origin.astype(np.uint8),
        osm_id,
        tag_column(batch, columns.tags, columns.keys),
        _timestamps(batch, columns.timestamp, layer),
        geometry,
    )
    faults = {
        "row without a geometry": types == _UNKNOWN,
        "row with a geometry that no element has": ~np.isin(types, _KNOWN),
        "row without an OSM id and type": origin == _UNKNOWN,
        "relation of another type": (origin == RELATION) & ~np.isin(types, _POLYGONS),
    }
    usable = np.ones(len(batch), bool)
    for reason, faulty in faults.items():
        tally.leave_out(reason, int((faulty & usable).sum()))
        usable &= ~faulty
    return elements.take(usable)


def _timestamps(batch: pa.RecordBatch, name: str | None, layer: Layer) -> pa.Array:
    if name is None:
        return pa.nulls(len(batch), TIMESTAMP)
    try:
        return pc.cast(batch.column(name), TIMESTAMP, safe=False)
    except pa.ArrowInvalid as error:
        raise DownloadError(f"Column `{name}` of {layer} holds no points in time: {error}.") from error


def _geometry(column: pa.Array, layer: Layer) -> NDArray[Any]:
    """Geometries in degrees, flat; empty ones missing, those of one part plain."""
    geometry = shapely.force_2d(shapely.from_wkb(column.to_numpy(zero_copy_only=False)))
    geometry[shapely.is_empty(geometry)] = None
    geometry = plain(geometry)
    if layer.crs.to_authority() in {("EPSG", "4326"), ("OGC", "CRS84")}:
        return geometry
    there = _degrees(layer)
    return shapely.transform(geometry, lambda points: np.column_stack(there.transform(points[:, 0], points[:, 1])))


def _ids(
    batch: pa.RecordBatch, columns: _Columns, geometry_types: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Types and numbers of the elements; type -1 where either is unknown."""
    texts = _text(batch.column(columns.ids))
    if columns.way_ids:
        ways = pc.binary_join_element_wise("way", _text(batch.column(columns.way_ids)), "/")
        texts = pc.coalesce(texts, ways)
    parts = pc.extract_regex(texts, _ID)
    words, numbers = pc.struct_field(parts, "type"), pc.struct_field(parts, "number")
    if columns.types:
        words = pc.if_else(pc.equal(words, ""), _text(batch.column(columns.types)), words)
    letters = pc.utf8_lower(pc.utf8_slice_codeunits(words, 0, 1))
    origin = pc.index_in(letters, _LETTERS).fill_null(_UNKNOWN).to_numpy().astype(np.int64)
    untyped = pc.equal(letters, "").fill_null(False).to_numpy(zero_copy_only=False)
    origin[untyped & (geometry_types == shapely.GeometryType.POINT)] = NODE
    origin[untyped & (geometry_types == shapely.GeometryType.LINESTRING)] = WAY
    if columns.way_ids:
        origin[untyped & np.isin(geometry_types, _POLYGONS)] = RELATION
    return origin, numbers.cast(pa.int64()).fill_null(0).to_numpy()


def _text(column: pa.Array) -> pa.Array:
    """Ids as text, also those that a table keeps as numbers with a point."""
    return (column.cast(pa.int64()) if pa.types.is_floating(column.type) else column).cast(pa.string())
