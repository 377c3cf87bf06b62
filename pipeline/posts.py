"""Ways to the engines: through the dispatch of a run, or in this process."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from annotation.request import Completion, Request
from pipeline.config import Captions
from pipeline.draw import draw


@dataclass(frozen=True, slots=True)
class EngineOf:
    """Tells which engine has to answer a request.

    Attributes:
        captions: the configuration.
    """

    captions: Captions

    def __call__(self, request: Request) -> str | None:
        """Name of the engine; None: whoever is idle. Under `assign: share` the same on every run."""
        if request.task == "revision" and self.captions.tasks.revision.engine:
            return self.captions.tasks.revision.engine
        if self.captions.assign == "free":
            return None
        engines = self.captions.engines
        shares = [1 / len(engines) if engine.share is None else engine.share for engine in engines]
        drawn = draw(request.key.split("/", 1)[0]) * sum(shares)
        for engine, share in zip(engines, shares, strict=True):
            drawn -= share
            if drawn < 0:
                return engine.name
        return engines[-1].name


@dataclass(frozen=True, slots=True)
class RayPost:
    """A unit's way to the engines; while it waits, Ray gives its CPU to others."""

    dispatch: Any
    client: str

    def send(self, requests: Sequence[Request]) -> None:
        """Hands requests over and does not wait."""
        import ray

        ray.get(self.dispatch.send.remote(self.client, requests))

    def receive(self) -> Sequence[Completion]:
        """Waits for at least one answer and brings all that are there."""
        import ray

        answers: list[Completion] = ray.get(self.dispatch.receive.remote(self.client))
        return answers

    def close(self) -> None:
        """All that was wanted is there."""
        self.dispatch.close.remote(self.client)


class PostHere:
    """A way to the engines in this process, without Ray, for a look at a few captions; engines take turns.

    Args:
        captions: the configuration.
    """

    def __init__(self, captions: Captions) -> None:
        self._captions = captions
        self._engine_of = EngineOf(captions)
        self._waiting: list[Request] = []
        self._loop = asyncio.new_event_loop()
        self._started: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for engine in self._captions.engines:
            if engine.name in self._started:
                self._loop.run_until_complete(engine.stop())
        self._loop.close()

    def send(self, requests: Sequence[Request]) -> None:
        """Hands requests over and does not wait."""
        self._waiting += requests

    def receive(self) -> list[Completion]:
        """Answers to all of them."""
        requests, self._waiting = self._waiting, []
        return self._loop.run_until_complete(self._answer(requests))

    async def _answer(self, requests: Sequence[Request]) -> list[Completion]:
        engines = self._captions.engines
        answers: list[Completion] = []
        for engine in engines:
            mine = [
                request
                for place, request in enumerate(requests)
                if (self._engine_of(request) or engines[place % len(engines)].name) == engine.name
            ]
            if not mine:
                continue
            if engine.name not in self._started:
                await engine.start()
                self._started.add(engine.name)
            answers += [completion async for completion in engine.generate(mine)]
        return answers
