"""A STAC API on this machine, with cloud-optimised GeoTIFF behind it."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import shapely
from rasterio.transform import from_origin
from rasterio.warp import transform_bounds
from shapely.geometry import mapping, shape

from tests.stand_in import Answer, Asked, Faults, StandIn

ITEM_SEARCH = "https://api.stacspec.org/v1.0.0/item-search"


@dataclass
class StacServer:
    """What the API knows and how it behaves; `running` starts it.

    Attributes:
        files: rasters by item id.
        properties: of items, by id; laid over what the rasters say.
        assets: fields of the asset, by item id.
        geometries: footprints, by item id, instead of the rasters' own.
        page: items in one answer.
        guarded: whether files need a token that has not expired.
        ranges: whether byte ranges are served.
        tokens: given out so far.
        expired: tokens that are refused though they should still hold.
        lifetime: of tokens.
    """

    files: dict[str, Path]
    properties: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    assets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    geometries: Mapping[str, Any] = field(default_factory=dict)
    page: int = 100
    guarded: bool = False
    ranges: bool = True
    tokens: list[str] = field(default_factory=list)
    expired: set[str] = field(default_factory=set)
    lifetime: timedelta = timedelta(hours=1)
    url: str = ""

    @contextmanager
    def running(self, faults: Faults | None = None) -> Iterator[StandIn]:
        """Serves while the `with` lasts."""
        with StandIn(self.answer, faults) as server:
            self.url = server.url
            yield server

    def answer(self, asked: Asked) -> Answer:
        """Landing page, search, tokens, files."""
        parts = asked.path.strip("/").split("/")
        match parts[0]:
            case "":
                return self._json(self._landing())
            case "search" if asked.method == "POST":
                return self._json(self._found(json.loads(asked.body)))
            case "sas":
                self.tokens.append(f"sig=secret{len(self.tokens)}")
                expiry = (datetime.now(tz=UTC) + self.lifetime).strftime("%Y-%m-%dT%H:%M:%SZ")
                return self._json({"token": self.tokens[-1], "msft:expiry": expiry})
            case "files" | "bucket":
                return self._file(asked, parts[-1].removesuffix(".tif"))
        return Answer(404)

    def _file(self, asked: Asked, name: str) -> Answer:
        token = f"sig={asked.query.get('sig')}"
        if self.guarded and (token not in self.tokens or token in self.expired):
            return Answer(403, b"AuthenticationFailed")
        if name not in self.files:
            return Answer(404)
        file, wanted = self.files[name], re.fullmatch(r"bytes=(\d+)-(\d+)", asked.headers.get("range", ""))
        said = file.stat()
        common = {"Content-Type": "image/tiff", "ETag": f'"{said.st_ino}-{said.st_mtime_ns}"'}
        if not wanted or not self.ranges:
            return Answer(body=file.read_bytes(), headers=common)
        start, end = int(wanted[1]), min(int(wanted[2]) + 1, said.st_size)
        with file.open("rb") as content:
            content.seek(start)
            body = content.read(end - start)
        return Answer(206, body, {**common, "Content-Range": f"bytes {start}-{end - 1}/{said.st_size}"})

    def _landing(self) -> dict[str, Any]:
        return {
            "type": "Catalog", "id": "stand-in", "stac_version": "1.0.0", "description": "A stand-in.",
            "conformsTo": ["https://api.stacspec.org/v1.0.0/core", ITEM_SEARCH, f"{ITEM_SEARCH}#query"],
            "links": [
                {"rel": "self", "href": self.url},
                {"rel": "root", "href": self.url},
                {"rel": "search", "href": f"{self.url}/search", "type": "application/geo+json", "method": "POST"},
            ],
        }  # fmt: skip

    def _found(self, asked: dict[str, Any]) -> dict[str, Any]:
        first, last = (moment[:10] for moment in asked["datetime"].split("/"))
        area = shape(asked["intersects"])
        items = [
            item
            for name in sorted(self.files)
            if (item := self.item(name))
            and first <= str(item["properties"].get("datetime") or item["properties"]["start_datetime"])[:10] <= last
            and shapely.intersects(shape(item["geometry"]), area)
            and item["collection"] in asked["collections"]
            and all(item["properties"][key] <= said["lte"] for key, said in asked.get("query", {}).items())
        ]
        start = asked.get("token", 0)
        links = [
            {"rel": "next", "href": f"{self.url}/search", "method": "POST", "merge": True,
             "body": {"token": start + self.page}}
        ]  # fmt: skip
        more = start + self.page < len(items)
        return {
            "type": "FeatureCollection", "features": items[start : start + self.page], "links": links if more else [],
        }  # fmt: skip

    def item(self, name: str) -> dict[str, Any]:
        """As an API describes it."""
        with rasterio.open(self.files[name]) as raster:
            west, south, east, north = transform_bounds(raster.crs, "EPSG:4326", *raster.bounds)
            properties = {
                "datetime": "2020-04-15T16:00:00Z",
                "proj:code": str(raster.crs),
                "proj:transform": list(raster.transform)[:6],
                "proj:shape": [raster.height, raster.width],
                "gsd": raster.transform.a,
            }
        outline = self.geometries.get(name, mapping(shapely.box(west, south, east, north)))
        asset = {"href": f"{self.url}/files/{name}.tif", "type": "image/tiff; application=geotiff"}
        return {
            "type": "Feature", "stac_version": "1.0.0", "stac_extensions": [], "id": name, "collection": "naip",
            "geometry": outline, "bbox": [west, south, east, north], "links": [],
            "properties": {**properties, **self.properties.get(name, {})},
            "assets": {"image": {**asset, **self.assets.get(name, {})}, "thumbnail": {"href": f"{self.url}/x.jpg"}},
        }  # fmt: skip

    @staticmethod
    def _json(said: Mapping[str, Any]) -> Answer:
        return Answer(body=json.dumps(said).encode(), headers={"Content-Type": "application/geo+json"})


def as_cog(source: Path, target: Path, **options: Any) -> Path:
    """A cloud-optimised copy, pixels unchanged."""
    with rasterio.open(source) as raster:
        profile = {"driver": "COG", "compress": "deflate", "blocksize": 128, **options}
        keep = {
            name: raster.profile[name] for name in ("count", "height", "width", "dtype", "crs", "transform", "nodata")
        }
        with rasterio.open(target, "w", **{**keep, **profile}) as copy:
            copy.write(raster.read())
    return target


def make_cog(target: Path, width: int, height: int, seed: int = 0, **options: Any) -> Path:
    """A made-up picture: gentle slopes with noise on them, which compresses about as photographs do."""
    random = np.random.default_rng(seed)
    bands = int(options.pop("count", 3))
    dtype = np.dtype(options.pop("dtype", "uint8"))
    rows, cols = np.mgrid[0:height, 0:width]
    slopes = np.stack([100 + 50 * np.sin(rows / (31 + band)) + 40 * np.cos(cols / 47) for band in range(bands)])
    pixels = (slopes + random.integers(0, 16, (bands, height, width))).astype(dtype)
    hole = options.pop("hole", None)
    if hole is not None:
        pixels[:, hole[0], hole[1]] = options["nodata"]
    profile = {
        "driver": "COG", "compress": "deflate", "blocksize": 128, "overviews": "none", "count": bands,
        "height": height, "width": width, "dtype": dtype, "crs": "EPSG:26911",
        "transform": from_origin(485_000, 3_600_000, 0.6, 0.6), **options,
    }  # fmt: skip
    with rasterio.open(target, "w", **profile) as raster:
        raster.write(pixels)
    return target
