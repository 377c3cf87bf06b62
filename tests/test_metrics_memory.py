"""Metrics of many captions: as exact as of few, and hardly more in memory."""

import tracemalloc
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pytest

from annotation.checks.diversity import Corpus, mtld, opening_share, tokens
from annotation.checks.repeats import near_duplicates
from pipeline.measuring import blind, splits, variety
from pipeline.measuring import claims as claiming
from pipeline.measuring.claims import Claims
from pipeline.measuring.splits import distance_m
from pipeline.measuring.told import Text, Verdicts, read_telling
from pipeline.metrics import metrics
from pipeline.store import RunFolder
from tests.made_run import MadeRun, claims

ANNOTATORS = ("b", "a", "c")
KINDS = ("field", "wood", "lake", "yard", "road", "park")


def run_of(folder: Path, count: int, units: int) -> RunFolder:
    """So many captions of three annotators in three splits; some come again, some nearly."""
    run, rng = MadeRun(folder), Random(4)
    for patch_id in range(count):
        west = rng.uniform(-170, 170)
        split = ("train", "test", "none")[patch_id % 3]
        run.patch(patch_id, (west, 47.0, west + 0.001, 47.001), split=split)
        told = " ".join(rng.choice(KINDS) for _ in range(12)) if patch_id % 5 else " ".join(KINDS * 2)
        said = claims(rng.randrange(4), rng.randrange(2), patch_id % 7 == 0, hedges=patch_id % 11 == 0)
        run.caption(patch_id, f"{told}\n seen", ANNOTATORS[patch_id % 3], said)
        if patch_id % 9 == 0:
            run.refusal(patch_id, f"{told} cut", ["unsupported name: Foo"], ANNOTATORS[patch_id % 2], said)
    return run.written(units)


def test_figures_are_those_of_all_texts_held_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variety, "WORDED", 150)
    monkeypatch.setattr(variety, "COMPARED", 250)
    folder = run_of(tmp_path / "run", 600, units=4)
    measured = metrics(folder)
    told = read_telling(folder)
    texts = [caption.text for telling in told.values() for caption in telling.captions]
    few = variety.drawn(texts, 150)
    assert measured["diversity"]["texts"] == 150
    assert measured["diversity"]["mtld"] == round(mtld(tokens(" ".join(few))), 3)
    assert measured["diversity"]["distinct"] == {str(n): round(Corpus.of(few).distinct(n), 6) for n in (1, 2, 3)}
    assert measured["diversity"]["openings"][0]["words"] == opening_share(few)[0][0]
    assert measured["diversity"]["words"]["mean"] == round(sum(len(text.split()) for text in texts) / len(texts), 3)
    of_b = variety.drawn([caption.text for caption in told["b"].captions], 150)
    assert measured["annotators"]["b"]["diversity"]["mtld"] == round(mtld(tokens(" ".join(of_b))), 3)
    near = near_duplicates(variety.drawn(texts, 250))
    assert measured["repeats"]["near"]["texts"] == 250
    assert (measured["repeats"]["near"]["repeated"], measured["repeats"]["near"]["groups"]) == (
        near.repeated, len(near.groups),
    )  # fmt: skip
    counts = Counter(" ".join(text.split()) for text in texts)
    assert measured["repeats"]["exact"]["repeated"] == len(texts) - len(counts)
    assert [(each["text"], each["count"]) for each in measured["repeats"]["commonest"]] == [
        (text, count) for text, count in counts.most_common(20) if count > 1
    ]
    assert measured["splits"]["near_duplicates"]["texts"] == 250
    assert measured["splits"]["near_duplicates"]["captions"] > 10
    assert measured["captions"]["refused"] == sum(len(telling.refused) for telling in told.values()) == 67


def test_equally_common_texts_are_listed_by_the_alphabet(tmp_path: Path) -> None:
    run, several = MadeRun(tmp_path / "run"), Random(1).sample(range(200, 1000), 60)
    for patch_id in range(180):
        run.patch(patch_id)
        run.caption(patch_id, f"A  field {several[patch_id % 60] if patch_id < 120 else patch_id}.")
    listed = metrics(run.written(units=3))["repeats"]["commonest"]
    assert [each["text"] for each in listed] == [f"A field {number}." for number in sorted(several)[:20]]
    assert {each["count"] for each in listed} == {2}


def test_twice_the_captions_take_hardly_more_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bounds = ((variety, "WORDED"), (variety, "COMPARED"), (claiming, "SINGLY"), (splits, "BOXES"), (blind, "MOST"))
    for module, name in bounds:
        monkeypatch.setattr(module, name, 100)
    peaks, counts = [], (1000, 3000)
    for count in counts:
        folder = run_of(tmp_path / str(count), count, units=count // 100)
        tracemalloc.start()
        measured = metrics(folder)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert measured["captions"]["total"] == count
        assert measured["blind_floor"]["captions"] == 100
    assert (peaks[1] - peaks[0]) / (counts[1] - counts[0]) < 200, "bytes for each further caption"


def test_many_patches_drawn_by_kind_have_the_interval_of_patches_drawn_singly(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(2)
    texts = [Text(n, "area", "", Verdicts(rng.randrange(5), rng.randrange(2), rng.randrange(2))) for n in range(3000)]
    singly, by_kind = Claims(), Claims()
    singly.add(texts)
    monkeypatch.setattr(claiming, "SINGLY", 2000)
    for start in (0, 1500):
        by_kind.add(texts[start : start + 1500])
    assert not by_kind.single
    one, other = singly.rate(), by_kind.rate()
    assert one
    assert other
    assert one["value"] == other["value"]
    width = one["high"] - one["low"]
    assert other["low"] == pytest.approx(one["low"], abs=width / 20)
    assert other["high"] == pytest.approx(one["high"], abs=width / 20)
    right = Claims()
    right.add(Text(n, "area", "", Verdicts(3)) for n in range(3000))
    assert right.rate() == pytest.approx({"value": 0.0, "low": 0.0, "high": 0.00128}, abs=1e-5)


def test_distances_of_many_pictures_are_those_of_all_in_one_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        first, second = (
            np.stack([west, south, west + 0.01, south + 0.01], axis=1)
            for west, south in (
                (rng.uniform(-179, 179, count), rng.uniform(-80, 80, count)) for count in (900, 400)
            )
        )  # fmt: skip
        monkeypatch.setattr(splits, "BOXES", 10_000)
        whole = distance_m(first, second)
        monkeypatch.setattr(splits, "BOXES", 50)
        assert distance_m(first, second) == whole > 0
