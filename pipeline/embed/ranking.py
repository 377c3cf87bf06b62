"""At which place of a ranking by cosine the right answer stands."""

import numpy as np
from numpy.typing import NDArray

from pipeline.embed.embedder import Vectors

CHUNK = 1024


def best_ranks(queries: Vectors, keys: Vectors, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place, from 0, of each query's best right answer among all keys.

    Keys as similar as the answer stand before it where their row comes first, so that a model that finds all alike
    gets no credit beyond chance. Memory: 1,024 rows of the similarity matrix.

    Args:
        queries: (n, d).
        keys: (m, d).
        pairs: (p, 2) rows of queries and keys that belong together; each query has at least one.

    Returns:
        (n,) places.
    """
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    starts = np.searchsorted(pairs[:, 0], np.arange(len(queries) + 1))
    ranks = np.empty(len(queries), np.int64)
    for first in range(0, len(queries), CHUNK):
        similarity = queries[first : first + CHUNK] @ keys.T
        rows, answers = pairs[starts[first] : starts[min(first + CHUNK, len(queries))]].T
        found = similarity[rows - first, answers]
        best = np.lexsort((answers, -found, rows))
        best = best[np.searchsorted(rows[best], np.arange(first, first + len(similarity)))]
        score, answer = found[best][:, None], answers[best][:, None]
        before = (similarity > score) | ((similarity == score) & (np.arange(len(keys)) < answer))
        ranks[first : first + CHUNK] = before.sum(axis=1)
    return ranks


def share_within(ranks: NDArray[np.int64], k: int) -> float:
    """Share of the queries whose answer is among the first k."""
    return float((ranks < k).mean()) if len(ranks) else float("nan")
