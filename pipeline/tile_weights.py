"""How likely places are drawn: by a raster, a table of cells, or the density of the map itself."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
import pyarrow.csv as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow.lib import ArrowInvalid
from pydantic import BaseModel, ConfigDict, Field

from download.paths import ConfigPath
from pipeline.errors import PipelineError

MOST_PIXELS: Final = 2048
"""Of a side; a larger raster is read so much coarser."""

EDGE: Final = 1e-6
"""Of a pixel: what reaches no farther into it does so by rounding."""

COLUMNS: Final = ("west", "south", "east", "north", "weight")


@dataclass(frozen=True, slots=True)
class Cells:
    """Boxes from which places are drawn, each as often as its weight says, all over its ground alike.

    Attributes:
        boxes: (n, 4) west, south, east, north in degrees (EPSG:4326).
        weights: (n,) above 0.
    """

    boxes: NDArray[np.float64]
    weights: NDArray[np.float64]

    @classmethod
    def even(cls, area: Any) -> "Cells":
        """The box around an area, every place alike."""
        return cls(np.array([area.bounds]), np.ones(1))

    def near(self, area: Any) -> "Cells":
        """Those that weigh something and meet the box around an area."""
        west, south, east, north = area.bounds
        left, bottom, right, top = self.boxes.T
        met = (left < east) & (right > west) & (bottom < north) & (top > south) & (self.weights > 0)
        return Cells(self.boxes[met], self.weights[met])


class RasterWeights(BaseModel):
    """Weights from a raster in degrees: land cover, people, lights.

    Attributes:
        kind: `raster`.
        path: any file that GDAL reads.
        band: which.
        classes: weight of the ground of each class, for rasters of classes; classes that are not named are not drawn.
        amounts: values are amounts within a pixel, such as people; otherwise for an area, such as people a km².
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["raster"]
    path: ConfigPath
    band: int = Field(default=1, ge=1)
    classes: dict[int, Annotated[float, Field(ge=0)]] | None = None
    amounts: bool = False

    def cells(self, area: Any) -> Cells:
        """Pixels under an area; what is missing or below 0 counts as 0.

        Rasters of more than 2,048 pixels a side are read coarser: means of values, every so many'th class.

        Raises:
            PipelineError: it cannot be read, or is not in degrees.
        """
        import rasterio
        from rasterio.enums import Resampling
        from rasterio.windows import from_bounds

        try:
            with rasterio.open(self.path) as raster:
                if not raster.crs or not raster.crs.is_geographic:
                    raise PipelineError(
                        f"{self.path} is not in degrees; make it so: gdalwarp -t_srs EPSG:4326 {self.path.name} ..."
                    )
                shared = _shared(area.bounds, raster.bounds)
                if shared is None:
                    return Cells(np.zeros((0, 4)), np.zeros(0))
                window = _whole_pixels(from_bounds(*shared, transform=raster.transform))
                rows, cols = (min(MOST_PIXELS, int(side)) for side in (window.height, window.width))
                values = raster.read(
                    self.band, window=window, out_shape=(rows, cols), masked=True, boundless=False,
                    resampling=Resampling.nearest if self.classes else Resampling.average,
                )  # fmt: skip
                west, south, east, north = raster.window_bounds(window)
        except (rasterio.errors.RasterioError, IndexError) as error:
            raise PipelineError(f"samples.draw.weights: {self.path} cannot be read: {error}") from error
        rows, cols = values.shape
        xs, ys = np.linspace(west, east, cols + 1), np.linspace(north, south, rows + 1)
        weights = self._weights(values.filled(0 if self.classes is None else _no_class(self.classes)))
        if not self.amounts:
            weights = weights * _heights(ys[1:], ys[:-1])[:, None]
        row, col = np.nonzero(weights > 0)
        return Cells(np.stack([xs[col], ys[row + 1], xs[col + 1], ys[row]], axis=1), weights[row, col])

    def digest(self) -> str:
        """Fingerprint of the file."""
        return _file_digest(self.path)

    def _weights(self, values: NDArray[Any]) -> NDArray[np.float64]:
        if self.classes is None:
            return np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0).clip(min=0)
        weights = np.zeros(values.shape)
        for value, weight in self.classes.items():
            weights[values == value] = weight
        return weights


