"""Lots that fall the same everywhere and always."""

from hashlib import blake2b


def draw(text: str) -> float:
    """A number in [0, 1) from a text."""
    return int.from_bytes(blake2b(text.encode(), digest_size=7).digest(), "big") / 2**56
