"""The captions of a run by place: a few bytes of each in memory, and their texts read again where they are wanted.

A place counts captions in the order of the parts, from 0.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from pipeline.measuring.told import part, units
from pipeline.store import RunFolder

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Captions:
    """Fourteen bytes of each caption of a run.

    Attributes:
        folder: of the run.
        parts: units and how many captions each has.
        names: annotators, by the alphabet.
        annotators: place in `names` of each caption's annotator.
        lengths: in words as blanks part them.
        digests: 64 bits of each text, blanks made equal; of ten million different texts all differ but for a chance of
            one in 370,000.
    """

    folder: RunFolder
    parts: tuple[tuple[str, int], ...]
    names: tuple[str, ...]
    annotators: NDArray[np.uint16]
    lengths: NDArray[np.int32]
    digests: NDArray[np.uint64]

    @classmethod
    def of(cls, folder: RunFolder) -> "Captions":
        """Reads all captions once."""
        parts: list[tuple[str, int]] = []
        met: dict[str, int] = {}
        annotators, lengths, digests = array("H"), array("i"), bytearray()
        for unit in units(folder):
            table = part(folder, unit, "captions", ("text", "annotator"))
            parts.append((unit, len(table)))
            annotators.extend(met.setdefault(name, len(met)) for name in table["annotator"].to_pylist())
            for text in table["text"].to_pylist():
                words = text.split()
                lengths.append(len(words))
                digests += blake2b(" ".join(words).encode(), digest_size=8).digest()
        names = tuple(sorted(met))
        ranks = np.array([names.index(name) for name in met], dtype=np.uint16)
        codes = np.frombuffer(annotators, dtype=np.uint16)
        return cls(
            folder,
            tuple(parts),
            names,
            ranks[codes] if len(codes) else codes,
            np.frombuffer(lengths, dtype=np.int32),
            np.frombuffer(digests, dtype=np.uint64),
        )

    def __len__(self) -> int:
        return len(self.lengths)

    def of_annotator(self, name: str) -> Places:
        """Places of one annotator's captions; none of one that had none accepted."""
        if name not in self.names:
            return np.empty(0, dtype=np.int64)
        return np.flatnonzero(self.annotators == self.names.index(name))

    def by_annotator(self) -> Places:
        """Places of all captions, annotator by annotator."""
        return np.argsort(self.annotators, kind="stable")

    def texts(self, places: Places) -> list[str]:
        """Texts at some places, in their order."""
        order = np.argsort(places, kind="stable")
        found = dict(zip(order.tolist(), self.stream(places[order]), strict=True))
        return [found[number] for number in range(len(places))]

    def stream(self, places: Places) -> Iterator[str]:
        """Texts at ascending places, one part in memory at a time."""
        first = 0
        for unit, count in self.parts:
            low, high = np.searchsorted(places, (first, first + count)).tolist()
            if low < high:
                table = part(self.folder, unit, "captions", ("text",))
                yield from table["text"].take(places[low:high] - first).to_pylist()
            first += count
