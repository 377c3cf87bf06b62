"""A stand-in for Earth Engine's REST API: the collection is a folder of rasters.

It knows what MapTeller asks for: the discovery document, algorithms, `listAssets` with a filter, `getPixels` and
`computePixels` of images that are loaded, selected, scaled or masked. The real client talks to it.
"""

import io
import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import ee
import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.windows import Window

from tests.stand_in import Answer, Asked

REQUEST_BYTES = 50_331_648
REQUEST_SIDE = 32_768
SHIPPED = Path(ee.__file__).parent / "tests"
"""The client ships a discovery document and the list of algorithms."""

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq, "!=": operator.ne,
}  # fmt: skip
ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "Image.multiply": np.multiply, "Image.add": np.add, "Image.gt": np.greater,
}  # fmt: skip


class RefusedError(Exception):
    """An error of the service, with its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Image:
    """An image of the collection.

    Attributes:
        file: its raster.
        start: moment of acquisition.
        end: of the time that it stands for, if it stands for more than a moment.
        properties: further properties.
        footprint: GeoJSON in degrees; the raster's outline if it is not given.
        bands: their names.
    """

    file: Path
    start: str = "2020-04-15T00:00:00Z"
    properties: Mapping[str, Any] = field(default_factory=dict)
    footprint: Mapping[str, Any] | None = None
    bands: Sequence[str] = ("R", "G", "B", "N")
    end: str = ""

    def record(self, collection: str) -> dict[str, Any]:
        """As an EarthEngineAsset."""
        with rasterio.open(self.file) as source:
            a, _, c, _, e, f = tuple(source.transform)[:6]
            grid = {
                "crsCode": f"EPSG:{source.crs.to_epsg()}",
                "dimensions": {"width": source.width, "height": source.height},
                "affineTransform": {"scaleX": a, "translateX": c, "scaleY": e, "translateY": f},
            }
            kinds = [_kind(np.dtype(kind)) for kind in source.dtypes]
            outline = self.footprint or _outline(source)
        identity = f"{collection}/{self.file.stem}"
        return {
            "type": "IMAGE",
            "name": f"projects/earthengine-public/assets/{identity}",
            "id": identity,
            "updateTime": "2021-01-01T00:00:00.123456Z",
            "startTime": self.start,
            "endTime": self.end or self.start,
            "properties": dict(self.properties),
            "geometry": outline,
            "bands": [
                {"id": name, "dataType": kind, "grid": grid} for name, kind in zip(self.bands, kinds, strict=False)
            ],
        }


@dataclass
class EarthEngine:
    """Answers as the service does.

    Attributes:
        images: of the collection.
        collection: its id.
        page: records a page, at most.
        tokens: that the next sign-ins get.
        refused: tokens that have expired.
        busy: texts with which the next requests for pixels are refused.
    """

    images: Sequence[Image]
    collection: str = "USDA/NAIP/DOQQ"
    page: int = 2
    tokens: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    busy: list[str] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Answer:
        """The stand-in's `answer`."""
        try:
            return self._answer(asked)
        except RefusedError as error:
            said = {"error": {"code": error.status, "message": str(error), "status": "FAILED"}}
            return _json(said, error.status)

    def _answer(self, asked: Asked) -> Answer:
        if asked.path == "/$discovery/rest":
            return _json(self._discovery)
        if asked.path == "/token":
            return _json({"access_token": self.tokens.pop(0), "expires_in": 3600, "token_type": "Bearer"})
        if asked.headers.get("authorization", "").removeprefix("Bearer ") in self.refused:
            raise RefusedError(401, "Request had invalid authentication credentials.")
        if asked.path.endswith("/algorithms"):
            return Answer(200, (SHIPPED / "algorithms.json").read_bytes(), {"Content-Type": "application/json"})
        if asked.path.endswith(":listAssets"):
            return self._list(asked)
        if self.busy:
            raise RefusedError(400, self.busy.pop(0))
        body = json.loads(asked.body)
        if asked.path.endswith("image:computePixels"):
            return _npy(self._computed(body["expression"], body["grid"]))
        if asked.path.endswith(":getPixels"):
            name = asked.path.partition("/assets/")[2].removesuffix(":getPixels")
            stored = self._load(name, body["grid"])
            return _npy({band: stored[band] for band in body["bandIds"]})
        raise RefusedError(404, f"no such method: {asked.path}")

    @cached_property
    def _discovery(self) -> dict[str, Any]:
        """What is shipped is of v1alpha; v1 can filter."""
        text = (SHIPPED / "cloud_api_discovery_document.json").read_text(encoding="utf-8")
        document: dict[str, Any] = json.loads(text.replace("v1alpha", "v1"))
        parameters = document["resources"]["projects"]["resources"]["assets"]["methods"]["listAssets"]["parameters"]
        parameters["filter"] = {"location": "query", "type": "string"}
        return document

    def _list(self, asked: Asked) -> Answer:
        query = asked.query or dict(parse_qsl(asked.body.decode()))  # the client posts what is long
        if not asked.path.endswith(f"/assets/{self.collection}:listAssets"):
            raise RefusedError(404, f"Asset '{asked.path}' not found (does not exist or caller does not have access).")
        records = [image.record(self.collection) for image in self.images]
        chosen = [record for record in records if _fits(record, query.get("filter", ""))]
        start = int(query.get("pageToken", 0))
        end = start + min(self.page, int(query["pageSize"]))
        more = {"nextPageToken": str(end)} if end < len(chosen) else {}
        return _json({"assets": chosen[start:end], **more})

    def _load(self, name: str, grid: Mapping[str, Any], *, masks: bool = False) -> dict[str, NDArray[Any]]:
        image = next((image for image in self.images if f"{self.collection}/{image.file.stem}" == name), None)
        if image is None:
            raise RefusedError(404, f"Asset '{name}' not found.")
        with rasterio.open(image.file) as source:
            window = _window(source, grid)
            pixels = source.read_masks(window=window) if masks else source.read(window=window)
        return dict(zip(image.bands, pixels, strict=False))

    def _computed(self, expression: Mapping[str, Any], grid: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """The value of an expression: a graph of calls, whose nodes may be shared."""
        values = expression["values"]

        def value(node: Mapping[str, Any]) -> Any:
            if "valueReference" in node:
                return value(values[node["valueReference"]])
            if "constantValue" in node:
                return node["constantValue"]
            if "arrayValue" in node:
                return [value(item) for item in node["arrayValue"]["values"]]
            call = node["functionInvocationValue"]
            if call["functionName"] == "Image.mask":
                return self._masks(call["arguments"]["image"], value, values, grid)
            return self._called(call["functionName"], {k: value(v) for k, v in call["arguments"].items()}, grid)

        found: dict[str, NDArray[Any]] = value(values[expression["result"]])
        return found

    def _masks(
        self, node: Mapping[str, Any], value: Callable[[Any], Any], values: Mapping[str, Any], grid: Mapping[str, Any]
    ) -> dict[str, NDArray[Any]]:
        select = values[node["valueReference"]] if "valueReference" in node else node
        arguments = select["functionInvocationValue"]["arguments"]
        load = arguments["input"]
        load = values[load["valueReference"]] if "valueReference" in load else load
        name = value(load["functionInvocationValue"]["arguments"]["id"])
        masks = self._load(name, grid, masks=True)
        return {band: masks[band] / 255 for band in value(arguments["bandSelectors"])}

    def _called(self, name: str, arguments: Mapping[str, Any], grid: Mapping[str, Any]) -> Any:
        if name == "Image.load":
            return self._load(arguments["id"], grid)
        if name == "Image.select":
            return {band: arguments["input"][band] for band in arguments["bandSelectors"]}
        if name == "Image.constant":
            return arguments["value"]
        if name in ARITHMETIC:
            calculate = ARITHMETIC[name]
            return {band: calculate(pixels, arguments["image2"]) for band, pixels in arguments["image1"].items()}
        raise RefusedError(400, f"Unknown function {name}")


def _fits(record: Mapping[str, Any], condition: str) -> bool:
    """Whether a record meets a filter: terms joined by AND."""
    for term in filter(None, condition.split(" AND ")):
        around = re.fullmatch(r'intersects\("(.*)"\)', term)
        if around:
            area = shapely.geometry.shape(json.loads(around[1].replace("'", '"')))
            if not area.intersects(shapely.geometry.shape(_polygon(record["geometry"]))):
                return False
            continue
        compared = re.fullmatch(r'\(?(?:properties\.)?(\w+) *([<>=!]+) *"?([^")]*)"?\)?', term)
        if not compared:
            raise RefusedError(400, f"Invalid filter: {term}")
        name, how, wanted = compared.groups()
        has = record[name] if name in record else record["properties"][name]
        if not COMPARISONS[how](has, wanted if isinstance(has, str) else type(has)(wanted)):
            return False
    return True


def _polygon(geometry: dict[str, Any]) -> dict[str, Any]:
    ring = geometry["type"] == "LinearRing"
    return {"type": "Polygon", "coordinates": [geometry["coordinates"]]} if ring else geometry


def _outline(source: Any) -> dict[str, Any]:
    """A raster's outline as a ring in degrees, as NAIP's."""
    left, bottom, right, top = source.bounds
    to_degrees = Transformer.from_crs(source.crs, "EPSG:4326", always_xy=True)
    lon, lat = to_degrees.transform([left, right, right, left, left], [bottom, bottom, top, top, bottom])
    return {"type": "LinearRing", "coordinates": [list(corner) for corner in zip(lon, lat, strict=True)]}


def _window(source: Any, grid: Mapping[str, Any]) -> Window:
    """Pixels that a grid means, which has to be part of the raster's own."""
    said, own, size = grid["affineTransform"], source.transform, grid["dimensions"]
    assert grid["crsCode"] == f"EPSG:{source.crs.to_epsg()}"
    assert (said["scaleX"], said["scaleY"]) == (own.a, own.e)
    col, row = (said["translateX"] - own.c) / own.a, (said["translateY"] - own.f) / own.e
    assert abs(col - round(col)) < 1e-6 > abs(row - round(row)), "between pixels"
    return Window(round(col), round(row), size["width"], size["height"])


def _kind(kind: np.dtype[Any]) -> dict[str, Any]:
    if kind.kind == "f":
        return {"precision": "FLOAT"}
    limits = np.iinfo(kind)
    least = {"min": int(limits.min)} if limits.min else {}
    return {"precision": "INTEGER", "range": {**least, "max": int(limits.max)}}


def _json(content: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json; charset=UTF-8"})


def _npy(bands: Mapping[str, NDArray[Any]]) -> Answer:
    """NumPy's format, with one field for each band, as the service sends it."""
    first = next(iter(bands.values()))
    if sum(band.nbytes for band in bands.values()) > REQUEST_BYTES or max(first.shape) > REQUEST_SIDE:
        raise RefusedError(400, "Total request size must be less than or equal to 50331648 bytes.")
    table = np.empty(first.shape, dtype=[(name, band.dtype) for name, band in bands.items()])
    for name, band in bands.items():
        table[name] = band
    content = io.BytesIO()
    np.save(content, table, allow_pickle=False)
    return Answer(200, content.getvalue(), {"Content-Type": "application/octet-stream"})
