"""Reads OSM's own file formats (PBF, XML, OPL; compressed or not) with pyosmium, in one streaming pass.

Relations are looked at first, so that only those that make areas are assembled; then nodes and ways stream by, and
osmium hands out each assembled area as soon as its last way has passed. Memory holds one batch, the node locations
(a file in the scratch folder for large maps) and the ways of unfinished relations.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import osmium
import pyarrow as pa
import shapely

from download.errors import DownloadError
from download.osm.opl import Labels, TagSheet
from download.osm.raw import ORIGINS, RELATION, TAGS, TIMESTAMP, RawElements, Tally, UnsortedExtract, plain

if TYPE_CHECKING:
    from datetime import datetime

BATCH: Final = 10_000
"""Elements held at a time."""

NODES_IN_MEMORY: Final = 100 * 2**20
"""Size of a file in bytes above which node locations go to disk; 100 MiB of PBF hold some 11 million nodes,
which take 180 MB in memory."""

SORTABLE: Final = 200 * 2**20
"""Size of an unsorted file in bytes up to which it is sorted in memory."""

AREA_TYPES: Final = frozenset({"multipolygon", "boundary"})
"""Values of a relation's `type` that osmium assembles to areas."""

ROUTE_TYPES: Final = frozenset({"route", "route_master", "superroute"})

_OUT_OF_ORDER: Final = ("out of order", "twice in input", "Found a node after", "Found a way after", "must be before")


def read(path: Path, keys: Collection[str], scratch: Path, tally: Tally) -> Iterator[RawElements]:
    """Reads the elements of an OSM file.

    Ways and nodes come with any tags, relations only where they can be areas with one of the keys (or
    administrative boundaries, which carry the names of places). What is left out is counted.

    Args:
        path: File in any format that osmium reads.
        keys: Keys one of which a relation needs.
        scratch: Folder for temporary files.
        tally: Filled on the way.

    Raises:
        UnsortedExtract: The file is not sorted; `sort` mends it.
        DownloadError: The file is broken.
    """
    try:
        candidates = _area_relations(path, keys, tally)
        stream = _Stream(path, candidates, scratch, tally)
        yield from stream.batches()
        failed = candidates - stream.assembled
        if failed:
            yield from _mend_relations(path, stream.locations, failed, tally)
    except RuntimeError as error:
        if any(sign in str(error) for sign in _OUT_OF_ORDER):
            raise UnsortedExtract(f"{path} is not sorted: {error}.") from error
        raise DownloadError(
            f"Cannot read the map extract {path}: {error}. It is damaged or was cut short: fetch it again."
        ) from error


def sort(path: Path, target: Path) -> int:
    """Writes the elements of a file sorted by type and id, of several with the same id only the newest version.

    Everything is held in memory meanwhile, some 15 times the size of a PBF file.

    Returns:
        How many tagged elements were older versions, or the same once more.

    Raises:
        DownloadError: The file is too large for that; the message says how to sort it.
    """
    size = path.stat().st_size
    if size > SORTABLE:
        raise DownloadError(
            f"{path} is not sorted by type and id, and with {size / 2**20:.0f} MiB too large to be sorted here. "
            f"Sort it once with: osmium sort {path} -o sorted.osm.pbf"
        )
    merger = osmium.MergeInputReader()
    merger.add_file(str(path))
    with osmium.SimpleWriter(str(target), overwrite=True) as writer:
        merger.apply(writer, simplify=True)
    return _tagged(path) - _tagged(target)


def _tagged(path: Path) -> int:
    return sum(1 for _ in osmium.FileProcessor(path).with_filter(osmium.filter.EmptyTagFilter()))


def _area_relations(path: Path, keys: Collection[str], tally: Tally) -> set[int]:
    """Ids of the relations that can be areas; the others are counted by reason."""
    candidates: set[int] = set()
    relations: Iterable[Any] = osmium.FileProcessor(path, osmium.osm.RELATION).with_filter(
        osmium.filter.EmptyTagFilter()
    )
    for relation in relations:
        tally.read += 1
        tags = dict(relation.tags)
        reason = _no_area(tags, keys)
        if reason:
            tally.leave_out(reason)
        else:
            candidates.add(relation.id)
    return candidates


def _no_area(tags: Mapping[str, str], keys: Collection[str]) -> str | None:
    kind = tags.get("type")
    if kind in ROUTE_TYPES:
        return "route relation"
    if kind not in AREA_TYPES:
        return "relation of another type"
    physical = any(key in keys for key in tags) or tags.get("boundary") == "administrative"
    return None if physical else "no physical tag"


def _node_index(path: Path, scratch: Path) -> str:
    """How osmium keeps the places of nodes: in memory, for large files on disk."""
    text = 12 if path.suffix == ".osm" else 1
    if path.stat().st_size < NODES_IN_MEMORY * text:
        return "flex_mem"
    return f"sparse_file_array,{scratch / 'nodes.index'}"


