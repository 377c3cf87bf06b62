"""The quality of pictures falls with what spoils them."""

import io
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from pipeline.errors import PipelineError
from pipeline.quality import BEST, LearnedQuality, MeasuredQuality, cues, img_quality_score

Pixels = NDArray[np.uint8]


def _blurred(pixels: Pixels, radius: float) -> Pixels:
    return np.array(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def _noisy(pixels: Pixels, deviation: float) -> Pixels:
    noise = np.random.default_rng(5).normal(0, deviation, pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


def _compressed(pixels: Pixels, quality: float) -> Pixels:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=int(quality))
    return np.array(Image.open(buffer))


def _flattened(pixels: Pixels, share: float) -> Pixels:
    flat: Pixels = np.rint(128 + (pixels - 128.0) * share).astype(np.uint8)
    return flat


def _blackened(pixels: Pixels, share: float) -> Pixels:
    spoilt = pixels.copy()
    spoilt[: round(len(pixels) * share)] = 0
    return spoilt


def _clouded(pixels: Pixels, share: float) -> Pixels:
    spoilt = pixels.copy()
    rows = round(len(pixels) * share)
    shade = 228 + 6 * np.sin(np.linspace(0, 9, pixels.shape[1]))
    spoilt[:rows] = np.rint(shade)[None, :, None]
    return spoilt


DAMAGE: dict[str, tuple[Callable[[Pixels, float], Pixels], Sequence[float]]] = {
    "blur": (_blurred, (0, 1, 1.5, 2, 3, 4, 6)),
    "noise": (_noisy, (0, 15, 25, 35, 50, 80)),
    "jpeg": (_compressed, (95, 60, 25, 10, 5)),
    "nodata": (_blackened, (0, 0.1, 0.3, 0.6, 0.9)),
    "cloud": (_clouded, (0, 0.25, 0.5, 0.75)),
}


def _village() -> Pixels:
    """Fields, roofs and roads, with the grain of a sensor."""
    image = Image.new("RGB", (256, 256), (96, 122, 70))
    draw = ImageDraw.Draw(image)
    chance = np.random.default_rng(1)
    for x, y, shade in zip(*chance.integers(0, 240, (2, 70)), chance.integers(60, 200, 70), strict=True):
        draw.rectangle((x, y, x + 11, y + 8), fill=(int(shade), int(shade) - 25, int(shade) - 30))
    draw.line((0, 40, 256, 200), fill=(170, 165, 160), width=6)
    grain = chance.normal(0, 4, (256, 256, 1)) + chance.normal(0, 2, (256, 256, 3))
    return np.clip(np.rint(np.asarray(image) + grain), 0, 255).astype(np.uint8)


def _falls(pixels: Pixels, damage: str) -> None:
    spoil, degrees = DAMAGE[damage]
    scores = [img_quality_score(spoil(pixels, degree)) for degree in degrees]
    assert all(better > worse for better, worse in pairwise(scores)), scores


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_made_picture_loses_by_damage(damage: str) -> None:
    _falls(_village(), damage)


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize(
    "file", ["boston/23429080_15.tif", "naip/m_3211605_ne_11_060_20200415.tif", "naip/sherando_va_rgbn.tif"]
)
def test_real_pictures_lose_by_damage(shared_data: Path, file: str, damage: str) -> None:
    with rasterio.open(shared_data / file) as scene:
        pixels = np.moveaxis(scene.read([1, 2, 3]), 0, -1)[:448, :448]
    _falls(np.ascontiguousarray(pixels), damage)


@pytest.mark.parametrize("damage", ["blur", "noise", "nodata", "cloud"])
def test_real_tiles_lose_by_damage(shared_data: Path, damage: str) -> None:
    """Without JPEG: the tiles come out of one, and compressing again above its quality spoils nothing."""
    files = sorted((shared_data / "tiles/kampala").glob("OAM-61*-20.png"))[:4]
    assert files
    for file in files:
        _falls(np.array(Image.open(file).convert("RGB")), damage)


def test_every_score_is_on_the_scale() -> None:
    plain = np.full((64, 64, 3), 120, np.uint8)
    black, white = np.zeros_like(plain), np.full_like(plain, 255)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    scores = [img_quality_score(pixels) for pixels in (plain, black, white, noise)]
    assert scores[:3] == [0, 0, 0]
    assert 0 < scores[3] < 1
    assert 3 < img_quality_score(_village()) < BEST


def test_low_contrast_counts() -> None:
    village = _village()
    assert cues(_flattened(village, 0.3)).contrast < cues(_flattened(village, 0.6)).contrast <= 1
    assert img_quality_score(_flattened(village, 0.3)) < img_quality_score(village)


def test_the_grid_of_jpeg_is_found_at_any_offset() -> None:
    spoilt = _compressed(_village(), 15)
    found = [cues(spoilt[offset:, offset:]).blocks for offset in range(8)]
    assert max(found) < 0.8 < cues(_village()).blocks
    assert max(found) - min(found) < 0.1


def test_cloud_is_found_and_red_roofs_are_not() -> None:
    village = _village()
    assert cues(_clouded(village, 0.5)).clear == pytest.approx(0.5, abs=0.07)
    roof = village.copy()
    roof[:128] = (240, 200, 190)
    assert cues(roof).clear == 1


@pytest.mark.parametrize(
    "pixels", [np.zeros((64, 64), np.uint8), np.zeros((8, 64, 3), np.uint8), np.zeros((64, 64, 3))]
)
def test_no_picture_is_refused(pixels: Pixels) -> None:
    with pytest.raises(PipelineError, match="has to be uint8"):
        img_quality_score(pixels)


def test_the_measure_is_a_judge() -> None:
    assert MeasuredQuality().score(_village()) == img_quality_score(_village())


def test_a_head_that_is_no_npz_is_refused(tmp_path: Path) -> None:
    (tmp_path / "head.npz").write_bytes(b"PK")
    learned = LearnedQuality.model_validate(
        {"kind": "learned", "embedding": {"kind": "transformers", "model": tmp_path}, "head": tmp_path / "head.npz"}
    )
    with pytest.raises(PipelineError, match="head"):
        learned.score(_village())
