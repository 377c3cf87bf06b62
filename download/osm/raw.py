"""Elements as they come from a map, in batches of columns, before anything is decided about them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from download.errors import DownloadError

NODE: Final = 0
WAY: Final = 1
RELATION: Final = 2
ORIGINS: Final = ("node", "way", "relation")
"""Words of the OSM types by their number, which is also their order in a sorted file."""

TAGS: Final = pa.map_(pa.string(), pa.string())
TIMESTAMP: Final = pa.timestamp("s", tz="UTC")


class UnsortedExtract(DownloadError):  # noqa: N818 - it names the state of the file
    """The elements of a file do not stand in the order nodes, ways, relations, each by ascending id."""


@dataclass(frozen=True, slots=True)
class RawElements:
    """A batch of elements; all columns are of the same length.

    Attributes:
        origin: Number of the OSM type, see `ORIGINS`; uint8.
        osm_id: Number of the element among those of its type; int64.
        tags: All its tags; a column of maps from text to text.
        timestamp: When it was last edited, null where the map does not say; seconds, UTC.
        geometry: Shapely geometries in EPSG:4326 (longitude, latitude). A node is a point, a relation a polygon
            or multipolygon. A way is the line through its nodes, closed or not; from inputs that have made
            polygons already it may be a polygon.
    """

    origin: NDArray[np.uint8]
    osm_id: NDArray[np.int64]
    tags: pa.MapArray
    timestamp: pa.Array
    geometry: NDArray[Any]

    def __len__(self) -> int:
        return len(self.osm_id)

    def take(self, rows: NDArray[Any]) -> "RawElements":
        """Pick rows by number or by mask."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        chosen = pa.array(rows)
        return RawElements(
            self.origin[rows],
            self.osm_id[rows],
            self.tags.take(chosen),
            self.timestamp.take(chosen),
            self.geometry[rows],
        )


def plain(geometry: NDArray[Any]) -> NDArray[Any]:
    """Collections of one part replaced by that part."""
    single = shapely.get_num_geometries(geometry) == 1
    flat = geometry.copy()
    flat[single] = shapely.get_geometry(geometry[single], 0)
    return flat


@dataclass(slots=True)
class Tally:
    """What happened to the elements on the way: filled while reading, so that nothing is lost in silence.

    Attributes:
        read: Tagged elements met in the map.
        left_out: How many of them were left out, by reason.
        repaired: How many broken outlines were mended.
        notices: What the user should know of, in sentences.
    """

    read: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    repaired: int = 0
    notices: list[str] = field(default_factory=list)

    def leave_out(self, reason: str, count: int = 1) -> None:
        """Counts elements that go no further."""
        if count:
            self.left_out[reason] += count
