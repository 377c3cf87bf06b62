"""How good a picture looks, without one to compare it with: from 0 (useless) to 10."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from download.paths import ConfigPath
from pipeline.embed import EmbeddingModel
from pipeline.embed.embedder import Embedder
from pipeline.errors import PipelineError

BEST = 10.0
"""The scale of aesthetic predictors, which Git-10M's scores are read on; ours is another measure on the same scale."""

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""ITU-R BT.601, the luma of JPEG."""

REBLUR = 9
"""Pixels that the second blur averages over (Crete et al. 2007)."""

SEEN = 6.0
"""Grey levels of difference between neighbours that count half as detail: less is mostly rounding and grain."""

GRAIN = 12.0
"""Standard deviation of noise, in grey levels, that halves the score: a peak signal-to-noise ratio of 27 dB."""

FULL_CONTRAST = 100.0
"""Grey levels between the 1st and 99th percentile from which more contrast is no merit."""

GRID = 8
"""Side of JPEG's blocks."""

BLOCK = 16
"""Pixels along the side of the blocks that are looked at one by one."""

CLOUD_BRIGHT, CLOUD_GREY, CLOUD_SMOOTH = 210.0, 0.12, 12.0
"""A block of a cloud: mean luma, whiteness (after Zhu & Woodcock 2012, Fmask), and deviation of its luma."""

TEXTURE = 0.7
"""Of the variation at half the resolution, how much is taken for texture that varies as much at full resolution."""

UNEVEN = 1.03
"""Steps on an 8-pixel grid, as a multiple of others, that pictures have which never were JPEG."""

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Cues:
    """What the measure looks at; 1 is best, 0 worst.

    Attributes:
        sharpness: share of the detail that a second blur takes away; a picture that is blurred has none to lose.
        calm: falls with noise.
        contrast: spread of the grey levels.
        blocks: falls as steps at the edges of JPEG's blocks grow against steps elsewhere.
        exposed: share of pixels that are neither nodata nor clipped, black or white.
        clear: share of the picture without cloud.
    """

    sharpness: float
    calm: float
    contrast: float
    blocks: float
    exposed: float
    clear: float

    @property
    def score(self) -> float:
        """From 0 to 10. Exponents make it fall with blur, with noise and with JPEG's quality on real pictures."""
        looks = self.sharpness**0.5 * self.calm * self.contrast**0.25 * self.blocks**1.5
        return float(BEST * looks * self.exposed * (1 + self.clear) / 2)


def img_quality_score(pixels: NDArray[np.uint8]) -> float:
    """The measured quality of a picture.

    On real pictures it falls with every visible step of blur, noise and JPEG's quality. Where the eye sees next to
    nothing (noise of less than 12 grey levels under busy texture, JPEG above a quality of 75) it may rise by up to 5 %.
    Bright bare ground can pass for cloud, and calm water, which has no detail, for blur.

    Args:
        pixels: (h, w, 3), RGB, at least 32 pixels high and wide.

    Returns:
        From 0 to 10, rounded to four places.

    Raises:
        PipelineError: it is no such picture.
    """
    return round(cues(pixels).score, 4)


def cues(pixels: NDArray[np.uint8]) -> Cues:
    """What `img_quality_score` is made of.

    Sources: sharpness after Crete, Dolmiere, Ladret & Nicolas, "The blur effect: perception and estimation with a new
    no-reference perceptual blur metric" (SPIE 2007); noise after Immerkær, "Fast noise variance estimation" (1996),
    at two resolutions, so that texture is not mistaken for it; blocks after Wang, Sheikh & Bovik,
    "No-reference perceptual quality assessment of JPEG compressed images" (ICIP 2002), here for any offset of the
    grid; cloud by the whiteness of Zhu & Woodcock, "Object-based cloud and cloud shadow detection" (2012).

    Args:
        pixels: (h, w, 3), RGB.

    Raises:
        PipelineError: it is no such picture.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or min(pixels.shape[:2]) < 32:
        raise PipelineError(
            f"a picture to be scored has to be uint8 of (h, w, 3), 32 or more each way; this is {pixels.dtype} of "
            f"{pixels.shape}."
        )
    luma = pixels.astype(np.float32) @ LUMA
    noise = _noise(luma)
    low, high = np.percentile(luma, [1, 99])
    return Cues(
        sharpness=_sharpness(luma),
        calm=1 / (1 + (noise / GRAIN) ** 2),
        contrast=min(1.0, float(high - low) / FULL_CONTRAST),
        blocks=1 / max(1.0, _blocking(luma) - UNEVEN + 1),
        exposed=1 - float(((pixels <= 2).all(axis=2) | (pixels >= 254).all(axis=2)).mean()),
        clear=1 - _cloud(pixels, luma, noise),
    )


class Judge(Protocol):
    """Whoever scores pictures; what a writer of scores asks for."""

    def score(self, pixels: NDArray[np.uint8]) -> float:
        """From 0 to 10 for a picture of (h, w, 3)."""


class MeasuredQuality(BaseModel):
    """`img_quality_score`.

    Attributes:
        kind: `measured`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["measured"] = "measured"

    def score(self, pixels: NDArray[np.uint8]) -> float:
        """From 0 to 10."""
        return img_quality_score(pixels)


