"""What a county is made of: things with a shape, map tags and a look; metres from its south-west corner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import shapely
from shapely import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

CRS = "EPSG:26915"
ORIGIN = (584952.0, 4784899.2)  # metres, NAD83 / UTM 15N, of the south-west corner; a multiple of the GSD
WIDTH_M, HEIGHT_M = 2688.0, 1344.0
GSD = 0.6

Pair = tuple[float, float]
Tags = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Thing:
    """Something in the county: on the map, in the picture, or in both.

    Attributes:
        geometry: Point, line or polygon, metres from the south-west corner of the imagery, north up.
        tags: OpenStreetMap tags; empty: nobody has mapped it.
        look: The painter that draws it; empty: nothing of it can be seen.
        width: Metres across, of roads, streams and the crowns of trees.
        height: Metres above ground.
        newer: Mapped after the picture was taken.
        name: What a relation calls it by.
    """

    geometry: BaseGeometry
    tags: Tags = field(default_factory=dict)
    look: str = ""
    width: float = 0.0
    height: float = 0.0
    newer: bool = False
    name: str = ""

    @property
    def line(self) -> LineString:
        """The geometry of what is drawn along a line."""
        assert isinstance(self.geometry, LineString), f"{self.look} is drawn along a line"
        return self.geometry

    @property
    def polygon(self) -> Polygon:
        """The geometry of what is drawn over an area."""
        assert isinstance(self.geometry, Polygon), f"{self.look} is drawn over an area"
        return self.geometry

    @property
    def point(self) -> Point:
        """The geometry of what is drawn at a point."""
        assert isinstance(self.geometry, Point), f"{self.look} is drawn at a point"
        return self.geometry


@dataclass(frozen=True, slots=True)
class Group:
    """A relation between named things.

    Attributes:
        tags: OpenStreetMap tags.
        members: (name of a thing, role).
    """

    tags: Tags
    members: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole county."""

    things: tuple[Thing, ...]
    groups: tuple[Group, ...]


def tagged(text: str) -> dict[str, str]:
    """Tags as one writes them down: `amenity=place_of_worship; name=St. Wenceslaus`."""
    return dict(pair.split("=", 1) for pair in text.split("; "))


def box(west: float, south: float, east: float, north: float) -> Polygon:
    """A rectangle along the axes."""
    return shapely.box(west, south, east, north)


def rectangle(centre: Pair, length: float, width: float, angle: float = 0.0) -> Polygon:
    """A rectangle whose long side is turned `angle` degrees from east, counter-clockwise."""
    along = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    across = np.array([-along[1], along[0]])
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    return Polygon([np.array(centre) + along * length / 2 * a + across * width / 2 * b for a, b in corners])


def ellipse(centre: Pair, radii: Pair, corners: int = 32) -> Polygon:
    """An ellipse along the axes."""
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return Polygon(np.array(centre) + np.array(radii) * np.column_stack([np.cos(angles), np.sin(angles)]))


def blob(rng: np.random.Generator, centre: Pair, radii: Pair, wobble: float = 0.12) -> Polygon:
    """An ellipse with a natural outline: a few harmonics of random strength and phase."""
    angles = np.linspace(0, 2 * np.pi, 56, endpoint=False)
    swing = sum(
        wobble / wave * rng.uniform(0.5, 1.5) * np.sin(wave * angles + rng.uniform(0, 7)) for wave in (2, 3, 5, 8, 13)
    )
    outline = np.column_stack([np.cos(angles), np.sin(angles)]) * (1 + np.asarray(swing))[:, None]
    return Polygon(np.array(centre) + np.array(radii) * outline)


def smooth(points: Sequence[Pair], rounds: int = 3) -> LineString:
    """A curve through the neighbourhood of its points (Chaikin's corner cutting); the ends stay."""
    path = np.array(points, float)
    for _ in range(rounds):
        cut = np.stack([0.75 * path[:-1] + 0.25 * path[1:], 0.25 * path[:-1] + 0.75 * path[1:]], 1)
        path = np.vstack([path[:1], cut.reshape(-1, 2), path[-1:]])
    return LineString(LineString(path).simplify(0.3).coords)


def polygons(geometry: BaseGeometry, least_m2: float = 0.0) -> list[Polygon]:
    """The polygons a geometry is made of, without those smaller than `least_m2`."""
    parts = shapely.get_parts(geometry).tolist()
    return [part for part in parts if isinstance(part, Polygon) and not part.is_empty and part.area >= least_m2]


def scatter(rng: np.random.Generator, inside: BaseGeometry, spacing: float, jitter: float = 0.45) -> list[Pair]:
    """Points of a shaken grid that lie inside a geometry; `jitter` in spacings."""
    west, south, east, north = inside.bounds
    x, y = np.meshgrid(np.arange(west, east, spacing), np.arange(south, north, spacing))
    x = x + rng.uniform(-jitter, jitter, x.shape) * spacing
    y = y + rng.uniform(-jitter, jitter, y.shape) * spacing
    shapely.prepare(inside)
    hit = shapely.contains_xy(inside, x.ravel(), y.ravel())
    return list(zip(x.ravel()[hit].tolist(), y.ravel()[hit].tolist(), strict=True))


def connected(things: Sequence[Thing]) -> list[Thing]:
    """The same lines, each with a vertex wherever it meets another: roads that meet share a node on the map."""
    lines = [thing.line for thing in things]
    tree = shapely.STRtree(lines)
    joined = []
    for index, (line, thing) in enumerate(zip(lines, things, strict=True)):
        others = [lines[other] for other in tree.query(line).tolist() if other != index]
        places = [
            place.coords[0]
            for other in others
            for place in shapely.get_parts(line.intersection(other)).tolist()
            if isinstance(place, Point)
        ]
        vertices = [*line.coords, *(place for place in places if place not in line.coords)]
        along = np.array([line.project(Point(vertex)) for vertex in vertices])
        if line.is_closed:
            along[len(line.coords) - 1] = line.length
        order = np.argsort(along, kind="stable").tolist()
        joined.append(replace(thing, geometry=LineString([vertices[place] for place in order])))
    return joined
