"""Engines that behave as badly as real ones may."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Literal

from annotation.engines.engine import Engine
from annotation.errors import AnnotationError, EngineDead
from annotation.request import Completion, Request

PATIENCE_S = 60
TEXT = "A gently curved river crosses the picture from the northern to the southern edge."


class Moody(Engine):
    """Answers, but not always.

    Attributes:
        mood: what goes wrong: `dies` once (its process is killed in the middle of its work), `ends` (says itself that
            it is dead) once, `unloadable`, `raises` on each request, `forgets` those with odd seeds, `waits` for
            another to have died before it answers, so that there is work left for that one.
        folder: where it remembers its deaths and writes down what it answered.
    """

    kind: Literal["moody"] = "moody"
    mood: Literal["well", "dies", "ends", "unloadable", "raises", "forgets", "waits"] = "well"
    folder: Path

    @property
    def in_flight(self) -> int:
        """Few, so that there is always something left to take."""
        return 8

    async def start(self) -> None:
        """Fails where the mood is so."""
        if self.mood == "unloadable":
            raise AnnotationError("the model folder holds no weights")

    async def generate(self, requests: Sequence[Request]) -> AsyncIterator[Completion]:
        """One answer at a time."""
        until = asyncio.get_running_loop().time() + PATIENCE_S
        while self.mood == "waits" and not any(self.folder.glob("*.died")):
            if asyncio.get_running_loop().time() > until:
                raise RuntimeError("nobody died")
            await asyncio.sleep(0.01)
        for number, request in enumerate(requests):
            await asyncio.sleep(0)
            if self.mood in ("dies", "ends") and number == len(requests) // 2 and self._first_time():
                if self.mood == "ends":
                    raise EngineDead("the core is gone")
                os.kill(os.getpid(), signal.SIGKILL)
            if self.mood == "raises":
                raise RuntimeError("weights full of NaN")
            if self.mood == "forgets" and request.seed % 2:
                continue
            for draft in range(request.n):
                yield Completion(request.key, TEXT, self.name, draft=draft, prompt_tokens=5, completion_tokens=10)

    def _first_time(self) -> bool:
        try:
            (self.folder / f"{self.name}.died").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True
