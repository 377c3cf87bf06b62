"""A map file fetched over the network: kept, resumed, and compared with its checksum."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from download.cache import Cache
from download.errors import DownloadError, MissingError, PassingError
from download.patience import Patience
from download.web import Web, shown

SUFFIXES: Final = (".osm.pbf", ".osh.pbf", ".pbf", ".osm.gz", ".osm.bz2", ".osm", ".gpkg", ".parquet")
"""Endings of the map files that can be read; the first that fits is kept."""


def fetched(url: str, patience: Patience, md5: str | None = None, sha256: str | None = None) -> Path:
    """A map file out of the cache; it is fetched now unless it is there.

    Without a checksum, the one that stands at `URL.md5` counts, if the server has it.

    Args:
        url: where it is.
        patience: how often and how long is tried.
        md5: checksum it must have, hexadecimal.
        sha256: likewise.

    Raises:
        DownloadError: it cannot be had, or its checksum is another.
    """
    check_address(url)
    suffix = next((suffix for suffix in SUFFIXES if urlsplit(url).path.endswith(suffix)), None)
    if suffix is None:
        raise DownloadError(f"The form of {shown(url)} is unknown; its name must end in one of {', '.join(SUFFIXES)}.")

    def make(target: Path) -> None:
        web = Web("map", patience)
        published = None if md5 or sha256 else _published_md5(web, url)
        web.download(url, target, md5=md5 or published, sha256=sha256)

    return Cache.usual().file(("map", url, md5 or "", sha256 or ""), suffix, shown(url), make)


def check_address(url: str) -> None:
    """Refuses passwords in addresses: the configuration is written into `run.json`.

    Raises:
        DownloadError: there is one, or the address is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise DownloadError(f"{shown(url)} is no address; it must begin with https:// or http://.")
    if "@" in parts.netloc:
        raise DownloadError(
            f"The address of {shown(url)} holds a user or a password, which would end up in run.json. "
            "Fetch the file by hand and set `path`."
        )


def _published_md5(web: Web, url: str) -> str | None:
    """The checksum beside the file, in the form of `md5sum`; None where there is no such file."""
    address = f"{url}.md5"

    def check(body: bytes, _: Mapping[str, str]) -> None:
        if not re.match(rb"[0-9a-fA-F]{32}\b", body):
            raise PassingError(f"{shown(address)} holds no checksum; set `md5` or `sha256`")

    try:
        return web.get(address, check)[:32].decode("ascii")
    except MissingError:
        return None
