"""The pairs most alike are kept: in each class, or of all."""

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.clip_filter import SCORES, ClipFilter, _key_of, write_best
from pipeline.embed.scoring import score
from pipeline.embed.selection import Batch, select
from pipeline.errors import PipelineError
from tests.embedding import ByHand, make_clip, make_siglip


def _expected(scores: list[float], classes: list[int], share: float) -> list[bool]:
    """The definition, row by row."""
    kept = [False] * len(scores)
    for number in set(classes):
        rows = [row for row, of in enumerate(classes) if of == number and not math.isnan(scores[row])]
        best = sorted(rows, key=lambda row: (-scores[row], row))[: math.ceil(share * len(rows) - 1e-9)]
        for row in best:
            kept[row] = True
    return kept


class TestSelection:
    @settings(max_examples=150, deadline=None)
    @given(
        rows=st.lists(
            st.tuples(
                st.one_of(
                    st.sampled_from([-1.0, -0.5, -0.0, 0.0, 0.25, 0.2500001, 1.0, math.nan]), st.floats(-1, 1, width=32)
                ),
                st.integers(0, 3),
            ),
            min_size=1, max_size=60,
        ),
        share=st.sampled_from([0.01, 0.2, 0.3, 0.5, 0.999, 1.0]),
        size=st.integers(1, 20),
    )  # fmt: skip
    def test_it_keeps_what_the_definition_keeps(self, rows: list[tuple[float, int]], share: float, size: int) -> None:
        scores, classes = np.array([row[0] for row in rows], np.float32), np.array([row[1] for row in rows], np.int64)

        def batches() -> Iterator[Batch]:
            for start in range(0, len(rows), size):
                yield scores[start : start + size], classes[start : start + size]

        selection = select(batches, share, 4)
        kept = np.concatenate([selection.keep(*batch) for batch in batches()])
        assert kept.tolist() == _expected(scores.tolist(), classes.tolist(), share)
        assert selection.kept.sum() == kept.sum()

    def test_of_a_hundred_it_keeps_the_percent(self) -> None:
        scores = np.random.default_rng(0).permutation(100).astype(np.float32)
        none = np.zeros(100, np.int64)
        for percent in (20, 30, 50):
            kept = select(lambda: [(scores, none)], percent / 100, 1).keep(scores, none)
            assert kept.sum() == percent
            assert scores[kept].min() > scores[~kept].max()

    def test_a_million_rows_need_no_memory_of_their_own(self) -> None:
        """The largest array is a batch's, not the data's."""
        import tracemalloc

        def batches() -> Iterator[Batch]:
            chance = np.random.default_rng(7)
            for _ in range(100):
                yield chance.normal(size=10_000).astype(np.float32), chance.integers(0, 500, 10_000)

        tracemalloc.start()
        selection = select(batches, 0.3, 500)
        kept = sum(int(selection.keep(*batch).sum()) for batch in batches())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert 300_000 <= kept <= 300_500
        assert peak < 3_000_000


def _csv(file: Path, rows: list[dict[str, str]]) -> Path:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, ["filepath", "title", "title_multi_objects"])
        writer.writeheader()
        writer.writerows(rows)
    return file


def _read(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _filter(folder: Path, rows: list[dict[str, str]], **changes: Any) -> ClipFilter:
    (folder / "images").mkdir(exist_ok=True)
    said = {
        "pairs": _csv(folder / "pairs.csv", rows), "images": folder / "images",
        "model": {"kind": "transformers", "model": folder / "model", "device": "cpu"},
    }  # fmt: skip
    return ClipFilter.model_validate(said | changes)


def _part(file: Path, rows: list[tuple[str, float | None, str, str | None]]) -> Path:
    import pyarrow as pa

    names = SCORES.names
    pq.write_table(pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema=SCORES), file)
    return file


ROWS = [
    {"filepath": f"images2/{number}.png", "title": title, "title_multi_objects": f'"{title}"\nwith, lines é'}
    for number, title in enumerate(["road, wide", "road", "pier", "road, narrow", "road"])
]


def test_files_have_the_published_names_and_rows(tmp_path: Path) -> None:
    scores: list[float | None] = [0.1, 0.4, 0.0, 0.3, 0.2]
    part = _part(
        tmp_path / "0.parquet",
        [
            (row["filepath"], score, row["title"].partition(",")[0], None)
            for row, score in zip(ROWS, scores, strict=True)
        ],
    )
    told = write_best(_filter(tmp_path, ROWS, keep=[50, 20]), [part], tmp_path)
    assert told["files"] == {
        "SkyScript_train_top20pct_filtered_by_CLIP_openai.csv": 2,
        "SkyScript_train_top50pct_filtered_by_CLIP_openai.csv": 3,
    }
    assert told["classes"] == 2
    half, fifth = (_read(tmp_path / f"SkyScript_train_top{p}pct_filtered_by_CLIP_openai.csv") for p in (50, 20))
    assert half == [ROWS[1], ROWS[2], ROWS[3]]
    assert fifth == [ROWS[1], ROWS[2]]


