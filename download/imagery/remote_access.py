"""Getting parts of files that lie in other people's stores: openly, with a token, or at one's own cost."""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import quote, urlsplit

from download.errors import DownloadError, MissingError, PassingError
from download.imagery import aws
from download.imagery.remote_file import Piece, Span
from download.patience import Patience
from download.web import Web, shown

PLANETARY_COMPUTER_TOKENS = "https://planetarycomputer.microsoft.com/api/sas/v1/token"
"""`/COLLECTION` behind it answers with a token (https://planetarycomputer.microsoft.com/docs/concepts/sas/)."""

SUBSCRIPTION = "PC_SDK_SUBSCRIPTION_KEY"
"""Environment variable with a Planetary Computer key; without one its limits are lower."""

AZURE = ".blob.core.windows.net"
MARGIN = timedelta(minutes=1)

Request = tuple[str, Mapping[str, str]]
"""Address and headers."""


class Access(Protocol):
    """How a store lets one in."""

    def request(self, href: str, headers: Mapping[str, str]) -> Request:
        """What has to be sent for an address of the catalogue."""

    def renew(self, href: str) -> bool:
        """After a refusal: whether there is a fresh permission to try with."""


@dataclass(frozen=True, slots=True)
class OpenAccess:
    """Anybody may read. `s3://` addresses are asked for over HTTPS; at one's own cost if `requester_pays`.

    Attributes:
        region: of the S3 buckets.
        requester_pays: whether the reader's own AWS account pays for the transfer.
    """

    region: str = "us-west-2"
    requester_pays: bool = False

    def request(self, href: str, headers: Mapping[str, str]) -> Request:
        """The address, signed where it costs."""
        url = aws.https(href, self.region)
        if self.requester_pays:
            paid = {**headers, "x-amz-request-payer": "requester"}
            return url, aws.signed(url, paid, self.region, aws.credentials(), datetime.now(tz=UTC))
        return url, headers

    def renew(self, href: str) -> bool:  # noqa: ARG002 - the same for all
        """There is nothing to renew."""
        return False


@dataclass(frozen=True, slots=True)
class TokenAccess:
    """A token of the Planetary Computer behind each address; it lives in memory only, until it expires.

    Attributes:
        collection: that the token is for.
        tokens: where tokens are given out.
        web: the way there.
    """

    collection: str
    tokens: str
    web: Web

    def request(self, href: str, headers: Mapping[str, str]) -> Request:
        """The address with a token, if the store is one that the tokens are for: no one else is to get it."""
        host = urlsplit(href).hostname or ""
        if host.endswith(AZURE) or host == urlsplit(self.tokens).hostname:
            return f"{href}?{self._token()}", headers
        return href, headers

    def renew(self, href: str) -> bool:  # noqa: ARG002 - one token for the whole collection
        """Forgets the token, so that the next request asks for another."""
        with _lock:
            return _known.pop((self.tokens, self.collection), None) is not None

    def _token(self) -> str:
        key = (self.tokens, self.collection)
        with _lock:
            token, expires = _known.get(key, ("", datetime.min.replace(tzinfo=UTC)))
            if datetime.now(tz=UTC) + MARGIN > expires:
                token, expires = _known[key] = self._ask()
        return token

    def _ask(self) -> tuple[str, datetime]:
        key = os.environ.get(SUBSCRIPTION)
        url = f"{self.tokens.rstrip('/')}/{quote(self.collection, safe='')}"
        headers = {"Ocp-Apim-Subscription-Key": key} if key else None
        answer = self.web.get(url, lambda body, _: _check_token(url, body), headers)
        said = json.loads(answer)
        return said["token"], datetime.fromisoformat(said["msft:expiry"])


_known: dict[tuple[str, str], tuple[str, datetime]] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Ranges:
    """Gets parts of one file over HTTP.

    Attributes:
        href: address as the catalogue has it, without secrets.
        web: the way there.
        access: how the store lets one in.
    """

    href: str
    web: Web
    access: Access

    def __call__(self, span: Span) -> Piece:
        """The bytes of a span.

        Raises:
            MissingError: there is no such file.
            DownloadError: refused, also with a fresh permission; or the server does not do byte ranges.
        """
        try:
            return self._get(span)
        except MissingError:
            raise
        except DownloadError as error:
            tried_long = isinstance(error.__cause__, PassingError)
            if tried_long or not self.access.renew(self.href):
                raise
        return self._get(span)

    def _get(self, span: Span) -> Piece:
        start, end = span
        # A compressed answer would be a range of something else than the file.
        headers = {"Range": f"bytes={start}-{end - 1}", "Accept-Encoding": "identity"}
        url, headers_sent = self.access.request(self.href, headers)
        pieces: list[Piece] = []
        self.web.get(url, lambda body, said: pieces.append(_piece(url, span, body, said)), headers_sent)
        return pieces[-1]


@dataclass(frozen=True, slots=True)
class Store:
    """Whose files they are, and on which terms they are read.

    Attributes:
        source: provider's name, under which bytes and requests are counted.
        patience: how often and how long is tried.
        collection: of the Planetary Computer.
        tokens: where its tokens are given out; None for other stores.
        region: of S3 buckets.
        requester_pays: whether the reader's own AWS account pays for the transfer.
    """

    source: str
    patience: Patience
    collection: str = ""
    tokens: str | None = None
    region: str = "us-west-2"
    requester_pays: bool = False

    def ranges(self, href: str) -> Ranges:
        """The way to one file."""
        web = Web(self.source, self.patience)
        if self.tokens:
            return Ranges(href, web, TokenAccess(self.collection, self.tokens, web))
        return Ranges(href, web, OpenAccess(self.region, self.requester_pays))


def _piece(url: str, span: Span, body: bytes, headers: Mapping[str, str]) -> Piece:
    if headers.get("Content-Type", "").startswith("text/html"):
        raise PassingError(f"{shown(url)} answered with a web page")
    said = headers.get("Content-Range", "")
    place, _, size = said.removeprefix("bytes ").partition("/")
    if not size.isdigit():
        raise DownloadError(f"{shown(url)} does not do byte ranges. Fetch the file whole, and use kind: local.")
    start, end = span[0], min(span[1], int(size))
    if place != f"{start}-{end - 1}" or len(body) != end - start:
        raise PassingError(f"{shown(url)} answered with {len(body):,} bytes ({said}) instead of {start}-{end - 1}")
    return Piece(body, int(size), headers.get("ETag") or headers.get("Last-Modified") or "")


def _check_token(url: str, body: bytes) -> None:
    try:
        said = json.loads(body)
        whole = bool(said["token"]) and datetime.fromisoformat(said["msft:expiry"]).tzinfo is not None
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise PassingError(f"{shown(url)} answered with something else than a token")
