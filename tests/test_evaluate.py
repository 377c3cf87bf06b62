"""Zero-shot classification and retrieval, against vectors made by hand."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.embed import TransformersModel
from pipeline.embed.embedder import unit
from pipeline.embed.ranking import best_ranks, share_within
from pipeline.errors import PipelineError
from pipeline.evaluate import class_vectors, classification, retrieval, run
from tests.embedding import ByHand, make_clip

AXES = np.eye(8, dtype=np.float32)


def test_top_1_and_top_5_of_eight_classes() -> None:
    """One image is right, one is second, one is sixth, one is last."""
    slope = np.array([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    images = unit(np.array([AXES[0], AXES[1] + 0.9 * AXES[0], 1 - slope, 1 - slope]))
    assert classification(images, AXES, np.array([0, 0, 5, 7])) == {"top1": 0.25, "top5": 0.5}


def test_recall_counts_any_partner() -> None:
    """Image 0 has two texts, of which one is nearest; image 1 finds its text second; text 2 finds image 0 second."""
    images = unit(np.array([[1, 0, 0], [0, 1, 0.1]]))
    texts = unit(np.array([[1, 0.1, 0], [0.8, 0.2, 1], [0.5, 0.6, 0]]))
    told = retrieval(images, texts, np.array([[0, 0], [0, 2], [1, 1]]))
    assert told["img2text_R@1"] == 0.5
    assert told["img2text_R@5"] == told["text2img_R@5"] == 1
    assert told["text2img_R@1"] == pytest.approx(1 / 3)
    assert told["mean_recall_img2text"] == pytest.approx(2.5 / 3)


def test_a_model_that_finds_all_alike_gets_chance() -> None:
    same = unit(np.ones((20, 4)))
    pairs = np.column_stack([np.arange(20), np.arange(20)])
    assert retrieval(same, same, pairs)["img2text_R@1"] == 0.05
    assert retrieval(same, same, pairs)["text2img_R@5"] == 0.25


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), queries=st.integers(1, 30), keys=st.integers(1, 12), levels=st.integers(1, 4))
def test_ranks_are_those_of_a_sorted_list(seed: int, queries: int, keys: int, levels: int) -> None:
    chance = np.random.default_rng(seed)
    first = chance.integers(0, levels, (queries, 3)).astype(np.float32)
    second = chance.integers(0, levels, (keys, 3)).astype(np.float32)
    pairs = np.array([(row, key) for row in range(queries) for key in chance.integers(0, keys, chance.integers(1, 4))])
    ranks = best_ranks(first, second, chance.permutation(pairs))
    for row in range(queries):
        order = np.argsort(-(first[row] @ second.T), kind="stable").tolist()
        assert ranks[row] == min(order.index(key) for _, key in pairs[pairs[:, 0] == row])


def test_more_queries_than_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.embed.ranking.CHUNK", 7)
    vectors = unit(np.random.default_rng(0).normal(size=(50, 16)))
    pairs = np.column_stack([np.arange(50), np.arange(50)])
    assert share_within(best_ranks(vectors, vectors, pairs), 1) == 1


def test_templates_are_averaged() -> None:
    hand = ByHand({}, {"a road": [1, 0], "one road": [0, 5], "a pier": [-1, 0], "one pier": [-1, 0]})
    vectors = class_vectors(hand, ["road", "pier"], ["a {}", "one {}"])
    np.testing.assert_allclose(vectors, [[0.5**0.5, 0.5**0.5], [-1, 0]], atol=1e-6)
    with pytest.raises(PipelineError, match=r"no \{\}"):
        class_vectors(hand, ["road"], ["a road"])


def _benchmark(folder: Path, table: str, rows: list[tuple[str, object]], column: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / table).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["filepath", column])
        writer.writerows(rows)
    return folder


def _picture(file: Path, red: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (red, 9, 9)).save(file)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two classifications, one with names and one with numbers for labels, and a retrieval."""
    aid = _benchmark(
        tmp_path / "aid", "aid_img_txt_pairs_test.csv",
        [("aid/images/1.png", "pier"), ("aid/images/2.png", "road"), ("aid/images/3.png", "road"),
         ("aid/images/none.png", "road"), ("aid/images/1.png", "")], "label",
    )  # fmt: skip
    (aid / "classnames.txt").write_text("road\npier\n")
    for red in (1, 2, 3):
        _picture(aid / f"images/{red}.png", red)
    surface = _benchmark(tmp_path / "surface", "img_txt_pairs_val.csv", [("1.png", 1), ("2.png", 0)], "label")
    (surface / "classnames.txt").write_text("gravel\nasphalt\n")
    _picture(surface / "1.png", 1)
    _picture(surface / "2.png", 2)
    _benchmark(
        tmp_path / "RSICD", "RSICD_img_txt_pairs_test.csv",
        [("RSICD/a.png", "a pier"), ("RSICD/a.png", 'sea,\n"blue"'), ("RSICD/b.png", "a road"),
         ("RSICD/b.png", "a pier")], "title",
    )  # fmt: skip
    _picture(tmp_path / "RSICD/a.png", 1)
    _picture(tmp_path / "RSICD/b.png", 2)
    (tmp_path / "notes").mkdir()
    return tmp_path


