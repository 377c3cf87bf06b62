"""Language models elsewhere: any endpoints that speak OpenAI's chat completions."""

import asyncio
import importlib.util
import math
import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from random import Random
from typing import Any, Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator

from annotation.engines.engine import Engine, as_finished
from annotation.engines.openai_answers import Choice, FinalError, PassingError, Usage
from annotation.engines.openai_endpoint import Endpoint, Key, Limits, backoff_s, host_of, is_near, problem_of
from annotation.engines.vision import data_url, with_part
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
        vision: the model sees: pictures of requests are sent along.
        extra: further fields of the body, such as `top_p`; null leaves one of ours out, such as `seed`, or
            `response_format` where endpoints know no structured output.
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
    vision: bool = False
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
        if not (self._key.isascii() and self._key.isprintable() and " " not in self._key):
            raise AnnotationError(
                f"engine {self.name}: the key in {self.api_key_env} holds blanks or letters beyond ASCII"
            )
        for place, url in enumerate(self.base_urls):
            if problem := problem_of(url):
                raise AnnotationError(f"engine {self.name}: base_urls.{place}: {problem}")
            if self.api_key_env and not self._key and not is_near(url):
                raise AnnotationError(
                    f"engine {self.name}: {host_of(url)} wants a key, but the environment variable {self.api_key_env}"
                    " is not set; set it, name another under api_key_env, or write api_key_env: '' if no key is needed"
                )

    async def start(self) -> None:
        """Makes a client for each endpoint, in this event loop; nothing is sent yet."""
        self.check()
        limits = Limits(self.concurrency, self.timeout_s, min(self.connect_s, self.timeout_s))
        key = Key(self.api_key_env, self._key)
        self._endpoints = tuple(Endpoint.open(url, key, limits) for url in self.base_urls)
        self._places = asyncio.Semaphore(self.concurrency)

    async def generate(self, requests: Sequence[Request]) -> AsyncIterator[Completion]:
        """Sends what `concurrency` allows; answers come as they are finished."""
        async with aclosing(as_finished(self._answer(request) for request in requests)) as answers:
            async for completion in answers:
                yield completion

    async def stop(self) -> None:
        """Closes all connections."""
        endpoints, self._endpoints, self._places = self._endpoints, (), None
        for endpoint in endpoints:
            await endpoint.client.close()

    @property
    def _key(self) -> str:
        return os.environ.get(self.api_key_env, "").strip() if self.api_key_env else ""

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
        """Asks the endpoint that is open, was tried least, is not in doubt, and has least to do."""
        async with places:
            endpoint = min(self._endpoints, key=lambda one: (one.closed_s, tried[one], one.doubted_s > 0, one.busy))
            tried[endpoint] += 1
            choices, usage = await endpoint.ask(self._body(request), request.n, jitter)
        return self._completions(request, choices, usage)

    def _body(self, request: Request) -> dict[str, Any]:
        """Arguments of the client; fields that the client does not know go round it."""
        body = {
            "temperature": request.temperature if self.temperature is None else self.temperature,
            "seed": request.seed % SEEDS,
            **_format(request),
            **self.extra,
            self.max_tokens_field: self.max_tokens or request.max_tokens,
        }
        if request.n > 1:
            body["n"] = request.n
        sent = {field: value for field, value in body.items() if value is not None}
        messages: list[Any] = list(request.messages)
        if self.vision and request.picture:
            messages = with_part(messages, {"type": "image_url", "image_url": {"url": data_url(request.picture)}})
        return {"model": self.model, "messages": messages, "extra_body": sent}

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


def _format(request: Request) -> dict[str, Any]:
    """The field that asks for structured output."""
    if request.schema is None:
        return {}
    schema = {"name": request.task, "schema": dict(request.schema), "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}
