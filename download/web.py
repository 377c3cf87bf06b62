"""HTTP for whatever is fetched: patient, bounded, counted, and silent about secrets."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from download import traffic
from download.errors import DownloadError, MissingError, PassingError
from download.patience import Patience

PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
GONE = frozenset((204, 404, 410))
USER_AGENT = "mapteller/0.1 (image-text datasets from imagery and OpenStreetMap)"
PIECE = 1 << 18

Check = Callable[[bytes, Mapping[str, str]], None]
"""Looks at an answer's body and headers; raises PassingError or DownloadError if it is not what was asked for."""


def shown(url: str) -> str:
    """An address for people: without user, password, query and fragment, where secrets stand."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


@dataclass(frozen=True, slots=True)
class Web:
    """A way to one provider.

    Attributes:
        source: provider's name, under which bytes and requests are counted.
        patience: how often and how long is tried.
        headers: sent along; never shown.
    """

    source: str
    patience: Patience = Patience()  # noqa: RUF009 - frozen
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def get(self, url: str, check: Check | None = None, headers: Mapping[str, str] | None = None) -> bytes:
        """The body behind an address.

        Raises:
            MissingError: 204, 404 or 410.
            DownloadError: refused, or still failing after all tries.
        """
        return self._ask("GET", url, check, headers=headers)

    def post(
        self, url: str, body: bytes, check: Check | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """The answer to a body; as `get`. What is asked has to be a question, since it may be asked twice."""
        return self._ask("POST", url, check, headers=headers, content=body)

    def download(self, url: str, target: Path, *, md5: str | None = None, sha256: str | None = None) -> None:
        """Fetches a file; what an earlier try left of it is kept and only the rest is asked for.

        Args:
            url: where it is.
            target: file, made or gone on with.
            md5: checksum it must have, hexadecimal.
            sha256: likewise.

        Raises:
            MissingError: 204, 404 or 410.
            DownloadError: refused, still failing after all tries, or the checksum is another.
        """
        self.patience.of(lambda: self._continue(url, target))
        for name, wanted in (("md5", md5), ("sha256", sha256)):
            if wanted and (found := _checksum(target, name)) != wanted.lower():
                target.unlink()
                raise DownloadError(
                    f"{shown(url)} has the {name} {found}, not {wanted}. It may be damaged, or newer than the checksum: "
                    "run again, or correct the checksum."
                )
        _version_of(target).unlink(missing_ok=True)

    def _ask(self, method: str, url: str, check: Check | None, **options: Any) -> bytes:
        def once() -> bytes:
            with self._sent(method, url, **options) as answer:
                body = b"".join(self._body(answer))
                if check:
                    check(body, answer.headers)
                return body

        return self.patience.of(once)

    def _continue(self, url: str, target: Path) -> None:
        """Goes on where the file ends, if the other side still has the same version of it."""
        version = _version_of(target)
        have = target.stat().st_size if target.exists() and version.exists() else 0
        ask = {"Range": f"bytes={have}-", "If-Range": version.read_text(encoding="ascii")} if have else {}
        with self._sent("GET", url, headers=ask) as answer:
            goes_on = answer.status_code == 206
            mark = answer.headers.get("ETag", "")
            if mark and not mark.startswith("W/"):
                version.write_text(mark, encoding="ascii")
            elif not goes_on:
                version.unlink(missing_ok=True)
            with target.open("ab" if goes_on else "wb") as file:
                for piece in self._body(answer):
                    file.write(piece)

    @contextmanager
    def _sent(self, method: str, url: str, headers: Mapping[str, str] | None = None, **options: Any) -> Iterator[Any]:
        import httpx2

        sent = {"User-Agent": USER_AGENT, **self.headers, **(headers or {})}
        traffic.count(self.source, 0)
        try:
            with _client().stream(method, url, headers=sent, timeout=self.patience.timeout_s, **options) as answer:
                _judge(url, answer)
                yield answer
        except httpx2.InvalidURL as error:
            raise DownloadError(f"{shown(url)} is no address: {error}") from None
        except httpx2.HTTPError as error:
            raise PassingError(f"{shown(url)} broke off: {type(error).__name__}") from None

    def _body(self, answer: Any) -> Iterator[bytes]:
        for piece in answer.iter_bytes(PIECE):
            traffic.count(self.source, len(piece), requests=0)
            yield piece


@lru_cache(maxsize=1)
def _client() -> Any:
    """One for each process: connections are kept open. Threads may share it."""
    import httpx2

    return httpx2.Client(follow_redirects=True)


def _judge(url: str, answer: Any) -> None:
    status = answer.status_code
    if status in GONE:
        raise MissingError(f"{shown(url)} is not there (HTTP {status}).")
    if status in PASSING:
        raise PassingError(f"{shown(url)} answered HTTP {status}", _wait(answer.headers.get("Retry-After")))
    if status in (401, 403):
        raise DownloadError(f"{shown(url)} refused (HTTP {status}). Look at the credentials that it needs.")
    if not answer.is_success:
        raise DownloadError(f"{shown(url)} answered HTTP {status}.")


def _wait(said: str | None) -> float | None:
    """Seconds of a `Retry-After` header (RFC 9110, 10.2.3): a number, or a date."""
    if not said:
        return None
    if said.strip().isdigit():
        return float(said)
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(0.0, (until - datetime.now(tz=UTC)).total_seconds())


def _checksum(file: Path, name: str) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, name).hexdigest()


def _version_of(target: Path) -> Path:
    """Where the version (a strong ETag) of an unfinished file is kept."""
    return target.with_name(f"{target.name}.etag")
