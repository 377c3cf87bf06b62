"""Fingerprints of files with tiles."""

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np

HASHED_WHOLE: Final = 64 << 20
HASHED_PIECE: Final = 1 << 20


def content_digest(files: Sequence[Path]) -> str:
    """Of names of tiles and contents; of large ones the sizes and some pieces spread over them."""
    content = blake2b(digest_size=16)
    sizes = [file.stat().st_size for file in files]
    whole = sum(sizes) <= HASHED_WHOLE
    some = set(np.linspace(0, len(files) - 1, HASHED_WHOLE // HASHED_PIECE, dtype=int).tolist())
    for place, (file, size) in enumerate(zip(files, sizes, strict=True)):
        name = file.name if len(files) > 1 else ""
        content.update(f"{name}\0{size}\0".encode())
        if whole or place in some:
            with file.open("rb") as stream:
                for offset in [0] if whole else _spread(size, HASHED_WHOLE // min(len(files), len(some))):
                    stream.seek(offset)
                    content.update(stream.read(HASHED_WHOLE if whole else HASHED_PIECE))
    return content.hexdigest()


def _spread(size: int, budget: int) -> list[int]:
    """Where pieces start."""
    pieces = min(budget // HASHED_PIECE, -(-size // HASHED_PIECE))
    return [int(start) for start in np.linspace(0, max(0, size - HASHED_PIECE), max(1, pieces), dtype=np.int64)]