class LearnedQuality(BaseModel):
    """A linear head on a picture's embedding, as LAION's aesthetic predictor is one on CLIP's.

    Attributes:
        kind: `learned`.
        embedding: the model that the head was trained on.
        head: a `.npz` of `weight` (d,) and `bias` (a number).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["learned"]
    embedding: EmbeddingModel
    head: ConfigPath

    def score(self, pixels: NDArray[np.uint8]) -> float:
        """From 0 to 10; what the head says beyond is cut off.

        Raises:
            PipelineError: model or head cannot be read, or they do not fit together.
        """
        weight, bias = _head(self)
        vector = _embedder(self.embedding).images([pixels])[0]
        if vector.shape != weight.shape:
            raise PipelineError(f"head: {self.head} has {weight.size} weights, the embedding {vector.size}.")
        return round(float(np.clip(vector @ weight + bias, 0, BEST)), 4)


Quality = Annotated[LearnedQuality | MeasuredQuality, Field(discriminator="kind")]


@lru_cache(maxsize=2)
def _embedder(model: EmbeddingModel) -> Embedder:
    return model.load()


@lru_cache(maxsize=2)
def _head(quality: LearnedQuality) -> tuple[NDArray[np.float64], float]:
    try:
        with np.load(quality.head, allow_pickle=False) as held:
            return np.asarray(held["weight"], np.float64).ravel(), float(held["bias"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PipelineError(f"head: {quality.head} is no .npz of `weight` and `bias`: {error}") from error


def _sharpness(luma: Plane) -> float:
    """Of the two directions the blurrier one, so that motion blur counts; a light smoothing first keeps noise out."""
    smooth = luma
    for _ in range(2):
        smooth = _binomial(_binomial(smooth).T).T
    return min(_lost_by_blur(smooth), _lost_by_blur(smooth.T))


def _lost_by_blur(rows: Plane) -> float:
    half = REBLUR // 2
    sums = np.cumsum(np.pad(rows, ((0, 0), (half + 1, half)), mode="edge"), axis=1, dtype=np.float64)
    blurred = (sums[:, REBLUR:] - sums[:, :-REBLUR]) / REBLUR
    steps, left = np.abs(np.diff(rows, axis=1)), np.abs(np.diff(blurred, axis=1))
    total = float(steps.sum())
    lost = np.maximum(steps - left, 0)
    return float((lost**2 / (lost + SEEN)).sum()) / total if total else 0.0


def _binomial(rows: Plane) -> Plane:
    """Each pixel and its neighbours in the row, weighted 1 2 1."""
    wide = np.pad(rows, ((0, 0), (1, 1)), mode="edge")
    return (wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]) / np.float32(4)


def _noise(luma: Plane) -> float:
    """Standard deviation of noise in grey levels, in the calmest tenth of the picture.

    The difference of two Laplacians is blind to edges, not to noise. Averaging 2 x 2 pixels halves what is noise and
    leaves what is texture, so that what is left is taken off: fields and woods are not noise.
    """
    height, width = (length // 2 * 2 for length in luma.shape)
    halved = luma[:height, :width].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    fine = _blocks(_laplacians(luma), BLOCK).mean(axis=(2, 3))
    coarse = _blocks(np.pad(_laplacians(halved), ((0, 2), (0, 2)), mode="edge"), BLOCK // 2).mean(axis=(2, 3))
    rows, columns = np.minimum(fine.shape, coarse.shape)
    left = fine[:rows, :columns] ** 2 - TEXTURE * coarse[:rows, :columns] ** 2
    return float(np.sqrt(np.pi / 2) / 6 * np.percentile(np.sqrt(np.maximum(0, left)), 10))


def _laplacians(luma: Plane) -> Plane:
    """Size of the difference of two Laplacians, 2 pixels less each way (Immerkær 1996)."""
    down = luma[:-2] - 2 * luma[1:-1] + luma[2:]
    size: Plane = np.abs(down[:, :-2] - 2 * down[:, 1:-1] + down[:, 2:])
    return size


def _blocking(luma: Plane) -> float:
    """Mean step at the most conspicuous column of an 8-pixel grid, as a multiple of the median one; of both ways."""
    ratios = []
    for rows in (luma, luma.T):
        steps = np.abs(np.diff(rows, axis=1)).mean(axis=0)
        phases = steps[: len(steps) // GRID * GRID].reshape(-1, GRID).mean(axis=0)
        rest = np.median(np.delete(phases, phases.argmax()))
        ratios.append(phases.max() / max(rest, 0.25))
    return float(np.mean(ratios))


def _cloud(pixels: NDArray[np.uint8], luma: Plane, noise: float) -> float:
    """Share of blocks that are bright, white and smooth but not clipped; roofs and sand have edges or a colour."""
    mean = _blocks(luma, BLOCK).mean(axis=(2, 3))
    variance = _blocks(luma, BLOCK).var(axis=(2, 3)) - noise**2
    bands = np.stack([_blocks(pixels[..., band], BLOCK).mean(axis=(2, 3)) for band in range(3)])
    middle = bands.mean(axis=0)
    whiteness = np.abs(bands - middle).sum(axis=0) / np.maximum(middle, 1)
    return float(
        ((mean > CLOUD_BRIGHT) & (mean < 254) & (whiteness < CLOUD_GREY) & (variance < CLOUD_SMOOTH**2)).mean()
    )


def _blocks(plane: NDArray[Any], side: int) -> NDArray[Any]:
    """(rows, columns, side, side) of the whole blocks in a plane."""
    height, width = (length // side * side for length in plane.shape)
    return plane[:height, :width].reshape(height // side, side, width // side, side).swapaxes(1, 2)
