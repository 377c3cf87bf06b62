"""Language models elsewhere: any endpoints that speak OpenAI's chat completions."""

import asyncio
import importlib.util
import ipaddress
import math
import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, PrivateAttr, field_validator, model_validator

from annotation.engines.engine import Engine
from annotation.engines.openai_answers import Choice, FinalError, PassingError, Usage, read, refusal
from annotation.errors import AnnotationError, EngineDead
from annotation.request import Completion, Request

OURS = {
    "model": "is set by model, one level up",
    "messages": "come from the prompts",
    "n": "is set by captions.drafts",
    "stream": "is not used; only whole answers are",
    "max_tokens": "is set by max_tokens, one level up",
    "max_completion_tokens": "is set by max_tokens and max_tokens_field, one level up",
}
"""Fields of the body that have a place of their own."""
SEEDS = 2**31
"""Some servers keep seeds in 32 bits."""
FIRST_WAIT_S, LAST_WAIT_S = 0.5, 30.0
"""Before the second attempt; before any attempt. Each wait is twice the one before, less a drawn part of its half."""
PATIENCE_S = 300.0
"""An endpoint that wants to be left alone for longer has no answer for this run's next minutes."""


@dataclass(eq=False, slots=True)
class Endpoint:
    """One server, and how it does; times are the event loop's, in seconds.

    Attributes:
        host: as messages name it.
        client: of the `openai` package.
        busy: attempts under way.
        failures: attempts in a row that failed.
        doubted_until: others are asked first.
        closed_until: it wants to be left alone.
    """

    host: str
    client: Any
    busy: int = 0
    failures: int = 0
    doubted_until: float = 0
    closed_until: float = 0

    def failed(self, wait_s: float, now: float) -> None:
        """Others are asked first for a while, which grows with each failure."""
        self.doubted_until = now + backoff_s(self.failures)
        self.closed_until = max(self.closed_until, now + wait_s if wait_s else 0)
        self.failures += 1