class _Stream:
    """One pass over nodes and ways in the order of the file; areas of relations come as they are finished.

    Attributes:
        assembled: Ids of the relations that have become areas.
        locations: Where the nodes are that have passed.
    """

    def __init__(self, path: Path, candidates: set[int], scratch: Path, tally: Tally) -> None:
        processor = osmium.FileProcessor(path, osmium.osm.NODE | osmium.osm.WAY)
        processor.with_locations(_node_index(path, scratch))
        if candidates:
            areas = osmium.filter.IdFilter(2 * relation + 1 for relation in candidates)
            areas.enable_for(osmium.osm.AREA)
            processor.with_areas(osmium.filter.IdFilter(candidates)).with_filter(areas)
        processor.with_filter(osmium.filter.EmptyTagFilter())
        self.locations = processor.node_location_storage
        self.assembled: set[int] = set()
        self._elements: Iterable[Any] = processor
        self._scratch, self._tally = scratch, tally
        self._order = _Order(path)
        self._wkb = osmium.geom.WKBFactory()
        self._shapes: list[str] = []
        self._areas = _Relations()

    def batches(self) -> Iterator[RawElements]:
        """All elements, some `BATCH` at a time."""
        with TagSheet(self._scratch) as sheet:
            for element in self._elements:
                self._draw(element, sheet)
                if len(self._shapes) == BATCH:
                    yield self._batch(sheet.take())
                if len(self._areas) == BATCH // 10:
                    yield self._areas.take()
            if self._shapes:
                yield self._batch(sheet.take())
        if len(self._areas):
            yield self._areas.take()

    def _draw(self, element: Any, sheet: TagSheet) -> None:
        kind = type(element)
        try:
            if kind is osmium.osm.Way:
                self._shapes.append(self._wkb.create_linestring(element))
                sheet.add_way(element)
            elif kind is osmium.osm.Node:
                self._shapes.append(self._wkb.create_point(element))
                sheet.add_node(element)
            else:
                shape = shapely.from_wkb(self._wkb.create_multipolygon(element))
                self._areas.add(element.orig_id(), element, shape)
                self.assembled.add(element.orig_id())
        except (osmium.InvalidLocationError, RuntimeError):
            if kind is not osmium.osm.Area:  # relations that do not become areas are looked at later
                self._tally.read += 1
                self._tally.leave_out(_no_line(element))

    def _batch(self, labels: Labels) -> RawElements:
        self._order.check(labels)
        shapes, self._shapes = self._shapes, []
        self._tally.read += len(shapes)
        return RawElements(*labels, shapely.from_wkb([bytes.fromhex(shape) for shape in shapes]))


def _no_line(element: Any) -> str:
    """Why a way or node has no geometry."""
    if isinstance(element, osmium.osm.Node):
        return "node without a place"
    missing = not all(node.location.valid() for node in element.nodes)
    return "way with missing nodes" if missing else "way of a single place"


class _Order:
    """Watches that nodes come before ways and each by ascending id, across batches."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last = np.empty((2, 0), np.int64)

    def check(self, labels: Labels) -> None:
        """Raises UnsortedExtract; ids below zero (of an editor, not yet uploaded) have no order."""
        origin, osm_id = np.hstack([self._last, np.stack([labels.origin.astype(np.int64), labels.osm_id])])
        backwards = np.diff(origin) < 0
        backwards |= (np.diff(origin) == 0) & (np.diff(osm_id) <= 0) & (osm_id[1:] > 0)
        if backwards.any():
            where = int(np.flatnonzero(backwards)[0]) + 1
            word = ORIGINS[origin[where]]
            raise UnsortedExtract(f"{self._path} is not sorted: {word} {osm_id[where]} is out of order.")
        self._last = np.stack([origin[-1:], osm_id[-1:]])


class _Relations:
    """Relations with their areas, gathered one by one; they are few."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, dict[str, str], datetime | None, shapely.Geometry]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, osm_id: int, labelled: Any, shape: shapely.Geometry) -> None:
        """Takes tags and time from an osmium object that may be gone afterwards."""
        edited = labelled.timestamp
        self._rows.append((osm_id, dict(labelled.tags), edited if edited.timestamp() > 0 else None, shape))

    def take(self) -> RawElements:
        """Everything added so far, as a batch."""
        ids, tags, edited, shapes = zip(*self._rows, strict=True)
        self._rows = []
        geometry = np.empty(len(shapes), object)
        geometry[:] = shapes
        return RawElements(
            np.full(len(ids), RELATION, np.uint8),
            np.array(ids, np.int64),
            pa.array([list(each.items()) for each in tags], TAGS),
            pa.array(edited, TIMESTAMP),
            plain(geometry),
        )


def _mend_relations(path: Path, locations: Any, failed: set[int], tally: Tally) -> Iterator[RawElements]:
    """Areas that osmium cannot assemble (crossing or open rings): whatever their ways enclose.

    The rings are noded and filled by the even-odd rule (GEOS BuildArea). A relation whose ways are not all in the
    file is left out, for its outline is not known.
    """
    relations: Iterable[Any] = osmium.FileProcessor(path, osmium.osm.RELATION).with_filter(
        osmium.filter.IdFilter(failed)
    )
    members = {relation.id: [member.ref for member in relation.members if member.type == "w"] for relation in relations}
    lines = _lines(path, locations, {way for ways in members.values() for way in ways})
    mended = _Relations()
    for relation in relations:
        ways = members[relation.id]
        if not ways or not all(way in lines for way in ways):
            tally.leave_out("relation with missing members")
            continue
        area = shapely.build_area(shapely.union_all([lines[way] for way in ways]))
        if area.is_empty:
            tally.leave_out("relation that encloses nothing")
            continue
        tally.repaired += 1
        mended.add(relation.id, relation, area)
    if len(mended):
        yield mended.take()


def _lines(path: Path, locations: Any, ways: set[int]) -> dict[int, shapely.LineString]:
    """Lines of the given ways, without those that lack nodes.

    No `IdFilter` here: it marks ids in a bitmap, and way ids from all over the map would take hundreds of MB.
    """
    lines: dict[int, shapely.LineString] = {}
    every: Iterable[Any] = osmium.FileProcessor(path, osmium.osm.WAY)
    for way in every:
        if way.id not in ways:
            continue
        try:
            places = [locations.get(node.ref) for node in way.nodes]
        except KeyError:
            continue
        if len(places) > 1:
            lines[way.id] = shapely.LineString([(place.lon, place.lat) for place in places])
    return lines
