"""What an engine has to be able to do."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterable, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from annotation.request import Completion, Request


class Price(BaseModel):
    """What an engine costs, in any one currency.

    Attributes:
        gpu_hour: an hour of one GPU.
        million_prompt: a million prompt tokens.
        million_output: a million tokens of answers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    gpu_hour: float = Field(default=0, ge=0)
    million_prompt: float = Field(default=0, ge=0)
    million_output: float = Field(default=0, ge=0)


class Engine(BaseModel, ABC):
    """A language model, or something that stands in for one; the configuration is the component.

    Heavy parts are loaded by `start`, in the process that serves it.

    Attributes:
        name: what `annotator` says of a caption.
        replicas: how many copies answer side by side.
        share: share of the samples under `assign: share`; None: even shares.
        price: for the cost in the run's figures.
        cpus: logical CPUs of one replica.
        gpus: GPUs of one replica.
        at_once: whether it answers without a model and without waiting, and so may work in the process that asks.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_once: ClassVar[bool] = False

    name: str = Field(default="", max_length=200)
    replicas: int = Field(default=1, ge=1)
    share: float | None = Field(default=None, gt=0, le=1)
    price: Price | None = None
    cpus: float = Field(default=1, ge=0)
    gpus: float = Field(default=0, ge=0)

    @property
    def in_flight(self) -> int:
        """Requests that a replica works on or holds ready."""
        return 256

    def check(self) -> None:
        """Looks at everything that can be looked at without loading the model.

        Raises:
            AnnotationError: the engine could never answer; the message says how to mend it.
        """

    async def start(self) -> None:
        """Loads the model.

        Raises:
            AnnotationError: it cannot be loaded; the message says how to mend it.
        """

    @abstractmethod
    def generate(self, requests: Sequence[Request]) -> AsyncIterator[Completion]:
        """Answers as they are finished: `n` for each request, those of one request together.

        A request that fails by itself is one completion with `error`.

        Raises:
            EngineDead: nothing will ever be answered again by this copy.
        """

    async def stop(self) -> None:
        """Gives back what `start` took."""


async def as_finished(answers: Iterable[Coroutine[Any, Any, Sequence[Completion]]]) -> AsyncGenerator[Completion]:
    """Works on all answers side by side and gives each as it is finished; whoever stops early stops the rest."""
    tasks = [asyncio.create_task(answer) for answer in answers]
    try:
        for task in asyncio.as_completed(tasks):
            for completion in await task:
                yield completion
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
