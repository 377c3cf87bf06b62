"""Asking Earth Engine with its own client: patient, bounded, counted, and silent about secrets."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from textwrap import shorten
from threading import BoundedSemaphore, Lock
from typing import Any, TypeVar

from download import traffic
from download.cache import Cache
from download.errors import DownloadError, PassingError
from download.imagery.earth_engine.credentials import google_credentials, is_local, needed_for, project_for
from download.patience import Patience
from download.slots import slot
from download.web import PASSING, USER_AGENT, shown

HIGH_VOLUME = "https://earthengine-highvolume.googleapis.com"
"""For many small automatic requests (https://developers.google.com/earth-engine/guides/processing_environments)."""

PASSING_TEXTS = re.compile(
    r"too many|capacity exceeded|quota exceeded|rate limit|limit was exceeded|timed out|deadline|unavailable"
    r"|internal error|try again|unexpected response",
    re.IGNORECASE,
)
"""Of errors that Earth Engine sends as 400 or 403 although asking again may help."""

LOCAL_PROJECT = "mapteller-local"
LONGEST_REASON = 300

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Session:
    """A way to Earth Engine.

    Attributes:
        source: name under which bytes and requests are counted.
        url: of the service.
        project: Cloud project, if the configuration names one.
        concurrency: requests that are under way at once, at most, in this process.
        quota: the same for all processes that share the cache.
        patience: how often and how long is tried.
    """

    source: str
    url: str
    project: str | None
    concurrency: int
    quota: int
    patience: Patience

    def check(self) -> None:
        """Looks at package, credentials and project; without network.

        Raises:
            DownloadError: one is missing.
        """
        _library()
        found = needed_for(self.url)
        if not self._project():
            where = f"the {found.kind} in {found.where} names none" if found else "there is no account"
            raise DownloadError(
                f"Earth Engine needs a Cloud project, and {where}. Set samples.imagery.project or EARTHENGINE_PROJECT."
            )
        google_credentials(found)

    def ask(self, question: Callable[[Any], Answer]) -> Answer:
        """Asks until there is an answer.

        Args:
            question: calls the client's library, which it gets.

        Raises:
            DownloadError: refused, or still failing after all tries.
        """

        def once() -> Answer:
            shared = slot(Cache.usual().folder / "slots", f"{self.url} {self._project()}", self.quota)
            with _slots(self.concurrency), shared:
                return _understood(lambda: question(self._client()))

        _library()
        return self.patience.of(once)

    def _client(self) -> Any:
        with _starting:
            return _started(self.source, self.url, self._project(), self.patience.timeout_s)

    def _project(self) -> str | None:
        found = needed_for(self.url)
        return project_for(self.project, found) or (LOCAL_PROJECT if is_local(self.url) else None)


class Transport:
    """What Google's client sends its requests with.

    It raises what may pass by itself, so that the client's own retries, which know neither `Retry-After` nor our
    patience, never begin.
    """

    def __init__(self, source: str, timeout_s: float) -> None:
        import httpx2

        self.source = source
        self.client = httpx2.Client(timeout=timeout_s, follow_redirects=False)

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **_: Any
    ) -> tuple[Any, bytes]:
        """Sends a request, as `httplib2.Http.request` does.

        Raises:
            PassingError: it broke off, the service is busy, or a web page came instead.
        """
        import httpx2
        from httplib2 import Response  # type: ignore[import-untyped]

        traffic.count(self.source, 0)
        sent = {"User-Agent": USER_AGENT, **(headers or {})}
        try:
            with self.client.stream(method, uri, headers=sent, content=body) as answer:
                content = b"".join(self._body(answer))
        except httpx2.HTTPError as error:
            raise PassingError(f"{shown(uri)} broke off: {type(error).__name__}") from None
        if answer.status_code in PASSING:
            said = answer.headers.get("Retry-After", "")
            raise PassingError(
                f"{shown(uri)} answered HTTP {answer.status_code}", float(said) if said.isdigit() else None
            )
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            raise PassingError(f"{shown(uri)} answered with a web page")
        return Response({**answer.headers, "status": answer.status_code}), content

    def close(self) -> None:
        """Closes all connections."""
        self.client.close()

    def _body(self, answer: Any) -> Any:
        for piece in answer.iter_bytes():
            traffic.count(self.source, len(piece), requests=0)
            yield piece


_starting = Lock()


@lru_cache(maxsize=1)
def _started(source: str, url: str, project: str | None, timeout_s: float) -> Any:
    """The client, which knows one service at a time.

    `ee.Initialize` would ask another server for a list of retired collections, without a time limit.
    """
    ee = _library()
    ee.data.initialize(
        credentials=google_credentials(needed_for(url)),
        api_base_url=f"{url}/api",
        tile_base_url=url,
        cloud_api_base_url=url,
        project=project,
        http_transport=Transport(source, timeout_s),
    )
    return ee


@lru_cache
def _slots(number: int) -> BoundedSemaphore:
    return BoundedSemaphore(number)


def _library() -> Any:
    try:
        import ee
    except ImportError as error:
        raise DownloadError("Earth Engine needs its client: pip install 'mapteller[earth-engine]'") from error
    return ee


def _understood(ask: Callable[[], Answer]) -> Answer:
    """An answer, or the client's errors as ours."""
    from ee.ee_exception import EEException
    from google.auth.exceptions import GoogleAuthError
    from googleapiclient.errors import Error, HttpError, UnknownApiNameOrVersion  # type: ignore[import-untyped]

    try:
        return ask()
    except GoogleAuthError as error:
        reason = str(error.args[0]) if error.args else type(error).__name__
        if getattr(error, "retryable", False):
            raise PassingError(f"Google's sign-in failed: {reason}") from None
        raise DownloadError(
            f"Google's sign-in refused the credentials: {reason}. Make or download them again."
        ) from None
    except UnknownApiNameOrVersion:
        raise DownloadError("There is no Earth Engine at that address. Correct samples.imagery.url.") from None
    except HttpError as error:
        raise _refusal(error.reason) from None
    except Error as error:
        raise PassingError(f"Earth Engine did not introduce itself: {type(error).__name__}") from None
    except EEException as error:
        raise _refusal(str(error)) from None


def _refusal(said: str) -> DownloadError:
    reason = shorten(said, LONGEST_REASON, placeholder=" …").rstrip(".") or "no reason given"
    if PASSING_TEXTS.search(reason):
        return PassingError(f"Earth Engine: {reason}")
    return DownloadError(f"Earth Engine refused: {reason}.{_advice(reason)}")


def _advice(reason: str) -> str:
    lower = reason.lower()
    if "not registered" in lower or "permission" in lower or "not been used in project" in lower:
        return " Register the Cloud project for Earth Engine and give the account its roles (docs/sources.md)."
    if "not found" in lower or "does not exist" in lower:
        return " Correct samples.imagery.collection, or ask for access."
    if "memory" in lower or "request size" in lower:
        return " Choose smaller patches."
    return ""
