"""What a run says while it runs: a live display on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

LINE_EVERY_S = 10.0


@dataclass(slots=True)
class Display:
    """Shows how far a run is.

    Attributes:
        console: where to.
        total: units in all.
        reused: units that were done before.
    """

    console: Console
    total: int
    reused: int
    _bar: Progress | None = None
    _started: float = field(default_factory=time.monotonic)
    _last_line: float = 0.0

    def say(self, text: str) -> None:
        """A line of its own."""
        (self._bar.console if self._bar else self.console).print(text, markup=False, highlight=False, soft_wrap=True)

    def show(self, done: int, shards: int, counts: Mapping[str, int]) -> None:
        """The state of things: units done in all, shards written, what became of the patches."""
        text = f"{counts.get('captions', 0):,} captions, {counts.get('rejected', 0):,} rejected, {shards:,} shards"
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=done, detail=text)
            return
        now = time.monotonic()
        if now - self._last_line >= LINE_EVERY_S or done == self.total:
            self._last_line = now
            self.say(f"{done:,}/{self.total:,} units · {text}{self._to_go(done, now)}")

    def _to_go(self, done: int, now: float) -> str:
        fresh = done - self.reused
        if not fresh or done == self.total:
            return ""
        return f" · {minutes((now - self._started) / fresh * (self.total - done))} to go"


@contextmanager
def progress(console: Console, total: int, reused: int) -> Iterator[Display]:
    """Shows progress until the block ends."""
    if not console.is_terminal:
        yield Display(console, total, reused)
        return
    columns = (
        SpinnerColumn(),
        MofNCompleteColumn(),
        "units",
        BarColumn(),
        TextColumn("{task.fields[detail]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        bar.add_task("units", total=total, completed=reused, detail="")
        yield Display(console, total, reused, bar)


def minutes(seconds: float) -> str:
    """A duration for people: 0:07, 12:30, 3:05:00."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"
