"""The map of a small region, as it is or as it was, asked from Overpass servers cell by cell."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
import shapely
from pydantic import BaseModel, ConfigDict, Field

from download.cache import Cache
from download.errors import DownloadError
from download.osm.extract import OsmExtract
from download.osm.overpass_servers import Servers, TooMuchError
from download.osm.remote import check_address
from download.patience import Patience
from download.scene import Bounds

AREAS: Final = '["type"~"^(multipolygon|boundary)$"]'
ADMINISTRATIVE: Final = '["boundary"="administrative"]'

SMALLEST: Final = 1 / 8
"""Of a cell's side: cells that servers refuse are split no further."""


class OverpassMap(BaseModel):
    """OpenStreetMap elements from Overpass servers, for regions of some cells.

    Attributes:
        kind: Always `overpass`.
        date: The map as it stood at the end of that day (UTC), which only servers with attic data know; left out:
            as it is when it is first asked for.
        servers: Addresses of their APIs, asked in turn.
        cell: Side of the cells in degrees; there is one query for each, and one for the boundaries.
        max_cells: Larger areas are refused; extracts are made for them.
        widest: Widest administrative boundaries that are asked for, as `admin_level`; 2: countries, 4: states.
        timeout_s: How long a server may work on a query.
        memory_mb: How much memory a server may use for it.
        patience: How often all servers are tried, and how long each is waited for.
        licence: Licence of the map, written into each sample.
        attribution: Credit line of the map, written into each sample.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["overpass"]
    date: dt.date | None = None
    servers: Annotated[tuple[str, ...], Field(min_length=1)] = (
        "https://overpass-api.de/api",
        "https://overpass.private.coffee/api",
    )
    cell: float = Field(default=0.1, gt=0, le=1)
    max_cells: int = Field(default=200, ge=1, le=10_000)
    widest: int = Field(default=2, ge=2, le=12)
    timeout_s: int = Field(default=180, ge=1, le=3600)
    memory_mb: int = Field(default=512, ge=1, le=2048)
    patience: Patience = Patience(longest_wait_s=300, timeout_s=240)
    licence: str = "ODbL-1.0"
    attribution: str = "© OpenStreetMap contributors"

    def on_disk(self, area: Any | None) -> OsmExtract:
        """The elements of an area as an ordinary extract; what was fetched once is not asked for again.

        Args:
            area: Where the pictures are; shapely, degrees.

        Raises:
            DownloadError: The area is unknown or too large, or no server answered.
        """
        if area is None:
            raise DownloadError("Overpass has to be told where. Set region, or take samples.osm.kind: extract.")
        for server in self.servers:
            check_address(server)
        cells = cells_of(area, self.cell)
        if len(cells) > self.max_cells:
            raise DownloadError(
                f"The area of the pictures has {len(cells):,} cells of {self.cell}°, and samples.osm.max_cells allows "
                f"{self.max_cells:,}. Take samples.osm.kind: extract for so large a map, or a smaller region."
            )
        box = _box(shapely.union_all([shapely.box(*cell) for cell in cells]))
        key = ("overpass", self._settings, self._borders(box), *(self._elements(cell) for cell in cells))

        def make(target: Path) -> None:
            _merge([self._asked(self._borders(box), box), *map(self._cell, cells)], box, target)

        whole = Cache.usual().file(key, ".osm.pbf", "Overpass", make)
        return OsmExtract(path=whole, licence=self.licence, attribution=self.attribution)

    def _cell(self, cell: Bounds) -> Path:
        """Elements of a cell; of its quarters, if that is too much at once."""
        query = self._elements(cell)

        def make(target: Path) -> None:
            try:
                _write(self._ask(query), cell, target)
            except TooMuchError:
                if cell[3] - cell[1] < 2 * SMALLEST * self.cell:
                    raise
                _merge([self._cell(quarter) for quarter in _quarters(cell)], cell, target)

        return Cache.usual().file(("overpass", self._settings, query), ".osm.pbf", "Overpass", make)

    def _asked(self, query: str, box: Bounds) -> Path:
        key = ("overpass", self._settings, query)
        return Cache.usual().file(key, ".osm.pbf", "Overpass", lambda target: _write(self._ask(query), box, target))

    def _ask(self, query: str) -> bytes:
        limits = f"[out:xml][timeout:{self.timeout_s}][maxsize:{self.memory_mb << 20}]"
        dated = f'[date:"{self._moment}"]' if self._moment else ""
        return Servers(self.servers, self.patience).ask(f"{limits}{dated};\n{query}", self._moment)

    @property
    def _moment(self) -> str | None:
        return f"{self.date}T23:59:59Z" if self.date else None

    @property
    def _settings(self) -> str:
        return self._moment or ""

    @staticmethod
    def _elements(cell: Bounds) -> str:
        """Query of all that reaches into a cell but administrative boundaries; areas around it by its middle.

        Nodes without tags come with the ways that need them, ways without tags with their relations.
        """
        west, south, east, north = cell
        box = f"({south},{west},{north},{east})"
        middle = f"{(south + north) / 2:.7f},{(west + east) / 2:.7f}"
        other = f'{AREAS}["boundary"!="administrative"]'
        return (
            f'(\nnode[~"."~"."]{box};\nway{box};\nrelation{other}{box};\n)->.inside;\n'
            f"is_in({middle})->.around;\n(\nway(pivot.around);\nrelation(pivot.around){other};\n)->.over;\n"
            "(.inside;.over;);\n(._;>;);\nout meta;\n"
        )

    def _borders(self, box: Bounds) -> str:
        """Query of administrative boundaries, once for all cells: they are long, and shared by many cells."""
        west, south, east, north = box
        wide = f'["admin_level"!~"^({"|".join(map(str, range(1, self.widest)))})$"]'
        which = f"{AREAS}{ADMINISTRATIVE}{wide}"
        middle = f"{(south + north) / 2:.7f},{(west + east) / 2:.7f}"
        return (
            f"relation{which}({south},{west},{north},{east})->.inside;\n"
            f"is_in({middle})->.around;\nrelation(pivot.around){which}->.over;\n"
            "(.inside;.over;);\n(._;>;);\nout meta;\n"
        )


def cells_of(area: Any, side: float) -> list[Bounds]:
    """Cells of a grid over the earth that meet an area: west, south, east and north, row by row from the south.

    Args:
        area: shapely, degrees.
        side: of a cell, degrees.
    """
    west, south, east, north = np.array(area.bounds) / side
    columns, rows = np.arange(np.floor(west), np.ceil(east)), np.arange(np.floor(south), np.ceil(north))
    left, bottom = (edge.ravel() for edge in np.meshgrid(columns, rows))
    edges = np.round(np.stack([left, bottom, left + 1, bottom + 1], axis=1) * side, 7)
    met = shapely.intersects(area, shapely.box(*edges.T))
    return [(float(w), float(s), float(e), float(n)) for w, s, e, n in edges[met]]


def _quarters(cell: Bounds) -> list[Bounds]:
    west, south, east, north = cell
    x, y = round((west + east) / 2, 7), round((south + north) / 2, 7)
    return [(west, south, x, y), (x, south, east, y), (west, y, x, north), (x, y, east, north)]


def _box(area: Any) -> Bounds:
    west, south, east, north = (round(float(edge), 7) for edge in area.bounds)
    return west, south, east, north


def _write(answer: bytes, box: Bounds, target: Path) -> None:
    """Puts an answer in order, as PBF."""
    import osmium

    from download.osm.cut import pbf_writer

    merger = osmium.MergeInputReader()
    merger.add_buffer(answer, "osm")
    with pbf_writer(box, target) as writer:
        merger.apply(writer, simplify=True)


def _merge(files: Sequence[Path], box: Bounds, target: Path) -> None:
    """One file of several, each element once, the newest version of it; all are in memory meanwhile."""
    import osmium

    from download.osm.cut import pbf_writer

    merger = osmium.MergeInputReader()
    for file in files:
        merger.add_file(str(file))
    with pbf_writer(box, target) as writer:
        merger.apply(writer, simplify=True)
