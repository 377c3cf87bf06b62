"""How alike pictures and their texts are, by copies of a model that are Ray actors."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.embed import EmbeddingModel
from pipeline.embed.embedder import Embedder
from pipeline.embed.pairs import Pair
from pipeline.embed.pictures import NoPictureError, read_picture
from pipeline.errors import PipelineError

AT_ONCE = 128
"""Pictures held in memory by a scorer."""

AHEAD = 2
"""Blocks that wait at each actor, so that none is idle while the last answer is written."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Answers for a block of pairs.

    Attributes:
        similarity: cosine of each pair, NaN where it has none.
        skipped: why a pair has none, else None.
    """

    similarity: NDArray[np.float32]
    skipped: list[str | None]


def score(embedder: Embedder, images: Path, pairs: Sequence[tuple[str, str]]) -> Scored:
    """Compares pictures with texts.

    Args:
        embedder: the loaded model.
        images: folder that paths start from.
        pairs: path and text.
    """
    similarity = np.full(len(pairs), np.nan, np.float32)
    skipped: list[str | None] = [None] * len(pairs)
    for start in range(0, len(pairs), AT_ONCE):
        rows, pictures = [], []
        for row, (file, text) in enumerate(pairs[start : start + AT_ONCE], start):
            try:
                picture = read_picture(images, file)
            except NoPictureError as error:
                skipped[row] = str(error).partition(":")[0]
                continue
            if text.strip():
                pictures.append(picture)
                rows.append(row)
            else:
                skipped[row] = "there is no text"
        if rows:
            cosines = np.einsum("nd,nd->n", embedder.images(pictures), embedder.texts([pairs[row][1] for row in rows]))
            similarity[rows] = cosines
    for row in np.flatnonzero(~np.isfinite(similarity)).tolist():
        similarity[row] = np.nan
        skipped[row] = skipped[row] or "the model gave no number"
    return Scored(similarity, skipped)


class Scorer:
    """A copy of the model; made into a Ray actor by `score_blocks`."""

    def __init__(self, model: EmbeddingModel, images: Path) -> None:
        self._embedder, self._images = model.load(), images

    def score(self, pairs: Sequence[tuple[str, str]]) -> Scored:
        """See `score`."""
        return score(self._embedder, self._images, pairs)


def score_blocks(
    model: EmbeddingModel,
    images: Path,
    blocks: Iterable[tuple[int, Sequence[Pair], str]],
    *,
    workers: int,
    cpus: float,
    gpus: float,
) -> Iterator[tuple[int, Sequence[Pair], Scored]]:
    """Scores blocks as actors become free; never more than two blocks an actor are in memory.

    Args:
        model: each actor loads it once.
        images: folder that paths start from, which every actor can read.
        blocks: number, pairs, and the column of their text.
        workers: how many actors.
        cpus: of each.
        gpus: of each.

    Yields:
        Number, pairs and answers, in the order in which they are done.

    Raises:
        PipelineError: Ray has too few GPUs, or the model cannot be loaded.
    """
    import ray

    there = ray.cluster_resources().get("GPU", 0)  # type: ignore[no-untyped-call]
    if gpus * workers > there:
        raise PipelineError(f"The filter needs {gpus * workers:g} GPUs, Ray has {there:g}. Lower `workers` or `gpus`.")
    actor: Any = ray.remote(Scorer)
    actors = [actor.options(num_cpus=cpus, num_gpus=gpus).remote(model, images) for _ in range(workers)]
    running: dict[Any, tuple[Any, int, Sequence[Pair]]] = {}
    waiting = iter(blocks)
    free = actors * AHEAD
    try:
        while True:
            while free and (block := next(waiting, None)):
                number, pairs, column = block
                chosen = free.pop(0)
                texts = [(pair["filepath"], pair[column]) for pair in pairs]
                running[chosen.score.remote(texts)] = (chosen, number, pairs)
            if not running:
                return
            done = ray.wait(list(running))[0][0]
            chosen, number, pairs = running.pop(done)
            yield number, pairs, ray.get(done)
            free.append(chosen)
    except ray.exceptions.RayError as error:
        raise PipelineError(f"A copy of the model failed: {error}") from error
    finally:
        for actor in actors:
            ray.kill(actor)