def test_of_all_rare_classes_may_vanish(tmp_path: Path) -> None:
    part = _part(
        tmp_path / "0.parquet",
        [(row["filepath"], value, "", None) for row, value in zip(ROWS, (0.1, 0.4, 0.0, 0.3, 0.2), strict=True)],
    )
    chosen = _filter(tmp_path, ROWS, by="all", keep=[40], scorer="laion_RS")
    assert chosen.class_of(ROWS[0]) == ""
    write_best(chosen, [part], tmp_path)
    assert _read(tmp_path / "SkyScript_train_top40pct_filtered_by_CLIP_laion_RS.csv") == [ROWS[1], ROWS[3]]


def test_similarity_is_the_cosine(tmp_path: Path) -> None:
    (tmp_path / "images2").mkdir()
    for red in (10, 20):
        Image.new("RGB", (8, 8), (red, 0, 0)).save(tmp_path / f"images2/{red}.png")
    hand = ByHand({10: [1, 0], 20: [3, 4]}, {"a": [1, 0], "b": [0, 2], "c": [math.nan, 0]})
    pairs = [("images2/10.png", "a"), ("images2/20.png", "a"), ("images2/20.png", "b"), ("images2/none.png", "a"),
             ("images2/10.png", " "), ("../10.png", "a"), ("images2/10.png", "c")]  # fmt: skip
    scored = score(hand, tmp_path, pairs)
    np.testing.assert_allclose(scored.similarity, [1, 0.6, 0.8, *[math.nan] * 4], atol=1e-6)
    assert scored.skipped == [
        None, None, None, "there is no such picture", "there is no text", "the path leads out of the folder",
        "the model gave no number",
    ]  # fmt: skip


def test_on_ray_it_scores_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.clip_filter.BLOCK", 7)
    make_siglip(tmp_path / "model")
    (tmp_path / "images/images2").mkdir(parents=True)
    chance = np.random.default_rng(2)
    rows = []
    for number in range(30):
        name = f"images2/{number}.png"
        pixels = chance.integers(0, 256, (40, 40, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / name)
        rows.append({"filepath": name, "title": f"{('road', 'pier')[number % 2]}, n {number}"} | {
            "title_multi_objects": "a\nb"})  # fmt: skip
    (tmp_path / "images" / rows[4]["filepath"]).unlink()
    (tmp_path / "images" / rows[9]["filepath"]).write_text("none")
    chosen = _filter(tmp_path, rows, workers=2)
    told = chosen.run(tmp_path / "out")
    assert (told["pairs"], told["scored"]) == (30, 28)
    assert told["skipped"] == {"it is no picture": 1, "there is no such picture": 1}
    assert list(told["files"].values()) == [6, 10, 14]

    table = pq.ParquetDataset(sorted((tmp_path / "out/scores").glob("*.parquet"))).read().to_pylist()
    loaded = chosen.model.load()
    expected = score(loaded, chosen.images, [(row["filepath"], row["title"]) for row in rows]).similarity
    np.testing.assert_allclose([row["similarity"] for row in table], expected, atol=1e-5)

    files = {file: file.read_bytes() for file in (tmp_path / "out").rglob("*.*")}
    (tmp_path / "cut.parquet").write_bytes(b"cut off")
    assert _key_of(tmp_path / "cut.parquet") is None
    (tmp_path / "out/scores/000009.parquet").write_bytes(b"left over")
    kept = {file: file.stat().st_mtime_ns for file in files if file.stem == "000002"}
    assert chosen.run(tmp_path / "out") == told
    assert {file: file.read_bytes() for file in (tmp_path / "out").rglob("*.*")} == files
    assert {file: file.stat().st_mtime_ns for file in kept} == kept


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"keep": [0]}, "keep"), ({"text": "caption"}, "no column 'caption'"), ({"images": Path("/none")}, "no folder"),
        ({"pairs": Path("/none.csv")}, "cannot be read"), ({"class_column": "tag"}, "no column 'tag'"),
    ],
)  # fmt: skip
def test_wrong_settings_are_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    make_clip(tmp_path / "model")
    with pytest.raises(PipelineError, match=said):
        _filter(tmp_path, ROWS, **changes).check()


def test_nothing_scored_is_an_error(tmp_path: Path) -> None:
    part = _part(tmp_path / "0.parquet", [(row["filepath"], None, "", "there is no such picture") for row in ROWS])
    with pytest.raises(PipelineError, match="there is no such picture"):
        write_best(_filter(tmp_path, ROWS), [part], tmp_path)
    assert not list(tmp_path.glob("*pct*"))


def test_text_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    make_clip(tmp_path / "model")
    chosen = _filter(tmp_path, ROWS)
    chosen.pairs.write_bytes(b"filepath,title\na.png,road\nb.png,\xff\n")
    with pytest.raises(PipelineError, match="utf-8"):
        chosen.run(tmp_path / "out")
