"""Tiles of a server: asked for politely, kept once they came."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from download.cache import Cache
from download.errors import DownloadError, MissingError, PassingError
from download.imagery.tiles.scheme import Tile
from download.imagery.tiles.sniff import decode
from download.imagery.tiles.template import faults, filled, placeholders
from download.patience import Patience
from download.web import Web, shown

_SECRET: Final = re.compile(r"[?&][^=&]*(key|token|secret|signature|password)[^=&]*=(?!\{key\})[^&]", re.IGNORECASE)


def wrong_address(url: str, *, key: bool, subdomains: bool) -> str | None:
    """What is wrong with an address in a configuration; None if nothing is.

    Args:
        url: the address.
        key: whether it is said where `{key}` comes from.
        subdomains: whether it is said what `{s}` stands for.
    """
    found = placeholders(url)
    if not url.startswith(("http://", "https://")):
        return "it has to start with https:// or http://"
    if _SECRET.search(url) or "@" in url.split("/")[2]:
        return "keys do not belong in it: write {key} in the query, and in key_from which environment variable holds it"
    if "{key}" in url.partition("?")[0]:
        return "{key} has to stand in the query, behind a question mark, where messages leave it out"
    if ("key" in found) != key:
        return "{key} and key_from need each other"
    if ("s" in found) != subdomains:
        return "{s} and subdomains need each other"
    return next(iter(faults(url, {"s", "r", "key"})), None)


@dataclass(frozen=True, slots=True)
class TileServer:
    """Tiles behind an address; what came once is in the cache, and that nothing is there as well.

    Attributes:
        url: with placeholders.
        source: provider's name.
        large: whether `{r}` stands for `@2x`.
        subdomains: what `{s}` stands for, in turn.
        key_from: environment variable with what `{key}` stands for.
        user_agent: how MapTeller introduces itself.
        patience: how often and how long is tried.
    """

    url: str
    source: str
    large: bool
    subdomains: tuple[str, ...]
    key_from: str | None
    user_agent: str
    patience: Patience

    @property
    def shown(self) -> str:
        """The address for people, without the query."""
        return shown(self.url)

    def digest(self) -> str:
        """Fingerprint of the address: nobody knows all that lies behind it."""
        return blake2b(self.url.encode(), digest_size=16).hexdigest()

    def key(self) -> str:
        """The secret, empty where none is needed.

        Raises:
            DownloadError: the environment has none.
        """
        if self.key_from is None:
            return ""
        held = os.environ.get(self.key_from)
        if not held:
            raise DownloadError(f"samples.imagery.key_from: the environment variable {self.key_from} is not set.")
        return held

    def get(self, tile: Tile) -> bytes | None:
        """Content of a tile; None or empty where there is none.

        Raises:
            DownloadError: refused, or still failing after all tries.
        """
        address = filled(self.url, tile, {"s": "{s}", "key": "{key}", "r": "@2x" if self.large else ""})
        return Cache.usual().content(("xyz", address), ".tile", shown(address), lambda: self._fetch(address, tile))

    def _fetch(self, address: str, tile: Tile) -> bytes:
        subdomain = self.subdomains[(tile.x + tile.y) % len(self.subdomains)] if self.subdomains else ""
        url = address.replace("{s}", subdomain).replace("{key}", self.key())

        def check(body: bytes, _: Mapping[str, str]) -> None:
            try:
                if body:
                    decode(body, shown(url))
            except DownloadError as error:
                raise PassingError(str(error)) from error

        try:
            return Web(self.source, self.patience, {"User-Agent": self.user_agent}).get(url, check)
        except MissingError:
            return b""
