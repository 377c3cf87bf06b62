"""What the items of a STAC catalogue say of their files."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Any

from shapely.errors import ShapelyError
from shapely.geometry import shape

from download.errors import DownloadError
from download.imagery.raster_grid import Grid
from download.imagery.stac_search import Item

VERSIONS = ("file:checksum", "checksum:multihash", "e_tag", "etag", "file:size", "updated")
"""Fields that change when the file does (STAC extensions file and checksum; common metadata)."""


@dataclass(frozen=True, slots=True)
class Described:
    """One asset of one item.

    Attributes:
        item: as the search gave it.
        asset: key of the asset.
    """

    item: Item
    asset: str

    @property
    def id(self) -> str:
        """Of the item, fit for a file name."""
        return re.sub(r"[^\w.-]+", "_", self.item["id"])

    @property
    def href(self) -> str:
        """Address of the file."""
        return str(self.item["assets"][self.asset]["href"])

    @property
    def had_query(self) -> bool:
        """Whether the address came with a query, which was dropped."""
        return bool(self.item["assets"][self.asset]["had_query"])

    @property
    def digest(self) -> str:
        """Of the address and whatever says which version of the file it is."""
        said = [self._field(name) for name in VERSIONS]
        return blake2b("\0".join((self.href, *map(str, said))).encode(), digest_size=16).hexdigest()

    @property
    def taken(self) -> datetime | None:
        """Moment of acquisition (UTC), where there is one."""
        return _moment(self._field("datetime"))

    @property
    def acquired(self) -> date | None:
        """Day of acquisition; the first one of a composite, as what came later may not be in it."""
        moment = self.taken or _moment(self._field("start_datetime"))
        return moment.date() if moment else None

    @property
    def footprint(self) -> str | None:
        """Where there are pixels, as WKT in degrees."""
        try:
            outline = shape(self.item["geometry"])
        except (ShapelyError, KeyError, TypeError, ValueError, AttributeError):
            return None
        return outline.wkt if outline.is_valid and outline.area > 0 else None

    @property
    def grid(self) -> Grid | None:
        """Where the pixels lie, if the item says all of it (STAC extension projection, 1.x or 2.x)."""
        crs, transform, size = self._crs(), self._field("proj:transform"), self._field("proj:shape")
        if not crs or not transform or not size or len(transform) not in (6, 9):
            return None
        a, b, c, d, e, f = map(float, transform[:6])
        return Grid(crs, (a, b, c, d, e, f), int(size[1]), int(size[0]))

    def _crs(self) -> str | None:
        code, number = self._field("proj:code"), self._field("proj:epsg")
        if code or number:
            return str(code or f"EPSG:{number}")
        wkt: str | None = self._field("proj:wkt2")
        return wkt

    def _field(self, name: str) -> Any:
        """Of the asset, else of the item."""
        asset: dict[str, Any] = self.item["assets"][self.asset]
        return asset[name] if asset.get(name) is not None else self.item["properties"].get(name)


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DownloadError(f"The catalogue gives {text!r} as a moment, which RFC 3339 does not allow.") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
