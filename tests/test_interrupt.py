"""Stopping on request, even where somebody's callback has swallowed it."""

import contextlib
import signal
import threading

import pytest

from pipeline.interrupt import Interrupt


def test_a_swallowed_request_to_stop_is_heeded_later() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupt.watched() as interrupt:
        interrupt.heed()
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupt.heed()
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_leave_signals_alone() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def watch() -> None:
        with Interrupt.watched() as interrupt:
            seen.append(interrupt.asked)

    thread = threading.Thread(target=watch)
    thread.start()
    thread.join()
    assert seen == [False]
    assert signal.getsignal(signal.SIGINT) is before
