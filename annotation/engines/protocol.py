"""The one thing an engine has to be able to do."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from annotation.request import Completion, Request


class Engine(Protocol):
    """A language model, or something that stands in for one.

    Engines are pydantic models: the configuration is the component. Heavy parts are loaded at the first request,
    in the process that serves it.
    """

    @property
    def name(self) -> str:
        """What `annotator` says of a caption."""

    @property
    def share(self) -> float | None:
        """Share of the samples under `assign: share`; None: even shares."""

    @property
    def replicas(self) -> int:
        """How many copies answer side by side."""

    def generate(self, requests: Sequence[Request]) -> AsyncIterator[Completion]:
        """Answers in any order, one for each request; a request that fails by itself is a completion with `error`."""
