"""Overpass servers, asked in turn, with answers that are looked at before they are believed.

Documentation of the servers: https://dev.overpass-api.de/overpass-doc/en/preface/commons.html.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from download.errors import DownloadError, PassingError
from download.patience import Patience
from download.web import Web, shown

LARGEST: Final = 512 * 2**20
"""Bytes of an answer above which its cell is split: some 2 million nodes as XML."""

_HEAVY: Final = re.compile(rb"timed out|out of memory|memory limit|too large", re.IGNORECASE)


class TooMuchError(DownloadError):
    """A query was more than a server is willing to answer at once."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Servers that hold the same map.

    Attributes:
        addresses: of their APIs, such as `https://overpass-api.de/api`; the first is asked first.
        patience: how often all of them are tried, and how long each is waited for.
    """

    addresses: Sequence[str]
    patience: Patience

    def ask(self, query: str, moment: str | None = None) -> bytes:
        """The answer of the first server that gives a whole one, as OSM XML.

        One question at a time; each round asks every server once. When all are busy, the wait is what the soonest of
        them asked for.

        Args:
            query: in Overpass QL.
            moment: how old the map has to be at most, as the servers write times; a server that lags is passed over.

        Raises:
            TooMuchError: the query took too long or too much memory; smaller ones may not.
            DownloadError: no server answered, and why.
        """
        return self.patience.of(lambda: self._round(query.encode(), moment))

    def _round(self, query: bytes, moment: str | None) -> bytes:
        refusals: list[DownloadError] = []
        for address in self.addresses:
            try:
                return self._one(address, query, moment)
            except DownloadError as error:
                refusals.append(error)
        heavy = [error for error in refusals if isinstance(error, TooMuchError)]
        if heavy:
            raise heavy[0]
        said = "No Overpass server answered: " + "; ".join(str(error).rstrip(".") for error in refusals)
        waits = [error.wait_s for error in refusals if isinstance(error, PassingError)]
        if not waits:
            raise DownloadError(f"{said}.")
        known = [wait for wait in waits if wait is not None]
        raise PassingError(said, min(known) if len(known) == len(waits) else None)

    def _one(self, address: str, query: bytes, moment: str | None) -> bytes:
        def check(body: bytes, _: Mapping[str, str]) -> None:
            _look(shown(address), body, moment)

        web = Web("overpass", self._once)
        try:
            return web.post(f"{address}/interpreter", query, check, {"Content-Type": "text/plain; charset=utf-8"})
        except DownloadError as error:
            passing = error.__cause__
            if not isinstance(passing, PassingError):
                raise
            wait = self._wait(address) if passing.wait_s is None else passing.wait_s
            raise PassingError(str(passing), wait) from error

    def _wait(self, address: str) -> float | None:
        """Seconds until a server has a slot for us, where it tells."""
        try:
            status = Web("overpass", self._once).get(f"{address}/status").decode(errors="replace")
        except DownloadError:
            return None  # whoever cannot even say how it is, is given time by the patience
        return slot_wait(status)

    @property
    def _once(self) -> Patience:
        return self.patience.model_copy(update={"tries": 1})


def slot_wait(status: str) -> float | None:
    """Seconds until a slot is free, after what `/api/status` says; None if one is free, or nothing is said of slots."""
    if re.search(r"\b[1-9]\d* slots? available now", status):
        return None
    waits = [float(seconds) for seconds in re.findall(r"Slot available after:.*?in (-?\d+) seconds", status)]
    return max(0.0, min(waits)) if waits else None


def _look(who: str, body: bytes, moment: str | None) -> None:
    """Refuses what is no whole answer: pages, cut ones, and those with a remark, whose elements are not all there."""
    if b"<osm " not in body[:1000]:
        raise PassingError(f"{who} answered with something else than a map")
    remark = re.search(rb"<remark>(.*?)</remark>", body, re.DOTALL)
    if remark:
        said = f"{who} gave up: {remark[1].decode(errors='replace').strip()}"
        raise TooMuchError(said) if _HEAVY.search(remark[1]) else PassingError(said)
    if not body.rstrip().endswith(b"</osm>"):
        raise PassingError(f"{who} sent a map that was cut short")
    if len(body) > LARGEST:
        raise TooMuchError(f"{who} sent {len(body):,} bytes for one cell")
    base = re.search(rb'osm_base="([^"]+)"', body[:2000])
    if moment and base and datetime.fromisoformat(base[1].decode()) < datetime.fromisoformat(moment):
        raise DownloadError(f"The map of {who} ends at {base[1].decode()}, before {moment}")
