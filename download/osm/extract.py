"""A map in a file, in any of the forms that people keep them in; on disk, or to be fetched."""

import hashlib
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from download.cache import Cache
from download.errors import DownloadError
from download.osm.geofabrik import INDEX, address
from download.osm.raw import RawElements, Tally, UnsortedExtract
from download.osm.remote import fetched
from download.paths import ConfigPath
from download.patience import Patience
from download.scene import Bounds

OSM_SUFFIXES: Final = (".pbf", ".osm", ".osm.gz", ".osm.bz2")
VECTOR_SUFFIXES: Final = (".gpkg", ".parquet")


CUT_ABOVE: Final = 32 * 2**20
"""Size in bytes of a fetched PBF file from which on only the part around the pictures is read; smaller ones are read
whole in about the time that cutting takes."""

NOWHERE: Final = Path()
"""The path of what is not on disk."""


class OsmFile(BaseModel):
    """A map file on disk or on a server; one of `path` and `url` says where.

    Attributes:
        path: The file.
        url: Where it is fetched from.
        md5: Checksum of the file behind `url`; left out, the one at `URL.md5` counts, if there is one.
        sha256: Likewise.
        patience: How often and how long is tried.
        licence: Licence of the map, written into each sample.
        attribution: Credit line of the map, written into each sample.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: ConfigPath = NOWHERE
    url: str | None = None
    md5: str | None = Field(default=None, pattern="^[0-9a-fA-F]{32}$")
    sha256: str | None = Field(default=None, pattern="^[0-9a-fA-F]{64}$")
    patience: Patience = Patience()
    licence: str = "ODbL-1.0"
    attribution: str = "© OpenStreetMap contributors"

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        places = {
            name: getattr(self, name, None) for name in ("path", "url", "region") if name in self.__class__.model_fields
        }
        said = [name for name, place in places.items() if place not in (None, NOWHERE)]
        if len(said) != 1:
            raise ValueError(
                f"exactly one of {', '.join(places)} says where the map is; there is {' and '.join(said) or 'none'}"
            )
        if self.path != NOWHERE and (self.md5 or self.sha256):
            raise ValueError("md5 and sha256 are looked at when a map is fetched, so they go with url")
        return self

    def _fetched(self) -> Path:
        """The whole file, on disk."""
        return fetched(self.url, self.patience, self.md5, self.sha256) if self.url else self.path

    def _local(self, path: Path) -> "OsmExtract":
        return OsmExtract(path=path, licence=self.licence, attribution=self.attribution)


class OsmHistory(OsmFile):
    """A file with every version of every element (`.osh.pbf`), to be read as of the days that pictures were taken.

    Attributes:
        kind: Always `history`.
    """

    kind: Literal["history"] = "history"

    def on_disk(self, area: Any | None = None) -> "OsmExtract":  # noqa: ARG002 - as other maps; a history is read whole
        """The file; it is fetched now unless it is here.

        Raises:
            DownloadError: It cannot be had, or is no history.
        """
        local = self._local(self._fetched())
        local.check(history=True)
        if not local.is_history:
            raise DownloadError(
                f"{local.path} is no history: its header does not say that it holds several versions of an element. "
                "Set samples.osm.kind: extract, or take a full-history file (`.osh.pbf`)."
            )
        return local


class OsmExtract(OsmFile):
    """OpenStreetMap elements in a file.

    Attributes:
        kind: Always `extract`.
        path: `.osm.pbf`, `.osm`, `.osm.gz` or `.osm.bz2`; or `.gpkg` and `.parquet` (GeoPackage, GeoParquet) with
            OSM ids and tags as `download.osm.vector` describes.
        region: Instead of a path: name of a region, as the index has it.
        index: Address of the index of regional extracts.
    """

    kind: Literal["extract"] = "extract"
    region: str | None = None
    index: str = INDEX

    def on_disk(self, area: Any | None = None) -> "OsmExtract":
        """The same map on disk; it is fetched now unless it is here.

        Args:
            area: Where the pictures are (shapely, degrees): of a large file that was fetched, only the part that
                the box around them needs is kept. A file at `path` is taken as it is.

        Raises:
            DownloadError: It cannot be had.
        """
        if self.path != NOWHERE:
            return self
        url = self.url or address(self.region or "", self.index, self.patience)
        whole = fetched(url, self.patience, self.md5, self.sha256)
        if area is None or not whole.name.endswith(".pbf") or whole.stat().st_size <= CUT_ABOVE:
            return self._local(whole)
        try:
            return self._local(_part(whole, area.bounds))
        except UnsortedExtract:  # reading the whole file sorts it or says how, and knows histories
            return self._local(whole)

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
        return self._local(target)

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


def _part(whole: Path, bounds: Bounds) -> Path:
    """The part of a file of the cache that a box needs, out of the cache itself."""
    from download.osm.cut import cut, widened

    box = widened(bounds)
    record = json.loads(whole.with_name(f"{whole.name}.json").read_text(encoding="utf-8"))
    key = ("map_part", record["sha256"], *map(str, box))
    return Cache.usual().file(key, ".osm.pbf", f"part of {record['source']}", lambda target: cut(whole, box, target))