class OpenAiEngine(Engine):
    """A chat model behind one or several OpenAI-compatible endpoints.

    Attributes:
        kind: `openai`.
        name: what `annotator` says of a caption; the model's name if none is given.
        model: as the endpoints call it.
        base_urls: of the endpoints, mostly ending in `/v1`; `base_url` for a single one.
        api_key_env: environment variable that holds the key, on every machine that asks; empty: none is needed.
        concurrency: requests under way at once, of one replica to all endpoints together.
        timeout_s: longest time for one attempt, from its beginning to the end of its answer.
        connect_s: longest time until a connection stands.
        attempts: how often a request is sent before it has failed.
        temperature: of sampling; None: what the task says.
        max_tokens: longest answer; None: what the task says.
        max_tokens_field: what the endpoints call it.
        extra: further fields of the body, such as `top_p`; null leaves one of ours out, such as `seed`.
    """

    kind: Literal["openai"] = "openai"
    model: str = Field(min_length=1)
    base_urls: tuple[str, ...] = Field(min_length=1)
    api_key_env: str = "OPENAI_API_KEY"
    concurrency: int = Field(default=64, ge=1)
    timeout_s: float = Field(default=300, gt=0)
    connect_s: float = Field(default=10, gt=0)
    attempts: int = Field(default=6, ge=1)
    temperature: float | None = Field(default=None, ge=0)
    max_tokens: int | None = Field(default=None, ge=1)
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    extra: dict[str, Any] = Field(default_factory=dict)
    cpus: float = Field(default=0.5, ge=0)

    _endpoints: tuple[Endpoint, ...] = PrivateAttr(())
    _places: asyncio.Semaphore | None = PrivateAttr(None)

    @model_validator(mode="before")
    @classmethod
    def _in_full(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        values = dict(values)
        if "base_url" in values:
            if "base_urls" in values:
                raise ValueError("base_url and base_urls say the same; leave one out")
            values["base_urls"] = (values.pop("base_url"),)
        if not values.get("name") and isinstance(model := values.get("model"), str):
            values["name"] = model
        return values

    @field_validator("extra")
    @classmethod
    def _not_ours(cls, extra: dict[str, Any]) -> dict[str, Any]:
        for key in extra:
            if key in OURS:
                raise ValueError(f"extra.{key} {OURS[key]}")
        return extra

    @property
    def in_flight(self) -> int:
        """Requests that a replica works on or holds ready."""
        return math.ceil(1.2 * self.concurrency)

    def check(self) -> None:
        """Looks at the endpoints' addresses, for the key, and for the `openai` package."""
        for package in ("openai", "tenacity"):
            if importlib.util.find_spec(package) is None:
                raise AnnotationError(
                    f"engine {self.name}: {package} is not installed; `pip install mapteller[openai]`"
                )
        for url in self.base_urls:
            if problem := problem_of(url):
                raise AnnotationError(f"engine {self.name}: base_url {host_of(url)}: {problem}")
            if self.api_key_env and not self._key and not is_near(url):
                raise AnnotationError(
                    f"engine {self.name}: {host_of(url)} wants a key, but the environment variable {self.api_key_env}"
                    " is not set; set it, name another under api_key_env, or write api_key_env: '' if no key is needed"
                )

    async def start(self) -> None:
        """Makes a client for each endpoint, in this event loop; nothing is sent yet."""
        self.check()
        self._endpoints = tuple(self._open(url) for url in self.base_urls)
        self._places = asyncio.Semaphore(self.concurrency)

    async def generate(self, requests: Sequence[Request]) -> AsyncIterator[Completion]:
        """Sends what `concurrency` allows; answers come as they are finished."""
        answers = [asyncio.create_task(self._answer(request)) for request in requests]
        try:
            for answer in asyncio.as_completed(answers):
                for completion in await answer:
                    yield completion
        finally:
            for task in answers:
                task.cancel()
            await asyncio.gather(*answers, return_exceptions=True)

    async def stop(self) -> None:
        """Closes all connections."""
        endpoints, self._endpoints, self._places = self._endpoints, (), None
        for endpoint in endpoints:
            await endpoint.client.close()

    @property
    def _key(self) -> str:
        return os.environ.get(self.api_key_env, "").strip() if self.api_key_env else ""

    def _open(self, url: str) -> Endpoint:
        import httpx2
        import openai

        transport = openai.DefaultAsyncHttpxClient(
            timeout=httpx2.Timeout(self.timeout_s, connect=min(self.connect_s, self.timeout_s)),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=self.concurrency),
            trust_env=not is_near(url),  # a proxy stands between here and far away, not between here and here
        )
        key = self._key or "none"
        return Endpoint(
            host_of(url), openai.AsyncOpenAI(base_url=url, api_key=key, max_retries=0, http_client=transport)
        )

    async def _answer(self, request: Request) -> list[Completion]:
        """All answers to a request, or one completion that says why there are none."""
        import tenacity

        if self._places is None:
            raise EngineDead(f"engine {self.name}: is not running; start it first")
        jitter, tried = Random(request.seed), Counter[Endpoint]()
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(PassingError),
            stop=tenacity.stop_after_attempt(self.attempts),
            wait=lambda state: backoff_s(state.attempt_number - 1) * jitter.uniform(0.5, 1),
            reraise=True,
        )
        try:
            return await retrying(self._attempt, self._places, request, tried, jitter)
        except FinalError as error:
            return [self._failed(request, str(error), lasting=error.lasting)]
        except PassingError as error:
            return [self._failed(request, f"{error} (attempt {tried.total()} of {self.attempts})")]

    async def _attempt(
        self, places: asyncio.Semaphore, request: Request, tried: Counter[Endpoint], jitter: Random
    ) -> list[Completion]:
        """Asks the endpoint that has failed this request least, is not in doubt, and has least to do."""
        now = asyncio.get_running_loop().time
        async with places:
            endpoint = min(
                self._endpoints,
                key=lambda one: (max(one.closed_until, now()), tried[one], one.doubted_until > now(), one.busy),
            )
            tried[endpoint] += 1
            endpoint.busy += 1
            try:
                while (wait_s := endpoint.closed_until - now()) > 0:
                    if wait_s > PATIENCE_S:
                        raise FinalError(f"wants to be left alone for {wait_s:.0f} s", lasting=False)
                    await asyncio.sleep(wait_s * jitter.uniform(1, 1.2))
                choices, usage = await self._ask(endpoint, request)
            except PassingError as error:
                endpoint.failed(error.wait_s, now())
                raise PassingError(self._told(endpoint, error)) from None
            except FinalError as error:
                raise FinalError(self._told(endpoint, error), lasting=error.lasting) from None
            finally:
                endpoint.busy -= 1
            endpoint.failures = 0
        return self._completions(request, choices, usage)

    async def _ask(self, endpoint: Endpoint, request: Request) -> tuple[list[Choice], Usage]:
        import httpx2
        import openai

        try:
            async with asyncio.timeout(self.timeout_s):
                raw = await endpoint.client.chat.completions.with_raw_response.create(**self._body(request))
        except openai.APIStatusError as error:
            body = error.response.text if error.body is None else error.body
            raise refusal(error.status_code, error.response.headers, body, self.api_key_env) from None
        except (TimeoutError, openai.APITimeoutError) as error:
            if isinstance(error.__cause__, httpx2.ConnectTimeout):
                raise PassingError(f"no connection within {self.connect_s:g} s") from None
            raise PassingError(f"no whole answer within {self.timeout_s:g} s") from None
        except openai.APIConnectionError as error:
            what = "cannot be reached" if isinstance(error.__cause__, httpx2.ConnectError) else "cut the connection"
            raise PassingError(f"{what} ({error.__cause__!r})") from None
        response = raw.http_response
        return read(response.text, response.headers.get("content-type", ""), request.n)

    def _body(self, request: Request) -> dict[str, Any]:
        """Arguments of the client; fields that the client does not know go round it."""
        body = {
            "temperature": request.temperature if self.temperature is None else self.temperature,
            "seed": request.seed % SEEDS,
            **self.extra,
            self.max_tokens_field: self.max_tokens or request.max_tokens,
        }
        if request.n > 1:
            body["n"] = request.n
        sent = {field: value for field, value in body.items() if value is not None}
        return {"model": self.model, "messages": list(request.messages), "extra_body": sent}

    def _completions(self, request: Request, choices: Sequence[Choice], usage: Usage) -> list[Completion]:
        return [
            Completion(
                request.key,
                choice.text,
                self.name,
                finish_reason="length" if choice.finish_reason == "length" else "stop",
                prompt_tokens=usage.prompt if draft == 0 else 0,
                completion_tokens=tokens,
                cached_tokens=usage.cached if draft == 0 else 0,
                draft=draft,
            )
            for draft, (choice, tokens) in enumerate(zip(choices, usage.completion(len(choices)), strict=True))
        ]

    def _failed(self, request: Request, reason: str, *, lasting: bool = False) -> Completion:
        return Completion(request.key, "", self.name, error=reason, lasting=lasting)

    def _told(self, endpoint: Endpoint, error: AnnotationError) -> str:
        """An error with its place, without the key, which servers like to repeat."""
        told = f"{endpoint.host}: {error}"
        return told.replace(self._key, f"[{self.api_key_env}]") if self._key else told


def backoff_s(failures: int) -> float:
    """Seconds to wait after so many failures and one more."""
    return min(LAST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures, 60))


def host_of(url: str) -> str:
    """Host and port, and nothing that could be secret."""
    return urlsplit(url).netloc.rpartition("@")[2] or "without a host"


def problem_of(url: str) -> str:
    """What is wrong with an endpoint's address; empty if nothing is."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError as error:
        return str(error)
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
