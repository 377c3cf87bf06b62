"""Places for requests, shared by processes: a service's limit holds for all of them together."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from filelock import FileLock, Timeout

LONGEST_WAIT_S = 0.1
"""Between two looks for a free place; a request takes longer."""


@contextmanager
def slot(folder: Path, service: str, number: int) -> Iterator[None]:
    """Waits for one of so many places at a service, and gives it back when the block ends.

    A place is a locked file: processes of one machine share them, and machines that share the folder. The system gives
    a place back when a process dies.

    Args:
        folder: where the files lie; it is made.
        service: whose places they are.
        number: how many there are.
    """
    name = blake2b(service.encode(), digest_size=8).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    places = [folder / f"{name}-{place}.lock" for place in range(number)]
    held = _free(places)
    while held is None:
        time.sleep(random.uniform(0, LONGEST_WAIT_S))
        held = _free(places)
    try:
        yield
    finally:
        held.release()


def _free(places: list[Path]) -> FileLock | None:
    """A place that is ours now; None where all are taken."""
    for place in random.sample(places, len(places)):
        lock = FileLock(place, thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        return lock
    return None
