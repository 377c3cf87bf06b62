"""The wiki database that taginfo publishes (https://taginfo.openstreetmap.org/download), fetched and unpacked."""

import bz2
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from download.cache import Cache
from download.errors import DownloadError
from download.osm.remote import check_address
from download.patience import Patience
from download.web import Web, shown


def wiki_database(url: str, patience: Patience | None = None) -> Path:
    """The unpacked SQLite file, out of the cache; it is fetched now unless it is there.

    Args:
        url: of `taginfo-wiki.db.bz2`, or of the file unpacked.
        patience: how often and how long is tried.

    Raises:
        DownloadError: it cannot be had or unpacked.
    """
    check_address(url)
    web = Web("tag wiki", patience or Patience())
    if not urlsplit(url).path.endswith(".bz2"):
        return Cache.usual().file(("tag_wiki", url), ".db", shown(url), lambda target: web.download(url, target))

    def make(target: Path) -> None:
        packed = target.with_name(f"{target.name}.bz2")
        web.download(url, packed)
        try:
            with bz2.open(packed) as source, target.open("wb") as unpacked:
                shutil.copyfileobj(source, unpacked, 1 << 20)
        except (OSError, EOFError) as error:
            target.unlink()
            raise DownloadError(f"{shown(url)} cannot be unpacked: {error}. Run again to fetch it anew.") from error
        finally:
            packed.unlink()  # a damaged file is of no use to the next try

    return Cache.usual().file(("tag_wiki", url), ".db", shown(url), make)
