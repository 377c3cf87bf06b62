"""The county as an OpenStreetMap extract."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from pyproj import Transformer
from shapely import LineString, Point, Polygon

from download.sample.layout import CRS, ORIGIN, Layout, Pair, Tags, Thing

FIRST_ID = {"n": 151_800_001, "w": 15_600_001, "r": 1_240_001}
OLDEST, NEWEST = datetime(2012, 2, 1, tzinfo=UTC), datetime(2021, 8, 1, tzinfo=UTC)
AFTER_THE_PICTURE = datetime(2023, 5, 17, 9, 30, tzinfo=UTC)

Reference = tuple[str, int]


@dataclass(slots=True)
class Extract:
    """Nodes, ways and relations as they are numbered; written in the order that extracts are sorted in."""

    random: Random
    nodes: dict[Pair, dict[str, Any]] = field(default_factory=dict)
    ways: dict[tuple[int, ...], dict[str, Any]] = field(default_factory=dict)
    relations: list[dict[str, Any]] = field(default_factory=list)
    named: dict[str, Reference] = field(default_factory=dict)

    def add(self, thing: Thing) -> None:
        """Put a thing on the map: a node, a way, or a multipolygon where it has holes."""
        shape = thing.geometry
        if isinstance(shape, Point):
            reference = self._node((shape.x, shape.y), thing)
        elif isinstance(shape, LineString):
            reference = self._way(shape.coords, thing)
        elif isinstance(shape, Polygon) and not shape.interiors:
            reference = self._way(shape.exterior.coords, thing)
        elif isinstance(shape, Polygon):
            bare = Thing(shape, newer=thing.newer)
            members = [(*self._way(shape.exterior.coords, bare), "outer")]
            members += [(*self._way(ring.coords, bare), "inner") for ring in shape.interiors]
            reference = self.relate({"type": "multipolygon", **thing.tags}, members)
        else:
            raise TypeError(f"{shape.geom_type} with the tags {dict(thing.tags)} cannot be mapped as one element")
        if thing.name:
            self.named[thing.name] = reference

    def relate(self, tags: Tags, members: list[tuple[str, int, str]]) -> Reference:
        """Add a relation; members are (n, w or r; id; role)."""
        number = FIRST_ID["r"] + len(self.relations)
        self.relations.append({"id": number, "members": members, **self._history(Thing(Point(), tags))})
        return "r", number

    def _node(self, place: Pair, thing: Thing) -> Reference:
        key = (round(place[0], 2), round(place[1], 2))
        known = self.nodes.get(key)
        if known is None:
            known = self.nodes[key] = {"id": FIRST_ID["n"] + len(self.nodes), **self._history(thing)}
        else:
            known["tags"] |= thing.tags
        return "n", known["id"]

    def _way(self, path: Iterable[tuple[float, ...]], thing: Thing) -> Reference:
        bare = Thing(Point(), newer=thing.newer)
        nodes = tuple(self._node((place[0], place[1]), bare)[1] for place in path)
        known = self.ways.get(nodes)
        if known is None:
            known = {"id": FIRST_ID["w"] + len(self.ways), "nodes": list(nodes), **self._history(thing)}
            self.ways[nodes] = known
        else:
            known["tags"] |= thing.tags
        return "w", known["id"]

    def _history(self, thing: Thing) -> dict[str, Any]:
        edited = AFTER_THE_PICTURE if thing.newer else OLDEST + self.random.random() * (NEWEST - OLDEST)
        version = 1 if thing.newer else min(1 + int(self.random.expovariate(0.9)), 9)
        return {
            "tags": dict(thing.tags),
            "timestamp": edited - timedelta(microseconds=edited.microsecond),
            "version": version,
        }


def write_extract(layout: Layout, path: Path, seed: int) -> None:
    """Write what is mapped of a layout as an OSM PBF, nodes before ways before relations, each by id.

    Args:
        layout: The county.
        path: File to write, ending in `.osm.pbf`; replaced whole.
        seed: Decides on timestamps and versions.
    """
    import osmium

    extract = Extract(Random(seed))
    for thing in layout.things:
        if thing.tags:
            extract.add(thing)
    for group in layout.groups:
        extract.relate(group.tags, [(*extract.named[name], role) for name, role in group.members])
    to_degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    x, y = zip(*extract.nodes, strict=True)
    longitudes, latitudes = to_degrees.transform([ORIGIN[0] + e for e in x], [ORIGIN[1] + n for n in y])
    header = osmium.io.Header()
    header.set("generator", "mapteller")
    beside = path.with_name(f".{path.name}")
    with osmium.SimpleWriter(osmium.io.File(str(beside), "osm.pbf"), header=header, overwrite=True) as writer:
        mutable = osmium.osm.mutable
        for node, lon, lat in zip(extract.nodes.values(), longitudes, latitudes, strict=True):
            writer.add_node(mutable.Node(location=(lon, lat), **node))
        for way in extract.ways.values():
            writer.add_way(mutable.Way(**way))
        for relation in extract.relations:
            writer.add_relation(mutable.Relation(**relation))
    beside.replace(path)
