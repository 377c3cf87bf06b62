"""The part of a large extract that lies in a box, with everything whole that reaches into it.

Kept are: tagged nodes in the box; ways whose own box meets it, so that an area around the whole box stays; relations
that make areas, by the box around their ways; and all ways and nodes that those need. Other relations are dropped,
since nothing reads them. Python sees ways and tagged nodes only, some microseconds each.
"""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import osmium
import shapely
from numpy.typing import NDArray

from download.errors import DownloadError
from download.osm.osm_file import AREA_TYPES, BATCH, NODES_IN_MEMORY
from download.osm.raw import UnsortedExtract
from download.scene import Bounds


def cut(source: Path, box: Bounds, target: Path) -> None:
    """Writes the part of a PBF file that a box needs; same file and box give the same bytes.

    Args:
        source: ordered by type and id.
        box: west, south, east and north in degrees.
        target: new file, PBF whatever its name.

    Raises:
        UnsortedExtract: the file is not in order, or a history.
        DownloadError: the file is damaged.
    """
    try:
        with TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as scratch:
            kept = _kept(source, box, Path(scratch))
        kept.complete_backward_references(str(source), relation_depth=0)
        write_pbf(osmium.FileProcessor(source).with_filter(kept.id_filter()), box, target)
    except RuntimeError as error:
        raise DownloadError(
            f"Cannot cut {list(box)} out of the map {source}: {error}. It is damaged: delete it, then run again."
        ) from error


def write_pbf(elements: Iterable[Any], box: Bounds, target: Path) -> None:
    """Writes elements that are in order; their authors are left out."""
    with pbf_writer(box, target) as writer:
        for element in elements:
            writer.add(element)


def pbf_writer(box: Bounds, target: Path) -> "osmium.SimpleWriter":
    """A writer of a sorted PBF file without authors and changesets, whatever the file's name."""
    header = osmium.io.Header()
    header.set("generator", "mapteller")
    header.set("sorting", "Type_then_ID")
    header.add_box(osmium.osm.Box(*box))
    file = osmium.io.File(str(target), "pbf,add_metadata=version+timestamp")
    return osmium.SimpleWriter(file, header=header, overwrite=True)


def _kept(source: Path, box: Bounds, scratch: Path) -> "osmium.IdTracker":
    """Nodes, ways and relations to be kept for themselves."""
    members = _members(source)
    chosen = _Chosen(box, {way for ways in members.values() for way in ways})
    for element in _placed(source, scratch):
        chosen.look(element)
    chosen.decide()
    for relation, ways in members.items():
        boxes = [chosen.boxes[way] for way in ways if way in chosen.boxes]
        if boxes and _meets(_around(np.array(boxes)), box)[0]:
            chosen.kept.add_relation(relation)
            for way in ways:
                chosen.kept.add_way(way)
    return chosen.kept


def _members(source: Path) -> dict[int, list[int]]:
    """Ways of each relation that makes an area."""
    types = osmium.filter.TagFilter(*(("type", each) for each in sorted(AREA_TYPES)))
    relations: Iterable[Any] = osmium.FileProcessor(source, osmium.osm.RELATION).with_filter(types)
    return {each.id: [member.ref for member in each.members if member.type == "w"] for each in relations}


def _placed(source: Path, scratch: Path) -> Iterable[Any]:
    """Tagged nodes, and all ways with the places of their nodes."""
    index = "flex_mem" if source.stat().st_size < NODES_IN_MEMORY else f"sparse_file_array,{scratch / 'nodes.index'}"
    tagged = osmium.filter.EmptyTagFilter()
    tagged.enable_for(osmium.osm.NODE)
    every: Iterable[Any] = (
        osmium.FileProcessor(source, osmium.osm.NODE | osmium.osm.WAY).with_locations(index).with_filter(tagged)
    )
    return every


class _Chosen:
    """What of a file meets a box.

    Attributes:
        kept: nodes and ways that do.
        boxes: of the ways that are members of relations.
    """

    def __init__(self, box: Bounds, members: set[int]) -> None:
        self.kept = osmium.IdTracker()
        self.boxes: dict[int, NDArray[np.float64]] = {}
        self._box, self._members = box, members
        self._wkb = osmium.geom.WKBFactory()
        self._ways: list[int] = []
        self._lines: list[str] = []
        self._last = (False, 0)

    def look(self, element: Any) -> None:
        """Takes a node or a way; raises UnsortedExtract if it should have come earlier."""
        last, self._last = self._last, (isinstance(element, osmium.osm.Way), element.id)
        if self._last <= last:
            raise UnsortedExtract(f"element {element.id} is out of order, or there several times")
        if isinstance(element, osmium.osm.Node):
            west, south, east, north = self._box
            place = element.location
            if place.valid() and west <= place.lon <= east and south <= place.lat <= north:
                self.kept.add_node(element.id)
            return
        try:
            line = self._wkb.create_linestring(element)
        except (osmium.InvalidLocationError, RuntimeError):
            return  # without all its nodes, or of a single place, it has no geometry in the whole file either
        self._ways.append(element.id)
        self._lines.append(line)
        if len(self._ways) == BATCH:
            self.decide()

    def decide(self) -> None:
        """Keeps those of the ways that meet the box."""
        boxes = shapely.bounds(shapely.from_wkb([bytes.fromhex(line) for line in self._lines])).reshape(-1, 4)
        for way, own, meets in zip(self._ways, boxes, _meets(boxes, self._box).tolist(), strict=True):
            if meets:
                self.kept.add_way(way)
            if way in self._members:
                self.boxes[way] = own
        self._ways, self._lines = [], []


def _meets(boxes: NDArray[np.float64], box: Bounds) -> NDArray[np.bool_]:
    west, south, east, north = boxes.reshape(-1, 4).T
    return (west <= box[2]) & (east >= box[0]) & (south <= box[3]) & (north >= box[1])


def _around(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


EDGE: Final = 0.1
"""Degrees; boxes are widened to multiples of it, so that one scene more seldom asks for another cut."""


def widened(bounds: Bounds, step: float = EDGE) -> Bounds:
    """The smallest box of whole steps around another; degrees."""
    west, south, east, north = (round(edge / step, 9) for edge in bounds)
    low, high = np.floor([west, south]) * step, np.ceil([east, north]) * step
    corners = np.clip([*low, *high], [-180, -90, -180, -90], [180, 90, 180, 90])
    left, bottom, right, top = (round(float(corner), 7) for corner in corners)
    return left, bottom, right, top
