"""What becomes of raw elements: which are kept, as areas, lines or points, and which of them can be seen."""

import itertools
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from annotation.tags import TagTable
from download.osm.raw import ORIGINS, TAGS, TIMESTAMP, WAY, RawElements, Tally, plain

Outline = Literal["point", "open", "closed", "area"]
"""What the map draws: a node, a way that ends elsewhere or where it began, rings put together."""

SIDES: Final = ("xmin", "ymin", "xmax", "ymax")

ELEMENT_SCHEMA: Final = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("tags", TAGS, nullable=False),
        pa.field("geometry", pa.binary(), nullable=False),
        pa.field("bbox", pa.struct([pa.field(side, pa.float64()) for side in SIDES]), nullable=False),
        pa.field("timestamp", TIMESTAMP),
        pa.field("hidden", pa.string()),
        pa.field("seen_from", pa.float32(), nullable=False),
        pa.field("main", pa.string()),
        pa.field("noun", pa.string(), nullable=False),
    ]
)
"""An element: id (`way/123`); kind (`area`, `line`, `point`); tags; geometry (WKB, EPSG:4326); its box in degrees;
when it was last edited; why it cannot be seen, null if it can; the coarsest GSD in metres at which it can be told
apart, 0 if never; the tag that says what it is (`building=house`), null if none does; what a person would call it."""


LABELS: Final = (
    "addr", "name", "alt_name", "old_name", "official_name", "short_name", "loc_name", "ref", "source", "note",
    "fixme", "description", "operator", "website", "url", "wikidata", "wikipedia", "image", "opening_hours", "phone",
    "contact", "email", "height", "ele", "start_date", "check_date", "survey", "created_by", "tiger", "nycdoitt",
    "massgis", "gnis", "mapillary",
)  # fmt: skip
"""Keys, and all that begin so with a colon, that tell elements apart but never decide on their form or visibility.
Without them most elements of a map are alike, and few decisions remain."""


class Verdict(NamedTuple):
    """What the tags of an element decide."""

    kind: Literal["area", "line", "point"]
    hidden: str | None
    seen_from: float
    main: str | None
    noun: str


class Decider:
    """Asks the tag table about every element, and about equal ones only once."""

    def __init__(self, table: TagTable) -> None:
        self._physical = pa.array(sorted(table.physical_keys), pa.string())
        self._table = table
        self._verdict = lru_cache(maxsize=20_000)(self._decide)

    def __call__(self, raw: RawElements, tally: Tally) -> pa.Table:
        """Elements worth keeping, with the columns of `ELEMENT_SCHEMA`; what is left out or mended is counted.

        Kept is what has a physical key, and administrative boundaries, which carry the names of places.
        """
        wanted = self._wanted(raw.tags)
        tally.leave_out("no physical tag", int((~wanted).sum()))
        raw = raw.take(wanted)
        geometry, outlines = _outlines(raw)
        verdicts = [self._verdict(*each) for each in zip(_telling(raw.tags), outlines, strict=True)]
        kind = pa.array([verdict.kind for verdict in verdicts], pa.string())
        geometry = _drawn(geometry, outlines, pc.equal(kind, "area").to_numpy(zero_copy_only=False), tally)
        columns = [
            _ids(raw),
            kind,
            raw.tags,
            pa.array(shapely.to_wkb(geometry), pa.binary()),
            _boxes(geometry),
            raw.timestamp,
            pa.array([verdict.hidden for verdict in verdicts], pa.string()),
            pa.array([verdict.seen_from for verdict in verdicts], pa.float32()),
            pa.array([verdict.main for verdict in verdicts], pa.string()),
            pa.array([verdict.noun for verdict in verdicts], pa.string()),
        ]
        usable = ~shapely.is_missing(geometry)
        tally.leave_out("outline that encloses nothing", int((~usable).sum()))
        return pa.Table.from_arrays(columns, schema=ELEMENT_SCHEMA).filter(pa.array(usable))

    def _wanted(self, tags: pa.MapArray) -> NDArray[np.bool_]:
        """Rows with a physical key, and administrative boundaries."""
        administrative = pc.and_(pc.equal(tags.keys, "boundary"), pc.equal(tags.items, "administrative"))
        hits = pc.or_(pc.is_in(tags.keys, self._physical), administrative)
        return np.diff(_counted(hits, tags.offsets)) > 0

    def _decide(self, items: tuple[tuple[str, str], ...], outline: Outline) -> Verdict:
        tags = dict(items)
        kind: Literal["area", "line", "point"] = "line"
        if outline == "point":
            kind = "point"
        elif outline == "area" or (outline == "closed" and self._table.is_area(tags, closed=True)):
            kind = "area"
        main, table = self._table.main_tag(tags), self._table
        said = "=".join(main) if main else None
        return Verdict(kind, table.hidden(tags, kind), table.seen_from(tags), said, table.noun(tags))


