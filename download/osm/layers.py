"""Layers of GeoPackage and GeoParquet files, streamed as Arrow batches."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio  # type: ignore[import-untyped]  # it has no types
from pyproj import CRS
from pyproj.exceptions import CRSError

from download.errors import DownloadError
from download.scene import Bounds

BATCH: Final = 20_000
"""Rows held at a time."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A table with geometries.

    Attributes:
        path: File it lies in.
        name: Its name in a GeoPackage, empty in GeoParquet.
        schema: Its columns; the geometry column holds WKB.
        geometry: Name of the geometry column.
        crs: Of the geometries.
        bounds: West, south, east, north in the CRS, None where the file does not say.
    """

    path: Path
    name: str
    schema: pa.Schema
    geometry: str
    crs: CRS
    bounds: Bounds | None

    def __str__(self) -> str:
        return f"layer {self.name} of {self.path}" if self.name else str(self.path)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows, `BATCH` at a time.

        Raises:
            DownloadError: The file is damaged.
        """
        try:
            if self.name:
                with pyogrio.open_arrow(self.path, layer=self.name, use_pyarrow=True, batch_size=BATCH) as opened:
                    yield from opened[1]
            else:
                with pq.ParquetFile(self.path) as file:
                    yield from file.iter_batches(BATCH)
        except (OSError, pa.ArrowException, pyogrio.errors.DataSourceError) as error:
            raise DownloadError(f"Cannot read {self}: {error}. It is damaged: make it again.") from error


def layers(path: Path) -> list[Layer]:
    """Layers of a `.gpkg` or `.parquet` file that have geometries.

    Raises:
        DownloadError: The file cannot be opened, or has no geometries, or does not say their CRS.
    """
    found = [_parquet_layer(path)] if path.suffix == ".parquet" else _geopackage_layers(path)
    if not found:
        raise DownloadError(f"{path} has no layer with geometries, so it holds no map.")
    return found


def _geopackage_layers(path: Path) -> list[Layer]:
    try:
        names = [name for name, kind in pyogrio.list_layers(path) if kind is not None]
        return [_geopackage_layer(path, name) for name in names]
    except pyogrio.errors.DataSourceError as error:
        raise DownloadError(f"{path} is no GeoPackage, or a damaged one: {error}. Make it again.") from error


def _geopackage_layer(path: Path, name: str) -> Layer:
    info = pyogrio.read_info(path, layer=name, force_total_bounds=True)
    with pyogrio.open_arrow(path, layer=name, use_pyarrow=True) as (meta, reader):
        schema = reader.schema
    crs = _crs(meta["crs"], f"layer {name} of {path}")
    bounds = tuple(info["total_bounds"])
    return Layer(path, name, schema, meta["geometry_name"] or "wkb_geometry", crs, _finite(bounds))


def _parquet_layer(path: Path) -> Layer:
    try:
        with pq.ParquetFile(path) as file:
            schema, metadata = file.schema_arrow, file.metadata.metadata or {}
    except (OSError, pa.ArrowException) as error:
        raise DownloadError(f"{path} is no Parquet file, or a damaged one: {error}. Make it again.") from error
    if b"geo" not in metadata:
        raise DownloadError(f"{path} is Parquet, but not GeoParquet: it does not say which column is the geometry.")
    geo = json.loads(metadata[b"geo"])
    geometry = geo["primary_column"]
    column = geo["columns"][geometry]
    if column["encoding"] != "WKB":
        raise DownloadError(f"The geometries of {path} are encoded as {column['encoding']}. Write them as WKB.")
    crs = _crs(column.get("crs", "OGC:CRS84"), str(path))
    return Layer(path, "", schema, geometry, crs, _finite(tuple(column.get("bbox", ()))))


def _crs(definition: Any, where: str) -> CRS:
    if definition is None:
        raise DownloadError(f"The CRS of {where} is unknown. Set it, for instance with geopandas' set_crs.")
    try:
        return CRS.from_user_input(definition)
    except CRSError as error:
        raise DownloadError(f"The CRS of {where} cannot be understood: {error}.") from error


def _finite(box: tuple[float, ...]) -> Bounds | None:
    """A box of two dimensions, None for an empty layer's."""
    flat = box if len(box) == 4 else (*box[:2], *box[3:5])
    if len(flat) != 4 or not np.isfinite(flat).all():
        return None
    west, south, east, north = flat
    return (west, south, east, north)
