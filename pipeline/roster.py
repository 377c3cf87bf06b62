"""The roster: engines as Ray actors, and who answers what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from annotation.engines.protocol import Engine
from annotation.request import Completion, Request
from pipeline.draw import draw

CHUNK = 64
"""Requests that travel to an actor together."""


class EngineActor:
    """One replica of an engine; runs as a Ray actor and answers several units at once."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def answer(self, requests: Sequence[Request]) -> list[Completion]:
        """One completion for each request."""
        return [completion async for completion in self.engine.generate(requests)]


@dataclass(frozen=True, slots=True)
class Seat:
    """An engine of the roster and its replicas.

    Attributes:
        name: the engine's name.
        share: the engine's share of the samples, for `assign: share`.
        actors: handles of the replicas.
    """

    name: str
    share: float
    actors: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Roster:
    """All engines of a run; units carry it with them and ask through it.

    Attributes:
        seats: the engines.
        assign: `free` gives a chunk to the first actor that is idle, `share` chooses by hash of the request.
    """

    seats: tuple[Seat, ...]
    assign: Literal["free", "share"]

    @classmethod
    def open(cls, engines: Sequence[Engine], assign: Literal["free", "share"]) -> "Roster":
        """Starts one actor for each replica; Ray restarts one that dies."""
        import ray

        actor = ray.remote(num_cpus=1, max_restarts=3, max_task_retries=3)(EngineActor)
        even = 1 / len(engines)
        return cls(
            tuple(
                Seat(
                    engine.name,
                    even if engine.share is None else engine.share,
                    tuple(actor.remote(engine) for _ in range(engine.replicas)),
                )
                for engine in engines
            ),
            assign,
        )

    def ask(self, requests: Sequence[Request]) -> list[Completion]:
        """Answers to all requests; blocks until the last is there."""
        if self.assign == "free":
            return _spread(requests, [actor for seat in self.seats for actor in seat.actors])
        answers = []
        for seat in self.seats:
            answers += _spread([request for request in requests if self.seat_of(request) is seat], seat.actors)
        return answers

    def seat_of(self, request: Request) -> Seat:
        """The engine of a sample under `assign: share`; the same on every run."""
        drawn = draw(request.key.split("/", 1)[0]) * sum(seat.share for seat in self.seats)
        for seat in self.seats:
            drawn -= seat.share
            if drawn < 0:
                return seat
        return self.seats[-1]


def _spread(requests: Sequence[Request], actors: Sequence[Any]) -> list[Completion]:
    """Chunks to actors; whoever has answered gets the next."""
    import ray

    chunks = [requests[start : start + CHUNK] for start in range(0, len(requests), CHUNK)]
    answers: list[Completion] = []
    idle = list(actors) * 2
    asked: dict[Any, Any] = {}
    while chunks or asked:
        while chunks and idle:
            actor = idle.pop(0)
            asked[actor.answer.remote(chunks.pop(0))] = actor
        ready, _ = ray.wait(list(asked), num_returns=1)
        for reference in ready:
            idle.append(asked.pop(reference))
            answers += ray.get(reference)
    return answers


def ask_here(engines: Sequence[Engine], requests: Sequence[Request]) -> list[Completion]:
    """Answers in this process, without Ray, for a look at a few captions; engines take turns."""
    import asyncio

    async def answer() -> list[Completion]:
        answers = []
        for turn, engine in enumerate(engines):
            answers += [completion async for completion in engine.generate(requests[turn :: len(engines)])]
        return answers

    return asyncio.run(answer())
