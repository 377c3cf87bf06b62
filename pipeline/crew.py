"""The crew: work handed to Ray, a bounded amount at once, and tried twice."""

import errno
import re
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

ATTEMPTS = 2
NO_USE_GOING_ON = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Errand:
    """One piece of work.

    Attributes:
        kind: `unit` or `shard`.
        name: of the unit or shard.
        function: a Ray remote function.
        arguments: its arguments.
        attempt: how often it has failed.
    """

    kind: str
    name: str
    function: Any
    arguments: tuple[Any, ...]
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """Work that raised on every attempt."""

    error: str
    trace: str
    cause: BaseException

    @property
    def hopeless(self) -> bool:
        """Whether nothing else could be written either: the disk is full or read-only."""
        return isinstance(self.cause, OSError) and self.cause.errno in NO_USE_GOING_ON


class Crew:
    """Keeps at most `width` errands going."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._waiting: deque[Errand] = deque()
        self._out: dict[Any, Errand] = {}

    def send(self, errands: Iterable[Errand]) -> None:
        """Hands in work."""
        self._waiting.extend(errands)

    @property
    def busy(self) -> bool:
        """Whether anything is waiting or being worked on."""
        return bool(self._waiting or self._out)

    def finished(self, timeout_s: float) -> Iterator[tuple[Errand, Any]]:
        """Errands that ended within the time, each with its result or its `Failure`."""
        import ray

        while self._waiting and len(self._out) < self._width:
            errand = self._waiting.popleft()
            self._out[errand.function.remote(*errand.arguments)] = errand
        ready, _ = ray.wait(list(self._out), num_returns=1, timeout=timeout_s)
        for reference in ready:
            errand = self._out.pop(reference)
            try:
                result = ray.get(reference)
            except ray.exceptions.RayError as error:
                cause = getattr(error, "cause", None) or error
                result = Failure(f"{type(cause).__name__}: {cause}", _trace(error), cause)
                if errand.attempt + 1 < ATTEMPTS and not result.hopeless:
                    self._waiting.append(replace(errand, attempt=errand.attempt + 1))
                    continue
            yield errand, result


def _trace(error: BaseException) -> str:
    return COLOURS.sub("", "".join(traceback.format_exception_only(error))).strip()
