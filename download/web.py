"""HTTP for whatever is fetched: patient, bounded, counted, and silent about secrets."""

import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from download import traffic
from download.answers import not_html, placed, strong_version
from download.errors import DownloadError, MissingError, PassingError, RefusedError
from download.patience import Patience, asked_wait

PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
GONE = frozenset((204, 404, 410))
USER_AGENT = "mapteller/0.1 (image-text datasets from imagery and OpenStreetMap)"
HARMLESS = frozenset(("accept", "accept-encoding", "content-type", "if-range", "range", "user-agent")) | frozenset(
    ("connection", "content-length", "cookie", "host", "transfer-encoding")
)
"""Headers that follow a redirect to another host (cookies are those of that host); others may hold secrets."""

REDIRECTS = 10

Check = Callable[[bytes, Mapping[str, str]], None]
"""Looks at an answer's body and headers; raises PassingError or DownloadError if it is not what was asked for."""


def shown(url: str) -> str:
    """An address for people: without user, password, query and fragment, where secrets stand."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "An address that cannot be read"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


@dataclass(frozen=True, slots=True)
class Web:
    """A way to one provider. Its answers are never web pages (see `not_html`).

    Attributes:
        source: provider's name, under which bytes and requests are counted.
        patience: how often and how long is tried.
        headers: sent along, to the address asked for only; never shown.
        secrets: strings that are never shown, for keys that stand in an address's path.
    """

    source: str
    patience: Patience = Patience()  # noqa: RUF009 - frozen
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def get(self, url: str, check: Check | None = None, headers: Mapping[str, str] | None = None) -> bytes:
        """The body behind an address.

        Raises:
            MissingError: 204, 404 or 410.
            RefusedError: 401 or 403.
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

        The rest is asked for only where the server named the version of the first part by a strong ETag (RFC 9110,
        8.8.3 and 13.1.5), and sent only if it still has that version. A wrong checksum is given a second try.

        Args:
            url: where it is.
            target: file, made or gone on with.
            md5: checksum it must have, hexadecimal.
            sha256: likewise.

        Raises:
            MissingError: 204, 404 or 410.
            RefusedError: 401 or 403.
            DownloadError: refused, still failing after all tries, or the checksum is another.
        """
        wrong = ""
        for _ in range(2):
            self.patience.of(lambda: self._continue(url, target))
            wrong = _difference(target, md5=md5, sha256=sha256)
            _version_of(target).unlink(missing_ok=True)
            if not wrong:
                return
            target.unlink()
        raise DownloadError(
            f"{self._shown(url)} has {wrong}. It may be damaged, or newer than the checksum: "
            "run again, or correct the checksum."
        )

    def _ask(self, method: str, url: str, check: Check | None, **options: Any) -> bytes:
        def once() -> bytes:
            with self._sent(method, url, **options) as answer:
                body = b"".join(self._body(url, answer))
                if check:
                    check(body, answer.headers)
                return body

        return self.patience.of(once)

    def _continue(self, url: str, target: Path) -> None:
        """Goes on where the file ends, if the other side still has the same version of it."""
        version = _version_of(target)
        have = target.stat().st_size if target.exists() and version.exists() else 0
        ask = {"Range": f"bytes={have}-", "If-Range": version.read_text(encoding="ascii")} if have else {}
        with self._sent("GET", url, {"Accept-Encoding": "identity", **ask}, accepted=416) as answer:
            start, whole = placed(answer)
            if answer.status_code == 416 and whole == have:
                return
            if start not in (0, have):
                version.unlink(missing_ok=True)
                raise PassingError(f"{self._shown(url)} sent another part of the file than was asked for")
            if not start:
                version.unlink(missing_ok=True)
            with target.open("ab" if start else "wb") as file:
                if not start and (mark := strong_version(answer)):
                    version.write_text(mark, encoding="ascii")
                for piece in self._body(url, answer):
                    file.write(piece)
                if whole is not None and file.tell() < whole:
                    raise PassingError(f"{self._shown(url)} ended early, {file.tell():,} of {whole:,} bytes came")

    @contextmanager
    def _sent(
        self, method: str, url: str, headers: Mapping[str, str] | None, *, accepted: int = 200, **options: Any
    ) -> Iterator[Any]:
        """An answer that can be used. Errors of the client tell addresses and headers, so none is passed on."""
        import httpx2

        failure: DownloadError
        try:
            answer = self._follow(self._request(method, url, headers, **options))
            try:
                if answer.status_code != accepted:
                    self._judge(url, answer)
                yield answer
                return
            finally:
                answer.close()
        except httpx2.TimeoutException:
            failure = PassingError(f"{self._shown(url)} was silent for {self.patience.timeout_s:g} s")
        except httpx2.ConnectError as error:
            failure = PassingError(f"{self._shown(url)} cannot be reached: {error}")
        except (httpx2.LocalProtocolError, httpx2.UnsupportedProtocol, httpx2.TooManyRedirects) as error:
            failure = DownloadError(
                f"{self._shown(url)} cannot be asked ({type(error).__name__}). Correct the address."
            )
        except httpx2.HTTPError as error:
            failure = PassingError(f"{self._shown(url)} broke off ({type(error).__name__})")
        raise failure from None

    def _request(self, method: str, url: str, headers: Mapping[str, str] | None, **options: Any) -> Any:
        import httpx2

        sent = {"User-Agent": USER_AGENT, **self.headers, **(headers or {})}
        try:
            return _client(os.getpid()).build_request(
                method, url, headers=sent, timeout=self.patience.timeout_s, **options
            )
        except UnicodeEncodeError:
            problem = "A header is not in ASCII: look at the credentials."
        except (httpx2.InvalidURL, ValueError):
            problem = "It is no address: correct it."
        raise DownloadError(f"{self._shown(url)} cannot be asked for. {problem}")

    def _follow(self, request: Any) -> Any:
        """Sends a request and those it is redirected to; secrets stay with the first host."""
        import httpx2

        for _ in range(REDIRECTS):
            traffic.count(self.source, 0)
            answer = _client(os.getpid()).send(request, stream=True)
            if answer.next_request is None:
                return answer
            answer.close()
            asked, request = request, answer.next_request
            if (asked.url.scheme, asked.url.netloc) != (request.url.scheme, request.url.netloc):
                for name in set(request.headers) - HARMLESS:
                    del request.headers[name]
        raise httpx2.TooManyRedirects("too many", request=request)

    def _judge(self, url: str, answer: Any) -> None:
        status, place = answer.status_code, self._shown(url)
        if status in GONE:
            raise MissingError(f"{place} is not there (HTTP {status}).")
        if status in PASSING:
            wait = asked_wait(answer.headers.get("Retry-After"))
            wish = "" if wait is None else f" and asks to be left alone for {wait:.0f} s"
            raise PassingError(f"{place} answered HTTP {status}{wish}", wait)
        if status in (401, 403):
            raise RefusedError(f"{place} refused (HTTP {status}). Look at the credentials that it needs.")
        if not answer.is_success:
            raise DownloadError(f"{place} answered HTTP {status}.")

    def _body(self, url: str, answer: Any) -> Iterator[bytes]:
        """Pieces of a body; the first tells whether it is a page for people."""
        first, counted = True, 0
        for piece in answer.iter_bytes():
            traffic.count(self.source, answer.num_bytes_downloaded - counted, requests=0)
            counted = answer.num_bytes_downloaded
            if first and piece:
                first = False
                try:
                    not_html(piece, answer.headers)
                except PassingError as error:
                    raise PassingError(f"{self._shown(url)} {error}") from None
            yield piece

    def _shown(self, url: str) -> str:
        place = shown(url)
        for secret in filter(None, self.secrets):
            place = place.replace(secret, "…")
        return place


@lru_cache(maxsize=1)
def _client(process: int) -> Any:  # noqa: ARG001 - a forked process must not use its parent's connections
    """One for each process: connections are kept open. Threads may share it."""
    import httpx2

    for name in ("httpx2", "httpcore2"):  # they log whole addresses
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx2.Client()


def _difference(file: Path, **wanted: str | None) -> str:
    for name, checksum in wanted.items():
        with file.open("rb") as content:
            found = hashlib.file_digest(content, name).hexdigest() if checksum else None
        if checksum and found != checksum.strip().lower():
            return f"the {name} {found}, not {checksum}"
    return ""


def _version_of(target: Path) -> Path:
    """Where the version (a strong ETag) of an unfinished file is kept."""
    return target.with_name(f"{target.name}.etag")
