"""How much was fetched, by source, in this process."""

from collections import Counter
from collections.abc import Mapping
from threading import Lock

_fetched: Counter[str] = Counter()
_lock = Lock()


def count(source: str, received: int, requests: int = 1) -> None:
    """Books what came over the network.

    Args:
        source: provider's name.
        received: bytes of the answers' bodies.
        requests: that were sent for them, failed ones included.
    """
    with _lock:
        _fetched[f"fetched_bytes.{source}"] += received
        _fetched[f"fetched_requests.{source}"] += requests


def fetched() -> Mapping[str, int]:
    """Bytes and requests so far, as `fetched_bytes.SOURCE` and `fetched_requests.SOURCE`."""
    with _lock:
        return dict(_fetched)


def since(before: Mapping[str, int]) -> dict[str, int]:
    """What came after an earlier `fetched()`."""
    return {key: value - before.get(key, 0) for key, value in fetched().items() if value > before.get(key, 0)}
