"""Pictures and texts become vectors, by any CLIP or SigLIP folder."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.embed import OpenClipModel, TransformersModel
from pipeline.embed.embedder import Embedder, Pixels, unit
from pipeline.embed.pictures import NoPictureError, read_picture
from pipeline.errors import PipelineError
from pipeline.quality import LearnedQuality
from tests.embedding import make_clip, make_siglip


@pytest.fixture(scope="module", params=["clip", "siglip"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TransformersModel:
    folder = tmp_path_factory.mktemp(request.param)
    {"clip": make_clip, "siglip": make_siglip}[request.param](folder)
    return TransformersModel(model=folder, batch_size=3, device="cpu")


@pytest.fixture(scope="module")
def loaded(model: TransformersModel) -> Embedder:
    return model.load()


def _pictures(count: int) -> list[Pixels]:
    chance = np.random.default_rng(3)
    return [chance.integers(0, 256, (40 + 7 * number, 64, 3)).astype(np.uint8) for number in range(count)]


TEXTS = ["a road.", "a very long row of words, " * 9, "water", "a road", "trees; 3 houses"]


def test_vectors_have_length_one_and_differ(loaded: Embedder) -> None:
    for vectors in (loaded.images(_pictures(5)), loaded.texts(TEXTS)):
        assert vectors.shape == (5, 16)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
        assert np.abs(vectors @ vectors.T - np.eye(5)).max() < 1
        assert len(np.unique(vectors.round(4), axis=0)) == 5


def test_a_vector_does_not_hang_on_its_batch(loaded: Embedder) -> None:
    pictures = _pictures(5)
    np.testing.assert_allclose(
        loaded.images(pictures), np.concatenate([loaded.images([one]) for one in pictures]), atol=2e-6
    )
    np.testing.assert_allclose(loaded.texts(TEXTS), np.concatenate([loaded.texts([one]) for one in TEXTS]), atol=2e-6)


def test_it_agrees_with_the_whole_model(model: TransformersModel, loaded: Embedder) -> None:
    """The cosine is the logit of the model's own forward pass, but for scale and bias."""
    import torch
    import transformers

    whole = transformers.AutoModel.from_pretrained(model.model).eval()
    pictures, texts = _pictures(2), ["a road.", "water"]
    library: Any = transformers
    pixels = library.AutoImageProcessor.from_pretrained(model.model)(images=pictures, return_tensors="pt")
    length = whole.config.text_config.max_position_embeddings
    tokens = transformers.AutoTokenizer.from_pretrained(model.model)(
        texts, padding="max_length", truncation=True, max_length=length, return_tensors="pt"
    )
    with torch.inference_mode():
        logits = whole(input_ids=tokens["input_ids"], attention_mask=tokens.get("attention_mask"), **pixels)
        bias = getattr(whole, "logit_bias", torch.zeros(1))
        cosines = (logits.logits_per_image - bias) / whole.logit_scale.exp()
    np.testing.assert_allclose(loaded.images(pictures) @ loaded.texts(texts).T, cosines.numpy(), atol=1e-5)


def test_nothing_gives_nothing(loaded: Embedder) -> None:
    assert len(loaded.images([])) == len(loaded.texts([])) == 0


def test_the_digest_follows_the_weights(model: TransformersModel, tmp_path: Path) -> None:
    make = make_clip if json.loads((model.model / "config.json").read_text())["model_type"] == "clip" else make_siglip
    same, other = (TransformersModel(model=make(tmp_path / str(seed), seed=seed)) for seed in (0, 1))
    assert same.digest() == model.digest() != other.digest()


def test_a_learned_head_scores(model: TransformersModel, loaded: Embedder, tmp_path: Path) -> None:
    picture = _pictures(1)[0]
    np.savez(tmp_path / "head.npz", weight=loaded.images([picture])[0] * 3, bias=1.5)
    said = {"kind": "learned", "embedding": model.model_dump(), "head": tmp_path / "head.npz"}
    assert LearnedQuality.model_validate(said).score(picture) == pytest.approx(4.5, abs=1e-3)
    np.savez(tmp_path / "short.npz", weight=np.ones(3), bias=0.0)
    with pytest.raises(PipelineError, match="3 weights, the embedding 16"):
        LearnedQuality.model_validate(said | {"head": tmp_path / "short.npz"}).score(picture)


def test_zero_is_similar_to_nothing() -> None:
    assert unit(np.array([[0.0, 0.0], [3.0, 4.0]])).tolist() == [[0, 0], pytest.approx([0.6, 0.8])]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "cannot be read"),
        ({"config.json": "["}, "cannot be read"),
        ({"config.json": "[]"}, "cannot be read"),
        ({"config.json": '{"model_type": "bert"}'}, "wanted is one of clip, siglip"),
        ({"config.json": '{"model_type": "clip"}'}, "holds no weights"),
        ({"config.json": '{"model_type": "clip"}', "model.safetensors": "none"}, "cannot be loaded"),
    ],
)
def test_what_is_no_model_is_refused(files: dict[str, str], said: str, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(PipelineError, match=said):
        TransformersModel(model=tmp_path).load()


def test_code_in_a_folder_is_not_run(tmp_path: Path) -> None:
    folder = make_clip(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModel": "hostile.Hostile"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "hostile.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    assert TransformersModel(model=folder, device="cpu").load().texts(["a"]).shape == (1, 16)
    assert not (tmp_path / "ran").exists()


def test_open_clip_is_an_extra(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="is no file"):
        OpenClipModel(kind="open_clip", architecture="ViT-B-32", model=tmp_path / "none.pt").load()


class TestPictures:
    def test_file_or_zip_part(self, tmp_path: Path) -> None:
        picture = _pictures(1)[0]
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "PNG")
        (tmp_path / "images2").mkdir()
        (tmp_path / "images2/a1_CH_19.png").write_bytes(buffer.getvalue())
        with zipfile.ZipFile(tmp_path / "images3.zip", "w") as part:
            part.writestr("images3/w2_US_21.png", buffer.getvalue())
        for name in ("images2/a1_CH_19.png", "images3/w2_US_21.png"):
            np.testing.assert_array_equal(read_picture(tmp_path, name), picture)

    @pytest.mark.parametrize("path", ["/etc/hostname", "../secret.png", "a/../../b.png", "", "a\0b"])
    def test_paths_stay_inside(self, tmp_path: Path, path: str) -> None:
        with pytest.raises(NoPictureError, match="out of the folder"):
            read_picture(tmp_path, path)

    def test_what_cannot_be_read_says_why(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = io.BytesIO()
        Image.fromarray(_pictures(1)[0]).save(whole, "PNG")
        (tmp_path / "text.jpg").write_text("no picture")
        (tmp_path / "cut.png").write_bytes(whole.getvalue()[:400])
        (tmp_path / "bad.zip").write_bytes(b"PK\3\4")
        (tmp_path / "big.png").write_bytes(whole.getvalue())
        for name, said in {
            "none.png": "no such picture", "text.jpg": "it is no picture", "cut.png": "damaged", "bad/a.png": "damaged",
        }.items():  # fmt: skip
            with pytest.raises(NoPictureError, match=said):
                read_picture(tmp_path, name)
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
        with pytest.raises(NoPictureError, match="more than 1,000 pixels"):
            read_picture(tmp_path, "big.png")