def _telling(tags: pa.MapArray) -> list[tuple[tuple[str, str], ...]]:
    """Tags that may decide something, without `LABELS`, as tuples that can be compared."""
    keys = tags.keys.dictionary_encode()
    told = pc.invert(pc.match_substring_regex(keys.dictionary, f"^({'|'.join(LABELS)})(:|$)")).take(keys.indices)
    pairs = list(zip(tags.keys.filter(told).to_pylist(), tags.items.filter(told).to_pylist(), strict=True))
    offsets = _counted(told, tags.offsets).tolist()
    return [tuple(pairs[start:end]) for start, end in itertools.pairwise(offsets)]


def _counted(hits: pa.BooleanArray, offsets: pa.Array) -> NDArray[np.int64]:
    """How many hits among the values of a list column lie before each of its offsets."""
    before = np.zeros(len(hits) + 1, np.int64)
    np.cumsum(hits.to_numpy(zero_copy_only=False), out=before[1:])
    counted: NDArray[np.int64] = before[offsets.to_numpy()]
    return counted


def _outlines(raw: RawElements) -> tuple[NDArray[Any], list[Outline]]:
    """Geometries, ways that came as plain polygons as the rings they were drawn as, and what each is."""
    geometry = raw.geometry.copy()
    types = shapely.get_type_id(geometry)
    rings = (raw.origin == WAY) & (types == shapely.GeometryType.POLYGON)
    rings[rings] = shapely.get_num_interior_rings(geometry[rings]) == 0
    geometry[rings] = shapely.get_exterior_ring(geometry[rings])
    lines = rings | (types == shapely.GeometryType.LINESTRING)
    closed = lines & shapely.is_closed(geometry)
    outlines = np.select([types == shapely.GeometryType.POINT, closed, lines], ["point", "closed", "open"], "area")
    return geometry, outlines.tolist()


def _drawn(geometry: NDArray[Any], outlines: list[Outline], is_area: NDArray[np.bool_], tally: Tally) -> NDArray[Any]:
    """Closed ways that are areas filled, broken areas mended; None for what cannot be."""
    drawn = geometry.copy()
    closed = np.array(outlines) == "closed"
    filled = is_area & closed
    triangles = shapely.get_num_coordinates(geometry) >= 4
    drawn[filled & ~triangles] = None
    filled &= triangles
    coordinates, ring = shapely.get_coordinates(geometry[filled], return_index=True)
    drawn[filled] = shapely.polygons(shapely.linearrings(coordinates, indices=ring))
    broken = is_area & ~shapely.is_valid(drawn) & ~shapely.is_missing(drawn)
    drawn[broken] = [_polygons_of(mended) for mended in shapely.make_valid(drawn[broken])]
    tally.repaired += int((~shapely.is_missing(drawn[broken])).sum())
    return drawn


def _polygons_of(mended: shapely.Geometry) -> shapely.Geometry | None:
    """The part of a mended geometry that has an extent, None if nothing has."""
    parts = shapely.get_parts(shapely.get_parts(mended))
    polygons = parts[shapely.area(parts) > 0]
    return plain(np.array([shapely.MultiPolygon(list(polygons))]))[0] if len(polygons) else None


def _ids(raw: RawElements) -> pa.Array:
    words = pa.DictionaryArray.from_arrays(pa.array(raw.origin.astype(np.int8)), pa.array(ORIGINS))
    return pc.binary_join_element_wise(words.dictionary_decode(), pa.array(raw.osm_id).cast(pa.string()), "/")


def _boxes(geometry: NDArray[Any]) -> pa.StructArray:
    bounds = shapely.bounds(geometry)
    return pa.StructArray.from_arrays([pa.array(bounds[:, side]) for side in range(4)], names=list(SIDES))
