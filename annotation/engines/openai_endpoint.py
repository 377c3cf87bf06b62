"""One server that speaks OpenAI's chat completions: where it is, how it does, and asking it."""

import asyncio
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Self
from urllib.parse import urlsplit

from annotation.engines.openai_answers import Choice, FinalError, PassingError, Usage, read, refusal

FIRST_WAIT_S, LAST_WAIT_S = 0.5, 30.0
"""Before the second attempt; before any. Each wait is twice the one before."""
SECRET = 8
"""Characters; shorter keys, such as EMPTY, are words that local servers want to hear."""
PATIENCE_S = 300.0
"""An endpoint that wants to be left alone for longer will not answer in the next minutes."""


@dataclass(frozen=True, slots=True)
class Key:
    """What an endpoint knows its customers by; never shown.

    Attributes:
        variable: the environment variable it comes from.
        value: empty if there is none.
    """

    variable: str
    value: str = field(repr=False)

    def hidden(self, text: str) -> str:
        """A text without the key, which servers like to repeat."""
        return text.replace(self.value, f"[{self.variable}]") if len(self.value) >= SECRET else text


@dataclass(frozen=True, slots=True)
class Limits:
    """How much, and how long.

    Attributes:
        connections: that are kept open.
        answer_s: from the beginning of an attempt to the end of its answer.
        connect_s: until a connection stands.
    """

    connections: int
    answer_s: float
    connect_s: float


@dataclass(eq=False, slots=True)
class Endpoint:
    """One server, and how it does; times are the event loop's, in seconds.

    Attributes:
        host: as messages name it.
        client: of the `openai` package.
        key: sent along.
        limits: of time.
        busy: attempts under way.
        failures: attempts in a row that failed.
        doubted_until: others are asked first.
        closed_until: it wants to be left alone.
    """

    host: str
    client: Any
    key: Key
    limits: Limits
    busy: int = 0
    failures: int = 0
    doubted_until: float = 0
    closed_until: float = 0

    @classmethod
    def open(cls, url: str, key: Key, limits: Limits) -> Self:
        """A client of the running event loop; nothing is sent yet."""
        import httpx2
        import openai

        transport = openai.DefaultAsyncHttpxClient(
            timeout=httpx2.Timeout(limits.answer_s, connect=limits.connect_s),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=limits.connections),
            trust_env=not is_near(url),  # a proxy stands on the way far away, not on the way next door
        )
        client = openai.AsyncOpenAI(base_url=url, api_key=key.value or "none", max_retries=0, http_client=transport)
        return cls(host_of(url), client, key, limits)

    @property
    def closed_s(self) -> float:
        """For how long it still wants to be left alone."""
        return max(0.0, self.closed_until - _now())

    @property
    def doubted_s(self) -> float:
        """For how long others are still asked first."""
        return max(0.0, self.doubted_until - _now())

    async def ask(self, body: Mapping[str, Any], wanted: int, jitter: Random) -> tuple[list[Choice], Usage]:
        """One attempt, once the endpoint is open.

        Args:
            body: arguments of the client's `chat.completions.create`.
            wanted: how many choices it asks for.
            jitter: so that not all who wait come back at once.

        Returns:
            The choices in order, and their tokens.

        Raises:
            PassingError: another attempt, here or elsewhere, may succeed.
            FinalError: none will.
        """
        self.busy += 1
        try:
            await self._opened(jitter)
            answer = await self._send(body, wanted)
        except PassingError as error:
            self._failed(error.wait_s)
            raise PassingError(self._told(error)) from None
        except FinalError as error:
            raise FinalError(self._told(error), lasting=error.lasting) from None
        finally:
            self.busy -= 1
        self.failures = 0
        return answer

    async def _opened(self, jitter: Random) -> None:
        while wait_s := self.closed_s:
            if wait_s > PATIENCE_S:
                raise FinalError(f"wants to be left alone for {wait_s:.0f} s", lasting=False)
            await asyncio.sleep(wait_s * jitter.uniform(1, 1.2))

    async def _send(self, body: Mapping[str, Any], wanted: int) -> tuple[list[Choice], Usage]:
        import httpx2
        import openai

        try:
            async with asyncio.timeout(self.limits.answer_s):
                raw = await self.client.chat.completions.with_raw_response.create(**body)
        except openai.APIStatusError as error:
            said = self.key.hidden(error.response.text)
            raise refusal(error.status_code, error.response.headers, said, self.key.variable) from None
        except (TimeoutError, openai.APITimeoutError) as error:
            if isinstance(error.__cause__, httpx2.ConnectTimeout):
                raise PassingError(f"no connection within {self.limits.connect_s:g} s") from None
            raise PassingError(f"no whole answer within {self.limits.answer_s:g} s") from None
        except openai.APIConnectionError as error:
            what = "cannot be reached" if isinstance(error.__cause__, httpx2.ConnectError) else "cut the connection"
            raise PassingError(f"{what} ({error.__cause__!r})") from None
        except (TypeError, ValueError) as error:
            raise FinalError(f"the request cannot be put into JSON ({error})") from None
        response = raw.http_response
        return read(self.key.hidden(response.text), response.headers.get("content-type", ""), wanted)

    def _failed(self, wait_s: float) -> None:
        self.doubted_until = _now() + backoff_s(self.failures)
        if wait_s:
            self.closed_until = max(self.closed_until, _now() + wait_s)
        self.failures += 1

    def _told(self, error: Exception) -> str:
        return self.key.hidden(f"{self.host}: {error}")


def _now() -> float:
    return asyncio.get_running_loop().time()


def backoff_s(failures: int) -> float:
    """Seconds to wait after so many failures and one more."""
    return min(LAST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures, 60))


def host_of(url: str) -> str:
    """Host and port, and nothing that could be secret."""
    return urlsplit(url).netloc.rpartition("@")[2]


def problem_of(url: str) -> str:
    """What is wrong with an endpoint's address, without repeating it; empty if nothing is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the brackets of its address are not closed, or hold no IPv6 address"
    try:
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        return "the port is no number up to 65535"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "has to look like http://localhost:8000/v1"
    if parts.username is not None or parts.query or parts.fragment:
        return "nothing but host, port and path; a key belongs into the environment, see api_key_env"
    if parts.path.rstrip("/").endswith("/completions"):
        return "only the part before /chat/completions"
    return ""


def is_near(url: str) -> bool:
    """Whether an endpoint is on this machine or in its network."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".localhost", ".internal", ".lan"))
