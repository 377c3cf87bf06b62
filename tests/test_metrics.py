"""Metrics of runs whose figures are known, and of real ones."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from annotation.checks.diversity import mtld, tokens
from annotation.checks.interval import bootstrap_ratio
from pipeline.errors import PipelineError
from pipeline.measuring.splits import distance_m
from pipeline.metrics import check_repeats, metrics, write_metrics
from pipeline.store import RunFolder
from tests.chat_server import ChatServer, changed, serving
from tests.conftest import CommandLine, WriteConfig
from tests.made_run import MadeRun, claims


@pytest.fixture
def made(tmp_path: Path) -> MadeRun:
    run = MadeRun(tmp_path / "run")
    for patch_id in range(6):
        run.patch(patch_id, tags={"natural": "wood"} if patch_id == 5 else None)
    return run


def test_claims_before_and_after_asking_again(made: MadeRun) -> None:
    made.caption(0, "A field one.", "a", claims(supported=4))
    made.caption(1, "A field two.", "a", claims(supported=2, unsupported=1, hedges=2))
    made.refusal(2, "A lake.", ["contradicted class: lake", "unsupported name: Foo"], "a", claims(1, 2, 1))
    made.caption(2, "A field three.", "a", claims(supported=3), attempts=2)
    made.refusal(3, "A pond.", ["contradicted class: pond"], "b", claims(contradicted=1, supported=1))
    made.refusal(3, "A pool.", ["contradicted class: pool"], "b", claims(contradicted=3), attempt=1, final=True)
    made.refusal(4, "", ["engine: gone"], "b", final=True)
    made.refusal(5, "Cut", ["unfinished: cut off after 9 tokens"], "b", final=True)
    measured = metrics(made.written())
    one, two = measured["annotators"]["a"], measured["annotators"]["b"]
    assert one["claims"]["before"] == {
        "texts": 3, "read": 3, "claims": 11, "supported": 7, "contradicted": 2, "unsupported": 2, "hedges": 2,
    }  # fmt: skip
    assert one["claims"]["after"] == {
        "texts": 3, "read": 3, "claims": 10, "supported": 9, "contradicted": 0, "unsupported": 1, "hedges": 2,
    }  # fmt: skip
    expected = bootstrap_ratio([0, 1, 3], [4, 3, 4], seed=11)
    assert one["hallucination_rate"] == pytest.approx(
        {"value": 4 / 11, "low": expected.low, "high": expected.high}, abs=1e-6
    )
    assert one["hallucination_rate_after"]["value"] == pytest.approx(0.1)
    assert one["wrong_claims"]["before"] == pytest.approx({"0": 1 / 3, "1": 1 / 3, "2": 0, "3+": 1 / 3}, abs=1e-6)
    assert one["wrong_claims"]["after"] == pytest.approx({"0": 2 / 3, "1": 1 / 3, "2": 0, "3+": 0}, abs=1e-6)
    assert one["speculation"]["after"] == pytest.approx(1 / 3, abs=1e-6)
    assert one["rejections"] == {"contradicted class": 1, "unsupported name": 1}
    assert (one["captions"], one["rejected"], one["given_up"]) == (3, 1, 0)
    assert two["claims"]["before"]["texts"] == 2, "the second attempt is none, nor is a request that failed"
    assert two["claims"]["before"]["read"] == 1, "an answer that was cut off was never read"
    assert two["hallucination_rate"]["value"] == pytest.approx(0.5)
    assert two["hallucination_rate_after"] is None
    assert measured["captions"] == {
        "total": 3, "patches": 3, "by_task": {"area": 3}, "asked_again": 1, "refused": 5, "given_up": 3,
    }  # fmt: skip
    assert measured["rejections"] == {"contradicted class": 3, "engine": 1, "unfinished": 1, "unsupported name": 1}
    assert measured["tokens"]["captions"] == {"prompt_tokens": 300, "completion_tokens": 30, "cached_tokens": 180}


def test_claims_of_one_patch_count_together(tmp_path: Path) -> None:
    several, single = MadeRun(tmp_path / "several"), MadeRun(tmp_path / "single")
    for run, times in ((several, 5), (single, 1)):
        for patch_id in range(40):
            run.patch(patch_id)
            for _ in range(times):
                run.caption(patch_id, f"A field {patch_id}.", said=claims(*((0, 1) if patch_id % 5 == 0 else (1, 0))))
    one, other = (metrics(run.written())["hallucination_rate"] for run in (several, single))
    assert one == other
    assert one["low"] < 0.2 < one["high"]


def test_words_repeats_and_classes(made: MadeRun) -> None:
    texts = [f"A field lies in the middle of picture number {word}." for word in ("one", "two", "three", "four")]
    for patch_id, text in enumerate([*texts, texts[0]]):
        made.caption(patch_id, text)
    measured = metrics(made.written(units=1))
    assert measured["diversity"]["mtld"] == round(mtld(tokens(" ".join([*texts, texts[0]]))), 3)
    assert measured["diversity"]["words"]["mean"] == 10
    assert measured["diversity"]["openings"] == [{"words": "a field lies", "share": 1.0}]
    assert measured["repeats"]["exact"] == {"texts": 5, "repeated": 1, "share": 0.2, "largest": 0.4}
    assert measured["repeats"]["near"]["repeated"] >= 1
    assert measured["repeats"]["commonest"] == [{"text": texts[0], "count": 2, "share": 0.4}]
    assert measured["coverage"]["of_class"] == {
        "building=house": {"noun": "house", "present": 6, "told": 0, "share": 0.0},
        "landuse=farmland": {"noun": "farmland", "present": 5, "told": 5, "share": 1.0},
        "natural=wood": {"noun": "wood", "present": 1, "told": 0, "share": 0.0},
    }
    assert (measured["coverage"]["classes_present"], measured["coverage"]["classes_told"]) == (3, 1)


def test_the_blind_floor_lies_below_what_own_facts_support(tmp_path: Path) -> None:
    run = MadeRun(tmp_path / "run")
    for patch_id in range(20):
        wood = patch_id % 2 == 0
        run.patch(patch_id, tags={"natural": "wood"} if wood else {"natural": "water", "water": "lake"}, share=0.5)
        run.caption(patch_id, f"A {'wood' if wood else 'lake'} covers about half of the picture.")
    floor = metrics(run.written())["blind_floor"]
    assert floor["captions"] == 20
    assert floor["own"] == 1.0
    assert 0.1 < floor["value"] < 0.9, "every other stranger is of the same class"


def test_parts_of_older_runs_have_no_claims(made: MadeRun) -> None:
    made.caption(0, "A field lies here.")
    made.refusal(1, "A lake.", ["too short: 2 words"])
    made.refusal(1, "A pond.", ["too short: 2 words"], attempt=1, final=True)
    folder = made.written(units=1)
    for kind, gone in (("captions", ["claims"]), ("rejected", ["claims", "attempt", "elements"])):
        part = folder.part(kind, "u0")
        pq.write_table(pq.read_table(part, partitioning=None).drop_columns(gone), part)
    measured = metrics(folder)
    assert measured["hallucination_rate"] is None
    assert measured["wrong_claims"] == {"before": None, "after": None}
    assert measured["claims"]["before"]["texts"] == 2
    assert measured["rejections"] == {"too short": 2}


def test_a_unit_that_is_not_committed_does_not_count(made: MadeRun) -> None:
    for patch_id in range(6):
        made.caption(patch_id, f"A field {patch_id}.")
    folder = made.written()
    folder.part("captions", "u1").unlink()
    assert metrics(folder)["captions"]["total"] == 3
    assert metrics(folder)["coverage"]["of_class"]["building=house"]["present"] == 3


def test_splits_are_measured(made: MadeRun) -> None:
    made.parts = MadeRun(made.path).parts
    long = "A field of the same kind lies in the middle of this picture, with a road beside it and a house above"
    for patch_id, (west, split, year) in enumerate(
        [(9.0, "train", "2021"), (9.01, "none", "2021"), (9.02, "test", "2020"), (9.1, "train", "2021")]
    ):
        made.patch(patch_id, (west, 47.0, west + 0.003, 47.002), split=split, acquired=f"{year}-06-01")
        made.caption(patch_id, f"{long}." if patch_id != 3 else "Nothing like it can be seen anywhere else.")
    found = metrics(made.written())["splits"]
    assert found["smallest_distance_m"] == pytest.approx(0.017 * 111_320 * 0.682, rel=0.01)
    assert found["distances_m"] == {"test-train": found["smallest_distance_m"]}
    assert found["near_duplicates"] == {"texts": 3, "captions": 2, "share": pytest.approx(2 / 3, abs=1e-6), "groups": 1}
    assert {name: side["patches"] for name, side in found["within"].items()} == {"none": 1, "test": 1, "train": 2}
    assert found["within"]["test"]["years"] == {"2020": 1.0}
    assert found["within"]["train"]["classes"] == {"landuse=farmland": 1.0}


def test_distances_are_measured_on_the_ellipsoid() -> None:
    from pyproj import Geod

    north = distance_m([(24.0, 60.0, 24.01, 60.01)], [(24.0, 60.03, 24.01, 60.04), (25.0, 60.0, 25.01, 60.01)])
    assert north == pytest.approx(Geod(ellps="WGS84").inv(24.0, 60.01, 24.0, 60.03)[2], abs=1)
    assert distance_m([(0, 0, 1, 1)], [(1, 0, 2, 1)]) == 0


def test_one_text_for_too_many_pictures_is_refused(tmp_path: Path) -> None:
    run = MadeRun(tmp_path / "run")
    for patch_id in range(60):
        run.patch(patch_id)
        run.caption(patch_id, "A field lies here." if patch_id < 4 else f"A field with number {patch_id}.")
    measured = metrics(run.written())
    with pytest.raises(PipelineError, match=r"6\.7% of the captions \(4 of 60\).*5\.0%.*'A field lies here\.'.*raise"):
        check_repeats(measured, 0.05)
    check_repeats(measured, 0.07)
    few = MadeRun(tmp_path / "few")
    for patch_id in range(49):
        few.patch(patch_id)
        few.caption(patch_id, "A field lies here.")
    check_repeats(metrics(few.written()), 0.05)


def test_metrics_are_the_same_again(made: MadeRun) -> None:
    for patch_id in range(6):
        made.caption(patch_id, f"A field covers half of picture {patch_id}.", said=claims(2, 0, patch_id % 2))
    folder = made.written()
    write_metrics(folder)
    first = (folder.path / "metrics.json").read_bytes()
    write_metrics(folder)
    assert (folder.path / "metrics.json").read_bytes() == first
    assert list(json.loads(first)) == sorted(json.loads(first))


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"holds no run to measure"):
        metrics(RunFolder(tmp_path))


def test_a_run_that_says_the_same_of_everything_fails_and_says_how_to_go_on(
    small_scenes: Path, write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine
) -> None:
    said = "It is quiet here, and there is hardly anything that anybody would care to mention."
    lenient = dict.fromkeys(("contradicted", "names", "numbers", "classes", "shares", "counts"), "count")
    with serving(ChatServer(lambda _: changed(content=said))) as url:
        config = write_config(
            imagery=small_scenes, captions__checks=lenient, captions__tasks={"revision": 0},
            captions__engines=[{"kind": "openai", "model": "parrot", "base_urls": [url]}],
        )  # fmt: skip
        refused = mapteller("run", config, "--out", tmp_path / "run", code=1)
        assert f"'{said}'" in refused.stderr
        assert "One text covers 100.0% of the captions" in refused.stderr
        assert "captions.checks.max_repeat" in refused.stderr
        assert json.loads((tmp_path / "run" / "run.json").read_text())["state"] == "failed"
        assert json.loads((tmp_path / "run" / "metrics.json").read_text())["repeats"]["exact"]["largest"] == 1
        mapteller("run", config, "--out", tmp_path / "run", "--set", "captions.checks.max_repeat=1")
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (info["state"], info["units"]["computed"]) == ("complete", 0)
