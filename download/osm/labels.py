"""Outlines of one kind of thing, such as the building labels of a training set, as a map."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from download.cache import Cache
from download.errors import DownloadError
from download.osm.extract import OsmExtract
from download.osm.raw import NODE, ORIGINS, RELATION, WAY, plain
from download.paths import ConfigPath

OURS: Final = 1 << 50
"""Ids from here on are made from outlines; OpenStreetMap's own are far below."""

ID_COLUMNS: Final = ("osm_id", "@id", "id")


def _words(given: Any) -> Any:
    """YAML takes a bare `yes` for a truth value, and numbers for numbers."""
    if not isinstance(given, Mapping):
        return given
    return {key: {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
            for key, value in given.items()}  # fmt: skip


class LabelMap(BaseModel):
    """Outlines that carry no tags: all of them get the same.

    An OSM id that an outline has is kept; the others are numbered by their outlines, from 2^50 on, where
    OpenStreetMap has none: polygons as ways, multipolygons as relations, points as nodes.

    Attributes:
        kind: `labels`.
        path: GeoJSON, or another vector file that GDAL reads.
        tags: OSM tags of all outlines, such as `{building: yes}`.
        licence: licence of the labels, written into each sample.
        attribution: credit line of the labels, written into each sample.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["labels"]
    path: ConfigPath
    tags: Annotated[dict[str, str], BeforeValidator(_words), Field(min_length=1)]
    licence: str = "ODbL-1.0"
    attribution: str = "© OpenStreetMap contributors"

    def on_disk(self, area: Any | None = None) -> OsmExtract:  # noqa: ARG002 - as other maps; labels are read whole
        """The labels as an extract with ids and tags.

        Raises:
            DownloadError: there is no such file, or it holds no outlines with a known CRS.
        """
        if not self.path.is_file():
            raise DownloadError(f"There are no labels at {self.path}. Correct samples.osm.path.")
        with self.path.open("rb") as content:
            checksum = hashlib.file_digest(content, "sha256").hexdigest()
        key = ("labels", checksum, json.dumps(self.tags, sort_keys=True))
        extract = Cache.usual().file(key, ".parquet", self.path.name, self._write)
        return OsmExtract(path=extract, licence=self.licence, attribution=self.attribution)

    def _write(self, target: Path) -> None:
        import geopandas
        import pyogrio  # type: ignore[import-untyped]  # it has no types

        try:
            read = pyogrio.read_dataframe(self.path)
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
            raise DownloadError(f"{self.path} holds no labels that GDAL can read: {error}.") from error
        if not isinstance(read, geopandas.GeoDataFrame) or read.crs is None:
            raise DownloadError(f"{self.path} holds no outlines, or does not say their CRS.")
        frame = read[~(read.geometry.isna() | read.geometry.is_empty)].to_crs(4326)
        outlines = plain(np.asarray(frame.geometry, dtype=object))
        said = next((name for name in ID_COLUMNS if name in frame), None)
        numbers = _numbers(outlines, frame[said].tolist() if said else [None] * len(frame))
        types = [ORIGINS[origin] for origin in _origins(outlines)]
        geopandas.GeoDataFrame(
            {
                "id": [f"{type_}/{number}" for type_, number in zip(types, numbers, strict=True)],
                "tags": json.dumps(self.tags, sort_keys=True, ensure_ascii=False),
            },
            geometry=outlines,
            crs=4326,
        ).to_parquet(target, index=False)


def _origins(outlines: NDArray[Any]) -> NDArray[np.int64]:
    types = shapely.get_type_id(outlines)
    many = types >= shapely.GeometryType.MULTIPOINT
    chosen: NDArray[np.int64] = np.select([types == shapely.GeometryType.POINT, many], [NODE, RELATION], WAY)
    return chosen


def _numbers(outlines: NDArray[Any], said: list[Any]) -> list[int]:
    """The ids that are said, each for the first outline that has it; for the others numbers of our own."""
    taken: set[int] = set()
    numbers = []
    for outline, given in zip(outlines, said, strict=True):
        digits = str(given).rpartition("/")[2].removesuffix(".0")
        number = int(digits) if digits.isdecimal() else 0
        if not 0 < number < OURS or number in taken:
            wkb = shapely.to_wkb(outline, byte_order=1)
            number = OURS + int.from_bytes(hashlib.blake2b(wkb, digest_size=6).digest())
        taken.add(number)
        numbers.append(number)
    return numbers
