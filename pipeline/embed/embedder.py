"""What every embedding model can do."""

from collections.abc import Callable, Iterable, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.fingerprint import digest

Pixels = NDArray[np.uint8]
"""(height, width, 3), RGB."""

Vectors = NDArray[np.float32]
"""(n, d), each row of length 1, so that a product of two rows is their cosine."""


class Embedder(Protocol):
    """A loaded model."""

    def images(self, pictures: Sequence[Pixels]) -> Vectors:
        """One vector for each picture, whatever their sizes."""

    def texts(self, texts: Sequence[str]) -> Vectors:
        """One vector for each text; what is longer than the model reads is cut off."""


def unit(vectors: NDArray[Any]) -> Vectors:
    """Rows scaled to length 1; a row of zeros stays as it is, and is similar to nothing."""
    wide = np.asarray(vectors, np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    scaled: Vectors = np.divide(wide, length, out=np.zeros_like(wide), where=length != 0).astype(np.float32)
    return scaled


def digest_of(files: Iterable[Path], *words: str) -> str:
    """Of the names and bytes of a model's files, and of words."""
    digests = []
    for file in files:
        with file.open("rb") as stream:
            digests.append([file.name, file_digest(stream, "sha256").hexdigest()])
    return digest([digests, words])


def in_batches(items: Sequence[Any], size: int, embed: Callable[[Sequence[Any]], NDArray[Any]]) -> Vectors:
    """Vectors of all items, `size` at a time; (0, 0) for none."""
    if not items:
        return np.zeros((0, 0), np.float32)
    return np.concatenate([unit(embed(items[start : start + size])) for start in range(0, len(items), size)])
