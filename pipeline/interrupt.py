"""Ctrl-C that is not lost: some library's callback may swallow the exception, the request to stop stays."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Remembers that somebody asked to stop.

    Attributes:
        asked: whether somebody did.
    """

    def __init__(self) -> None:
        self.asked = False

    def heed(self) -> None:
        """Stops where it was asked for.

        Raises:
            KeyboardInterrupt: it was.
        """
        if self.asked:
            raise KeyboardInterrupt

    @classmethod
    @contextmanager
    def watched(cls) -> Iterator["Interrupt"]:
        """Watches for SIGINT until the block ends; in other threads than the main one nothing comes in."""
        interrupt = cls()

        def ask(_signal: int, _frame: FrameType | None) -> None:
            interrupt.asked = True
            raise KeyboardInterrupt

        if threading.current_thread() is not threading.main_thread():
            yield interrupt
            return
        before = signal.signal(signal.SIGINT, ask)
        try:
            yield interrupt
        finally:
            signal.signal(signal.SIGINT, before)