class CellWeights(BaseModel):
    """Weights from a table.

    Attributes:
        kind: `cells`.
        path: CSV with `west,south,east,north` in degrees and `weight`: an amount for the whole cell.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["cells"]
    path: ConfigPath

    def cells(self, area: Any) -> Cells:  # noqa: ARG002 - as of rasters; a table is read whole
        """The cells of the table.

        Raises:
            PipelineError: it cannot be read, lacks a column, or holds what is no box or no weight.
        """
        try:
            table = pc.read_csv(self.path)
            columns = [table[name].to_numpy().astype(np.float64) for name in COLUMNS]
        except (OSError, ArrowInvalid, KeyError, ValueError) as error:
            raise PipelineError(
                f"samples.draw.weights: {self.path} is no CSV of numbers with the columns {', '.join(COLUMNS)}: {error}"
            ) from error
        west, south, east, north, weight = columns
        good = (west >= -180) & (west < east) & (east <= 180) & (south >= -90) & (south < north) & (north <= 90)
        good &= np.isfinite(weight) & (weight >= 0)
        if not good.all():
            line = int(np.flatnonzero(~good)[0])
            said = ", ".join(f"{name} {column[line]:g}" for name, column in zip(COLUMNS, columns, strict=True))
            raise PipelineError(f"samples.draw.weights: {self.path}, line {line + 2}: {said} is no cell with a weight.")
        return Cells(np.stack(columns[:4], axis=1), weight)

    def digest(self) -> str:
        """Fingerprint of the file."""
        return _file_digest(self.path)


class MapWeights(BaseModel):
    """The map's own density: a cell weighs as many elements as can be seen and have their middles in it.

    Attributes:
        kind: `map`.
        cell: side of a cell in degrees.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["map"]
    cell: float = Field(default=0.01, gt=0, le=10)

    def cells(self, elements: Path) -> Cells:
        """Cells that hold an element.

        Args:
            elements: GeoParquet, as `write_elements` makes it.
        """
        found: dict[tuple[int, int], int] = {}
        with pq.ParquetFile(elements) as file:
            for batch in file.iter_batches(columns=["bbox", "hidden"]):
                west, south, east, north = (
                    batch["bbox"].field(side).to_numpy() for side in ("xmin", "ymin", "xmax", "ymax")
                )
                middles = np.stack([west + east, south + north], axis=1)[batch["hidden"].is_null().to_numpy(False)]
                cells, counts = np.unique(np.floor(middles / 2 / self.cell).astype(int), axis=0, return_counts=True)
                for cell, count in zip(map(tuple, cells.tolist()), counts.tolist(), strict=True):
                    found[cell] = found.get(cell, 0) + count
        corners = np.array(sorted(found), dtype=np.float64).reshape(-1, 2)
        boxes = np.concatenate([corners, corners + 1], axis=1) * self.cell
        return Cells(boxes, np.array([found[cell] for cell in sorted(found)], dtype=np.float64))

    def digest(self) -> str:
        """Nothing of its own: the map counts."""
        return ""


Weights = Annotated[CellWeights | MapWeights | RasterWeights, Field(discriminator="kind")]


def _shared(one: Any, other: Any) -> tuple[float, float, float, float] | None:
    west, south = np.maximum(one[:2], other[:2]).tolist()
    east, north = np.minimum(one[2:], other[2:]).tolist()
    return (west, south, east, north) if west < east and south < north else None


def _whole_pixels(window: Any) -> Any:
    """The smallest window of whole pixels around a window."""
    from rasterio.windows import Window

    left, top = np.floor([window.col_off + EDGE, window.row_off + EDGE]).astype(int).tolist()
    ends = [window.col_off + window.width - EDGE, window.row_off + window.height - EDGE]
    right, bottom = np.ceil(ends).astype(int).tolist()
    return Window(left, top, max(1, right - left), max(1, bottom - top))


def _heights(south: NDArray[np.float64], north: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ground between parallels, on a sphere."""
    difference: NDArray[np.float64] = np.sin(np.radians(north)) - np.sin(np.radians(south))
    return difference


def _no_class(classes: dict[int, float]) -> int:
    """A number that names no class with a weight."""
    return next(number for number in range(256) if not classes.get(number))


def _file_digest(path: Path) -> str:
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise PipelineError(f"samples.draw.weights: {path} cannot be read: {error.strerror}.") from error
