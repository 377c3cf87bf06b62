"""Ways to the engines: through the dispatch of a run, or in this process."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from annotation.engines.engine import Engine
from annotation.request import Completion, Request
from pipeline.config import Captions
from pipeline.dispatch import Copy
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

    @property
    def answered(self) -> Mapping[str, Copy]:
        """Nothing: the dispatch counts."""
        return {}

    def close(self) -> None:
        """All that was wanted is there."""
        self.dispatch.close.remote(self.client)


class PostHere:
    """A way to engines in this process, for a look at a few captions and for engines that answer at once.

    They take turns.

    Args:
        captions: the configuration.

    Attributes:
        answered: what each engine has done, by name.
    """

    def __init__(self, captions: Captions) -> None:
        self.answered: dict[str, Copy] = {}
        self._captions = captions
        self._engine_of = EngineOf(captions)
        self._waiting: list[Request] = []
        self._loop = asyncio.new_event_loop()
        self._started: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets the engines give back what they hold."""
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
            answers += await self._ask(engine, mine)
        return answers

    async def _ask(self, engine: Engine, requests: Sequence[Request]) -> list[Completion]:
        answers: defaultdict[str, list[Completion]] = defaultdict(list)
        async for completion in engine.generate(requests):
            answers[completion.key].append(completion)
        done = self.answered.setdefault(engine.name, Copy(engine.name))
        for each in answers.values():
            done.book(each)
        return [completion for each in answers.values() for completion in each]
