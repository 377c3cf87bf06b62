"""A map extract on disk, in any of the forms that people keep them in."""

import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from download.errors import DownloadError
from download.osm.raw import RawElements, Tally
from download.paths import ConfigPath
from download.scene import Bounds

OSM_SUFFIXES: Final = (".pbf", ".osm", ".osm.gz", ".osm.bz2")
VECTOR_SUFFIXES: Final = (".gpkg", ".parquet")


class OsmExtract(BaseModel):
    """OpenStreetMap elements in a file.

    Attributes:
        kind: Always `extract`.
        path: `.osm.pbf`, `.osm`, `.osm.gz` or `.osm.bz2`; or `.gpkg` and `.parquet` (GeoPackage, GeoParquet) with
            OSM ids and tags as `download.osm.vector` describes.
        licence: Licence of the map, written into each sample.
        attribution: Credit line of the map, written into each sample.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["extract"] = "extract"
    path: ConfigPath
    licence: str = "ODbL-1.0"
    attribution: str = "© OpenStreetMap contributors"

    @property
    def is_history(self) -> bool:
        """Whether the file holds the full history of its elements."""
        if self._is_vector:
            return False
        from download.osm import osm_header

        return bool(osm_header.header(self.path).has_multiple_object_versions)

    def check(self, *, history: bool = False) -> None:
        """Looks whether the file is there, of a known form and whole, as far as can be seen without reading it.

        Args:
            history: Whether the full history of elements is welcome.

        Raises:
            DownloadError: It is not; the message says why and what to do.
        """
        self._check_name()
        if self._is_vector:
            from download.osm import vector

            vector.check(self.path)
        else:
            from download.osm import osm_header

            osm_header.check(self.path, history=history)

    def digest(self) -> str:
        """Hash of the file's content (BLAKE2b), 32 hexadecimal digits."""
        with self.path.open("rb") as content:
            return hashlib.file_digest(content, lambda: hashlib.blake2b(digest_size=16)).hexdigest()

    def bounds(self) -> Bounds | None:
        """West, south, east and north in degrees as the file states them; None where it states nothing."""
        if self._is_vector:
            from download.osm import vector

            return vector.bounds(self.path)
        from download.osm import osm_header

        return osm_header.bounds(self.path)

    def read(self, keys: Collection[str], scratch: Path, tally: Tally) -> Iterator[RawElements]:
        """Streams the elements in batches.

        Nodes and ways come whatever their tags, relations where they are areas with one of the keys or
        administrative boundaries. What is left out on the way is counted.

        Args:
            keys: Keys that make an element physical.
            scratch: Folder for temporary files.
            tally: Filled on the way.

        Raises:
            UnsortedExtract: Its elements are not in order; `sorted_copy` mends it, then read that.
            DownloadError: The file cannot be used; the message says why and what to do.
        """
        self.check()
        if self._is_vector:
            from download.osm import vector

            return vector.read(self.path, tally)
        from download.osm import osm_file

        return osm_file.read(self.path, keys, scratch, tally)

    def sorted_copy(self, folder: Path, tally: Tally) -> "OsmExtract":
        """Writes the elements to a new file in order, the newest version of each; all are in memory meanwhile.

        Args:
            folder: Where the new file goes.
            tally: Counts what was there twice.

        Raises:
            DownloadError: There are too many for that; the message says how to sort them by hand.
        """
        from download.osm import osm_file

        target = folder / "sorted.osm.pbf"
        dropped = osm_file.sort(self.path, target)
        tally.read += dropped
        tally.leave_out("older version of an element", dropped)
        return OsmExtract(path=target)

    @property
    def _is_vector(self) -> bool:
        return self.path.name.endswith(VECTOR_SUFFIXES)

    def _check_name(self) -> None:
        name = self.path.name
        if not self.path.exists():
            raise DownloadError(f"There is no map extract at {self.path}. Correct `path`, or download it first.")
        if not self.path.is_file():
            raise DownloadError(f"{self.path} is a folder, not a map extract. Name the file in it.")
        if not name.endswith(OSM_SUFFIXES + VECTOR_SUFFIXES):
            known = ", ".join((".osm.pbf", *OSM_SUFFIXES[1:], *VECTOR_SUFFIXES))
            raise DownloadError(f"The form of {self.path} is unknown; its name must end in one of {known}.")
