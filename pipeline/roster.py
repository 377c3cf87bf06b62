"""The roster: engines as Ray actors, and who answers what."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotation.engines.engine import Engine
from annotation.errors import AnnotationError, EngineDead
from annotation.request import Completion, Request
from pipeline.config import Captions
from pipeline.dispatch import Copy, Dispatch
from pipeline.errors import PipelineError
from pipeline.figures import rates, tally, tally_here
from pipeline.posts import EngineOf, PostHere, RayPost

RESTARTS = 3
"""How often a copy of an engine that died is started again."""
REFILL = 8
"""A copy asks for more as soon as this part of what it holds is answered."""
PATIENCE_S = 300
"""How long Ray may take to bring a copy back."""


class DispatchActor(Dispatch):
    """The dispatch of a run, as a Ray actor that also watches over the copies."""

    def __init__(self, captions: Captions) -> None:
        copies = {copy: engine.name for engine in captions.engines for copy in _copies(engine)}
        super().__init__(copies, EngineOf(captions), captions.max_error_rate)
        self._watches: dict[str, asyncio.Task[None]] = {}

    async def man(self, actors: dict[str, Any]) -> None:
        """Sets the copies to work and watches over them."""
        self._watches = {name: asyncio.create_task(self._watch(name, actor)) for name, actor in actors.items()}

    async def watched(self, name: str) -> None:
        """Waits until a copy is gone for good."""
        await self._watches[name]

    async def figures(self) -> dict[str, Any]:
        """What the engines have done so far."""
        return tally(self)

    async def _watch(self, name: str, actor: Any) -> None:
        import ray

        me = ray.get_runtime_context().current_actor
        last_seen = time.monotonic()
        while True:
            try:
                await actor.serve.remote(me, name)
            except ray.exceptions.RayTaskError as error:  # it cannot be loaded, or is broken: no use to start again
                self.trouble = f"{self.copies[name].engine} cannot be used: {_said(error)}"
                return await self.lost(name, self.trouble, for_good=True)
            except ray.exceptions.ActorUnavailableError:  # Ray is starting it again
                if self.copies[name].alive:
                    await self.lost(name, "its process ended", for_good=False)
                    last_seen = time.monotonic()
                if time.monotonic() - last_seen > PATIENCE_S:
                    return await self.lost(name, "Ray could not start it again", for_good=True)
                await asyncio.sleep(0.2)
            except ray.exceptions.RayActorError:
                gone = self.copies[name].deaths >= RESTARTS
                await self.lost(name, "its process ended", for_good=gone)
                if gone:
                    return None
                await asyncio.sleep(0.2)


class EngineActor:
    """One copy of an engine, as a Ray actor: takes what it has room for, and gives answers as they come."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._held = 0
        self._answers: list[list[Completion]] = []
        self._freed, self._mail = asyncio.Event(), asyncio.Event()
        self._batches: set[asyncio.Task[None]] = set()

    async def serve(self, dispatch: Any, name: str) -> None:
        """Answers until the run ends."""
        await self._engine.start()
        await dispatch.ready.remote(name)
        self._batches.add(asyncio.create_task(self._deliver(dispatch, name)))
        room = self._engine.in_flight
        step = max(1, room // REFILL)
        while True:
            while room - self._held < step:
                self._freed.clear()
                await self._freed.wait()
            taken = await dispatch.take.remote(name, room - self._held)
            self._held += len(taken)
            if taken:
                batch = asyncio.create_task(self._answer(taken))
                self._batches.add(batch)
                batch.add_done_callback(self._batches.discard)

    async def stop(self) -> None:
        """Gives back what the engine holds."""
        await self._engine.stop()

    async def _answer(self, requests: Sequence[Request]) -> None:
        wanted = {request.key: request.n for request in requests}
        given: dict[str, list[Completion]] = {}
        reason = "the engine gave no answer"
        try:
            async for completion in self._engine.generate(requests):
                answers = given.setdefault(completion.key, [])
                answers.append(completion)
                if completion.error or len(answers) == wanted[completion.key]:
                    del wanted[completion.key]
                    self._done([given.pop(completion.key)])
        except EngineDead:
            os._exit(1)  # Ray starts it again; the dispatch gives what it had to others
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told as the failure of these requests
            reason = f"{type(error).__name__}: {error}"
        self._done([[Completion(key, "", self._engine.name, error=reason)] for key in wanted])

    def _done(self, answers: list[list[Completion]]) -> None:
        self._answers += answers
        self._held -= len(answers)
        self._mail.set()
        self._freed.set()

    async def _deliver(self, dispatch: Any, name: str) -> None:
        while True:
            await self._mail.wait()
            self._mail.clear()
            answers, self._answers = self._answers, []
            if answers:
                await dispatch.give.remote(name, answers)


@dataclass(frozen=True, slots=True)
class Roster:
    """All engines of a run; units carry it with them and ask through it.

    Engines that answer at once need no actors where there are no others: units ask them in their own process.

    Attributes:
        captions: the configuration.
        dispatch: handle of the dispatch; None where units need none.
        actors: handles of the copies, by name.
        started: seconds of a steady clock.
        answered: what engines have done in the processes of units, by name.
    """

    captions: Captions
    dispatch: Any
    actors: dict[str, Any]
    started: float
    answered: dict[str, Copy] = field(default_factory=dict)

    @classmethod
    def open(cls, captions: Captions) -> "Roster":
        """Starts one actor for each copy and the dispatch between them and the units."""
        if not actors_of(captions.engines):
            return cls(captions, None, {}, time.monotonic())
        import ray

        remote: Any = ray.remote  # its types cannot follow asynchronous actors
        dispatch = remote(num_cpus=0, max_concurrency=10_000)(DispatchActor).remote(captions)
        copy_of = remote(max_restarts=RESTARTS, max_task_retries=0)(EngineActor)
        actors = {
            copy: copy_of.options(num_cpus=engine.cpus, num_gpus=engine.gpus).remote(engine)
            for engine in captions.engines
            for copy in _copies(engine)
        }
        ray.get(dispatch.man.remote(actors))
        return cls(captions, dispatch, actors, time.monotonic())

    def post(self, client: str) -> RayPost | PostHere:
        """The way to the engines for one unit; what it asked in an earlier life is forgotten."""
        if self.dispatch is None:
            return PostHere(self.captions)
        import ray

        ray.get(self.dispatch.open.remote(client))
        return RayPost(self.dispatch, client)

    def book(self, answered: Mapping[str, Copy]) -> None:
        """Takes over what engines did in the process of a unit that is finished."""
        for name, done in answered.items():
            self.answered.setdefault(name, Copy(name)).add(done)

    def figures(self, captions: int) -> dict[str, Any]:
        """How the engines stand.

        Raises:
            PipelineError: too much fails, or no engine is left.
        """
        tallied = self._tallied()
        if tallied["trouble"]:
            raise PipelineError(
                f"{tallied['trouble']}. What is finished is kept; mend it, then run the same command again."
            )
        return rates(tallied, time.monotonic() - self.started, self.captions.engines, captions)

    def _tallied(self) -> dict[str, Any]:
        if self.dispatch is None:
            return tally_here(self.captions.engines, self.answered, self.started)
        import ray

        tallied: dict[str, Any] = ray.get(self.dispatch.figures.remote())
        return tallied

    def close(self) -> None:
        """Lets the engines give back what they hold."""
        if not self.actors:
            return
        import ray

        ray.wait([actor.stop.remote() for actor in self.actors.values()], num_returns=len(self.actors), timeout=30)


def actors_of(engines: Sequence[Engine]) -> Sequence[Engine]:
    """Engines that work in processes of their own: all, unless all answer at once."""
    return [] if all(engine.at_once for engine in engines) else engines


def _copies(engine: Engine) -> list[str]:
    return [f"{engine.name}#{number}" for number in range(engine.replicas)]


def _said(error: Any) -> str:
    """What an actor's error says to people: our own errors as they are, others with their type."""
    cause = error.cause
    return str(cause) if isinstance(cause, AnnotationError) else f"{type(cause).__name__}: {cause}"
