"""From Earth Engine's records of images (`EarthEngineAsset`) to scenes."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any

import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError
from shapely.geometry.base import BaseGeometry

from download.errors import DownloadError
from download.imagery.earth_engine.session import Session
from download.scene import Scene

PAGE = 500
LONGEST_SPAN = timedelta(days=367)
"""Images that stand for a span of time, a year at most, are filtered by its end on the server and by its start here.

`startTime >= … AND endTime < …` is the form that is documented
(https://developers.google.com/earth-engine/apidocs/ee-data-listassets).
"""

KEPT = ("id", "name", "updateTime", "startTime", "geometry", "bands")
"""Of a record; the rest can be large."""

EDGE_DEGREES = 0.5
"""Edges of the region are geodesics on the server: pieces so short leave a parallel by some 30 m at most."""

GSD_TOLERANCE = 0.01
"""A nominal metre is a projection's metre."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What is asked of a collection.

    Attributes:
        collection: its id.
        dates: first and last day of acquisition.
        condition: further condition in Earth Engine's language.
    """

    collection: str
    dates: tuple[date, date] | None
    condition: str

    def query(self, area: BaseGeometry | None) -> str:
        """A filter for `listAssets` (https://google.aip.dev/160).

        Args:
            area: in degrees.
        """
        terms = []
        if self.dates:
            first, last = self.dates
            terms += [f'startTime >= "{first}T00:00:00Z"', f'endTime < "{last + LONGEST_SPAN}T00:00:00Z"']
        if area is not None:
            around = shapely.segmentize(shapely.box(*area.bounds), EDGE_DEGREES)
            outline = json.dumps(shapely.geometry.mapping(around)).replace('"', "'")
            terms.append(f'intersects("{outline}")')
        if self.condition:
            terms.append(f"({self.condition})")
        return " AND ".join(terms)

    def records(self, session: Session, area: BaseGeometry | None) -> list[Mapping[str, Any]]:
        """The collection's images in Earth Engine's own words, as far as they matter here.

        Raises:
            DownloadError: there is no such collection, or it cannot be read.
        """
        records = (record for page in self._pages(session, self.query(area)) for record in page)
        return [{name: record[name] for name in KEPT if name in record} for record in records if self._fits(record)]

    def _pages(self, session: Session, query: str) -> Iterator[Sequence[Mapping[str, Any]]]:
        token = ""
        while True:
            params = {"parent": self.collection, "pageSize": PAGE, "filter": query, "pageToken": token}
            asked = {name: value for name, value in params.items() if value}
            page = session.ask(lambda ee, asked=asked: ee.data.listAssets(dict(asked)))  # type: ignore[misc]
            yield page["assets"]
            token = page.get("nextPageToken", "")
            if not token:
                return

    def _fits(self, record: Mapping[str, Any]) -> bool:
        moment = _moment(record)
        return not self.dates or (moment is not None and self.dates[0] <= moment.date() <= self.dates[1])


def scene_of(record: Mapping[str, Any], collection: str, bands: tuple[str, str, str], **known: Any) -> Scene:
    """A scene on the grid of its finest colour band.

    Args:
        record: of an image.
        collection: id of its collection.
        bands: names of red, green and blue.
        known: further attributes of the scene.

    Raises:
        DownloadError: a band is missing, or the image is not north up in a known CRS.
    """
    asset = record.get("id") or record["name"].partition("/assets/")[2]
    by_name = {band["id"]: band for band in record.get("bands", [])}
    if missing := [name for name in bands if name not in by_name]:
        raise DownloadError(
            f"{asset} has no band {', '.join(missing)} but {', '.join(by_name)}. Correct samples.imagery.bands."
        )
    chosen = [by_name[name] for name in bands]
    if known.get("stretch") is None and not all(_is_8_bit(band) for band in chosen):
        raise DownloadError(f"{asset} is not 8 bit. Set samples.imagery.stretch: [black, white].")
    grid = min((band["grid"] for band in chosen), key=lambda grid: abs(grid["affineTransform"].get("scaleX", 0)))
    if "dimensions" not in grid:
        raise DownloadError(
            f"{asset} has no bounds, so no patches can be laid. Leave it out with samples.imagery.filter."
        )
    moment, names = _moment(record), list(by_name)
    return Scene(
        id=asset.removeprefix(collection).strip("/").replace("/", "_"),
        path=asset,
        acquired=moment.date() if moment else None,
        taken=moment if moment and moment.time() != datetime.min.time() else None,
        crs=_crs(grid, asset),
        transform=_transform(grid, asset),
        width=grid["dimensions"]["width"],
        height=grid["dimensions"]["height"],
        bands=(names.index(bands[0]) + 1, names.index(bands[1]) + 1, names.index(bands[2]) + 1),
        footprint=_footprint(record),
        digest=blake2b(f"{asset}\0{record.get('updateTime', '')}".encode(), digest_size=16).hexdigest(),
        **known,
    )


def fits_gsd(scene: Scene, gsd: tuple[float, float] | None) -> bool:
    """Whether a scene's nominal ground sample distance lies in a range of metres."""
    across, down = scene.gsd
    return gsd is None or gsd[0] * (1 - GSD_TOLERANCE) <= (across + down) / 2 <= gsd[1] * (1 + GSD_TOLERANCE)


def touches(scene: Scene, area: BaseGeometry | None) -> bool:
    """Whether a scene's footprint, or its bounds, meets an area in degrees."""
    if area is None:
        return True
    shape = shapely.from_wkt(scene.footprint) if scene.footprint else shapely.box(*scene.bounds)
    return bool(area.intersects(shape))


def _moment(record: Mapping[str, Any]) -> datetime | None:
    """When the picture was taken, in UTC; Earth Engine gives up to nine digits of a second."""
    said = re.match(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)", record.get("startTime", ""))
    return datetime.fromisoformat(said[1]).replace(tzinfo=UTC) if said else None


def _crs(grid: Mapping[str, Any], asset: str) -> str:
    for said in (grid.get("crsCode"), grid.get("crsWkt")):
        try:
            if said:
                return CRS(said).to_string() if said == grid.get("crsWkt") else str(said)
        except CRSError:
            continue
    raise DownloadError(f"{asset} has no coordinate reference system that is known here.")


def _transform(grid: Mapping[str, Any], asset: str) -> tuple[float, float, float, float, float, float]:
    said = grid["affineTransform"]
    names = ("scaleX", "shearX", "translateX", "shearY", "scaleY", "translateY")
    a, b, c, d, e, f = (float(said.get(name, 0)) for name in names)
    if b or d or a <= 0 or e >= 0:
        raise DownloadError(f"{asset} is not north up. Leave it out with samples.imagery.filter.")
    return a, b, c, d, e, f


def _is_8_bit(band: Mapping[str, Any]) -> bool:
    kind = band.get("dataType", {})
    values = kind.get("range", {})
    return bool(kind.get("precision") == "INTEGER" and values.get("min", 0) >= 0 and values.get("max", 256) <= 255)


def _footprint(record: Mapping[str, Any]) -> str | None:
    """As WKT; None where Earth Engine gives none, or one without bounds. NAIP's are rings rather than polygons."""
    said = record.get("geometry")
    if not said or "Infinity" in json.dumps(said):
        return None
    if said["type"] == "LinearRing":
        said = {"type": "Polygon", "coordinates": [said["coordinates"]]}
    shape = shapely.make_valid(shapely.geometry.shape(said))
    return shapely.to_wkt(shape, rounding_precision=9) if shape.area else None