HAND = ByHand(
    {1: [1, 0, 0], 2: [0, 1, 0], 3: [1, 0.2, 0]},
    {
        "a satellite image. a pier": [1, 0, 0],
        'a satellite image. sea,\n"blue"': [0, 1, 0],
        "a satellite image. a road": [0, 0.9, 0.1],
        **{f"see {name}": vector for name, vector in {
            "road": [0, 1, 0], "pier": [1, 0, 0], "road, gravel": [0, 1, 0], "road, asphalt": [1, 0, 0],
        }.items()},
    },
)  # fmt: skip


def test_benchmarks_in_the_published_layout(root: Path) -> None:
    told = run(root, HAND, templates=["see {}"])
    assert told["classification"] == {
        "aid": {"top1": pytest.approx(2 / 3), "top5": 1.0, "n": 3,
                "skipped": {"aid/images/none.png": "there is no such picture"}},
        "surface": {"top1": 1.0, "top5": 1.0, "n": 2, "skipped": {}},
    }  # fmt: skip
    assert told["top1"] == pytest.approx(5 / 6)
    found = told["retrieval"]["RSICD"]
    assert (found["images"], found["texts"]) == (2, 3)
    assert found["img2text_R@1"] == 0.5  # image b is nearest to the sea
    assert found["text2img_R@1"] == pytest.approx(2 / 3)
    assert told["mean_recall_text2img"] == pytest.approx((2 / 3 + 1 + 1) / 3)


def test_one_benchmark_alone(root: Path) -> None:
    told = run(root, HAND, names=["surface"], templates=["see {}"])
    assert list(told["classification"]) == ["surface"]
    assert "mean_recall_img2text" not in told
    assert run(root / "surface", HAND, templates=["see {}"])["classification"]["surface"]["top1"] == 1


def test_a_real_model_runs_through(root: Path, tmp_path: Path) -> None:
    loaded = TransformersModel(model=make_clip(tmp_path / "models/tiny"), device="cpu").load()
    told = run(root, loaded)
    assert 0 <= told["classification"]["aid"]["top1"] <= 1 == told["classification"]["aid"]["top5"]
    assert 0 <= told["retrieval"]["RSICD"]["img2text_R@1"] <= 1
    assert told == run(root, loaded)


def test_what_does_not_fit_is_named(root: Path) -> None:
    with pytest.raises(PipelineError, match="no benchmark 'eurosat'; there are: RSICD, aid, surface"):
        run(root, HAND, names=["eurosat"])
    with pytest.raises(PipelineError, match="holds no benchmark"):
        run(root / "notes", HAND)
    (root / "aid/classnames.txt").write_text("road\n")
    with pytest.raises(PipelineError, match="'pier' is not in"):
        run(root, HAND, names=["aid"])
    (root / "surface/classnames.txt").write_text("gravel\n")
    with pytest.raises(PipelineError, match="label 1, but there are 1 classes"):
        run(root, HAND, names=["surface"])
    _benchmark(root / "RSICD", "RSICD_img_txt_pairs_test.csv", [("a.png", "x")], "caption")
    with pytest.raises(PipelineError, match="no column 'title'"):
        run(root, HAND, names=["RSICD"])
    _benchmark(root / "RSICD", "RSICD_img_txt_pairs_test.csv", [("none.png", "x")], "title")
    with pytest.raises(PipelineError, match="none of its 1 pictures can be read"):
        run(root, HAND, names=["RSICD"])
