"""Reports, cards, Croissant and comparisons of samples and outputs of every kind, and such runs captioned again."""

import ast
import json
import re
from collections import Counter
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from rich.console import Console

from pipeline.compare import compare, open_runs
from pipeline.config import Config
from pipeline.errors import PipelineError
from pipeline.metrics import write_metrics
from pipeline.parts import parts_of
from pipeline.posts import PostHere
from pipeline.prepare import prepare
from pipeline.report import write_report
from pipeline.report.compare import write_page
from pipeline.shards import Packer, list_shards, make_shard
from pipeline.store import Commit, RunFolder
from pipeline.unit import tell
from tests import gaia_made, skyscript_made
from tests.stand_in import StandIn
from tests.synthetic_run import make_run

Kept = Callable[[Config, Path], Path]
RECORDS = 12


def finish(config: Config, path: Path) -> Path:
    """A whole run in this process, as small as it is: its folder."""
    folder, prepared = RunFolder(path), prepare(config)
    source = prepared.source.ready(folder.map, Console(quiet=True))
    packer, counts = Packer([unit.id for unit in source.units], config.output.samples_per_shard), Counter[str]()
    plans = []
    for unit in source.units:
        look = source.look(unit)
        with PostHere(config.captions) as post:
            parts, said = parts_of(look, tell(config, look.assignments, post))
        commit = Commit(unit.fingerprint(prepared.fingerprint), unit.id, said)
        folder.commit(unit.id, parts, commit)
        counts.update(said)
        plans += packer.add(unit.id, commit)
    lines = [make_shard(plan, folder, source.pictures(), config.output) for plan in plans + packer.finish()]
    assert not [failure for line in lines for failure in line["failures"]]
    list_shards(folder, config.name, lines)
    config.output.finish(folder.shards)
    folder.write_info(
        {"name": config.name, "state": "complete", "started": "2024-05-01T00:00:00Z", "seconds": 1.0,
         "fingerprint": prepared.fingerprint, "config": config.model_dump(mode="json"), "counts": dict(counts),
         "versions": {"mapteller": "0.1.0"}, **source.info}
    )  # fmt: skip
    write_metrics(folder)
    return path


def configured(samples: dict[str, Any], output: str, **changes: Any) -> Config:
    tasks = {"tasks": {"revision": 0}}
    return Config.model_validate(
        {"name": "made", "samples": samples, "output": {"kind": output}, "captions": tasks} | changes
    )


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAPTELLER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SkyScript's pictures told into tables; one row names a picture that is not there."""
    folder = tmp_path_factory.mktemp("sky")
    rows = list(skyscript_made.samples(30, seed=2))
    for number, row in enumerate(rows):
        row.picture = skyscript_made.picture(number, 48)
    rows.append(skyscript_made.Sample("a7_CH_19", skyscript_made.meta({}), picture=None))
    made = skyscript_made.make(folder / "made", rows, zipped=True)
    config = configured(
        {"kind": "skyscript", "path": str(made.folder), "unit": 8}, "skyscript_csv",
        split={"train": 0.8, "test": 0.2},
    )  # fmt: skip
    return finish(config, folder / "run")


@pytest.fixture(scope="module")
def sky_pictures(sky: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pictures as Parquet, straight from SkyScript's folder."""
    samples = json.loads((sky / "run.json").read_text())["config"]["samples"]
    return finish(configured(samples, "git10m"), tmp_path_factory.mktemp("git10m") / "run")


@pytest.fixture(scope="module")
def gaia(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records whose server is gone now; one lies nowhere."""
    folder = tmp_path_factory.mktemp("gaia")
    with StandIn(gaia_made.serve({7: "gone"})) as server:
        records = [gaia_made.made(number, server.url) for number in range(RECORDS)]
        records[3] |= {"lat": None, "lon": None, "location": "Mid-ocean"}
        samples = {
            "kind": "gaia", "path": str(gaia_made.write(folder / "r.json", records)), "size": 32,
            "pictures": {"kind": "web", "patience": {"tries": 1, "timeout_s": 5}}, "attribution": "the collectors",
        }  # fmt: skip
        return finish(configured(samples, "gaia_json", split={"train": 0.7, "test": 0.3}), folder / "run")


def again(earlier: Path, output: str, path: Path) -> Path:
    return finish(configured({"kind": "run", "path": str(earlier)}, output), path)


def card(run: Path) -> tuple[dict[str, Any], str]:
    """Front matter and text."""
    _, front, body = (run / "README.md").read_text().split("---\n", 2)
    return yaml.safe_load(front), " ".join(body.split())


def block(page: Path, name: str) -> Any:
    """What is embedded in a page."""
    found = re.search(f'id="{name}">(.*?)</script>', page.read_text(), re.DOTALL)
    assert found
    return json.loads(found[1])


def pictures(page: Path) -> set[int]:
    """Patches that are shown with a picture, which is there."""
    shown = {entry["id"]: entry["picture"] for entry in block(page, "chunk-0") if entry["picture"]}
    assert all((page.parent / name).stat().st_size for name in shown.values())
    return set(shown)


def check_files(run: Path) -> dict[str, Any]:
    """Croissant's files are there, and its fields lead to them; the card's pattern hits them and no index."""
    said = json.loads((run / "croissant.json").read_text())
    files = [part for part in said["distribution"] if part["@type"] == "cr:FileObject"]
    assert files
    assert all((run / part["contentUrl"]).stat().st_size == int(part["contentSize"].split()[0]) for part in files)
    known = {part["@id"] for part in said["distribution"]}
    assert {field["source"]["fileSet"]["@id"] for records in said["recordSet"] for field in records["field"]} <= known
    front, body = card(run)
    patterns = front["configs"][0]["data_files"]
    patterns = [patterns] if isinstance(patterns, str) else [each["path"] for each in patterns]
    hit = {file.name for file in (run / "shards").iterdir() if any(fnmatch(f"shards/{file.name}", p) for p in patterns)}
    assert hit == {part["name"] for part in files}
    (snippet,) = re.findall("```python\n(.*?)```", (run / "README.md").read_text(), re.DOTALL)
    ast.parse(snippet)
    assert "OpenStreetMap" in body or "openstreetmap" not in front["tags"]
    return dict(said)


def test_tables_of_skyscript(sky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = write_report(RunFolder(sky))
    assert len(pictures(page)) == 30
    assert "The dataset holds no pictures; 30 of 30 are shown from where the samples have them." in page.read_text()
    assert "1 others" in page.read_text()
    croissant = check_files(sky)
    assert croissant["recordSet"][0]["field"][0]["name"] == "caption/filepath"
    front, body = card(sky)
    assert front["license_name"] == "of each source and ODbL-1.0"
    for words in ("30 captions of 30 pictures", "published with each of SkyScript's pictures",
                  "not part of the dataset",
                  "Outlines and positions are not known", "`recaption@", "ORTHO/Switzerland/SWISSIMAGE",
                  "left out before",
                  "Splits are whole cells of 0.05 degrees", "2019-07-14",
                  "SkyScript (Wang et al., AAAI 2024)"):  # fmt: skip
        assert words in body.replace("\\", ""), words
    for words in ("Policy", "stride", "same mixture", "webdataset"):
        assert words not in body
    (snippet,) = re.findall("```python\n(.*?)```", (sky / "README.md").read_text(), re.DOTALL)
    monkeypatch.chdir(sky)
    told: dict[str, Any] = {}
    exec(snippet, told)
    assert len(told["captions"]) == 30
    assert list(told["captions"].columns)[3:] == ["caption", "task", "annotator"]


def test_parquet_is_shown_and_captioned_again(sky_pictures: Path, tmp_path: Path) -> None:
    page = write_report(RunFolder(sky_pictures))
    assert len(pictures(page)) == 30
    assert "holds no pictures" not in page.read_text()
    croissant = check_files(sky_pictures)
    assert {field["name"] for field in croissant["recordSet"][0]["field"]} >= {"sample/image", "sample/captions"}
    assert "load_dataset" in card(sky_pictures)[1]
    shown = {file.stem: file.read_bytes() for file in page.parent.joinpath("pictures").iterdir()}
    for row in pq.read_table(sky_pictures / "shards/Patches0000.git10m.parquet").to_pylist():
        assert shown[row["img_name"].split(".")[0]] == row["image"]["bytes"]
    run = again(sky_pictures, "webdataset", tmp_path / "again")
    page = write_report(RunFolder(run))
    assert len(pictures(page)) == 30
    check_files(run)
    body = card(run)[1]
    assert "of an earlier run, `run`, captioned again" in body
    assert "published with each of SkyScript's pictures" in body
    fields = {field["name"] for field in json.loads((run / "croissant.json").read_text())["recordSet"][1]["field"]}
    assert fields >= {"sample/title", "sample/filepath", "sample/bounds"}
    assert "sample/crs" not in fields


def test_records_whose_servers_are_gone(gaia: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = write_report(RunFolder(gaia))
    assert pictures(page) == set(range(RECORDS)) - {7}
    index = block(page, "index")
    assert [place for place, box in zip(index["ids"], index["boxes"], strict=True) if box is None] == [3]
    assert block(page, "chunk-0")[3]["captions"]
    assert "Map:" not in page.read_text()
    croissant = check_files(gaia)
    assert {part["name"] for part in croissant["distribution"]} == {"train_data.json", "test_data.json", "tables"}
    front, body = card(gaia)
    assert [each["split"] for each in front["configs"][0]["data_files"]] == ["train", "test"]
    assert "openstreetmap" not in front["tags"]
    assert front["license_name"] == "unknown"
    for words in ("55 captions of 11 pictures", "published records", "1 whose picture cannot be had", "ask them before",
                  "No licence was stated", "the collectors", "Where 1 of the captioned pictures lie is not known",
                  "years named in texts", "Splits are whole cells of 1.0 degrees", "`gaia@", "image_src"):  # fmt: skip
        assert words in body.replace("\\", ""), words
    for words in ("OpenStreetMap", "ODbL", "Revisions", "and the picture itself"):
        assert words not in body
    (snippet,) = re.findall("```python\n(.*?)```", (gaia / "README.md").read_text(), re.DOTALL)
    monkeypatch.chdir(gaia)
    told: dict[str, Any] = {}
    exec(snippet, told)
    assert len(told["train"]) + len(told["test"]) == 11


def test_records_are_told_again(gaia: Path, tmp_path: Path) -> None:
    run = again(gaia, "gaia_json", tmp_path / "again")
    counts = json.loads((run / "run.json").read_text())["counts"]
    assert counts["captions"] == 5 * counts["captioned"] == 55
    page = write_report(RunFolder(run))
    assert len(pictures(page)) == 11
    check_files(run)
    assert f"| records | GAIA; {RECORDS} |" in card(run)[1]


def test_runs_without_pictures_are_refused_where_pictures_are_wanted(sky: Path, tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"wrote skyscript_csv, which holds no pictures.*samples\.kind: skyscript"):
        prepare(configured({"kind": "run", "path": str(sky)}, "webdataset"))
    again(sky, "skyscript_csv", tmp_path / "again")


def test_pictures_that_are_gone_are_told(sky: Path, tmp_path: Path) -> None:
    run = again(sky, "skyscript_csv", tmp_path / "again")
    (tmp_path / "empty").mkdir()
    info = json.loads((run / "run.json").read_text())
    info["config"]["samples"]["path"] = str(tmp_path / "nowhere")
    (run / "run.json").write_text(json.dumps(info))
    page = write_report(RunFolder(run))
    assert pictures(page) == set()
    assert "0 of 30 are shown" in page.read_text()
    assert "holds no run any more" in page.read_text()
    assert all(entry["captions"] for entry in block(page, "chunk-0"))


def test_compared_with_pictures_from_wherever_they_are(
    sky: Path, sky_pictures: Path, gaia: Path, tmp_path: Path
) -> None:
    for one, other, number in ((sky, again(sky, "skyscript_csv", tmp_path / "a"), 24),
                               (again(sky, "skyscript_csv", tmp_path / "b"), sky_pictures, 24),
                               (gaia, again(gaia, "gaia_json", tmp_path / "c"), 11)):  # fmt: skip
        runs = open_runs([one, other])
        write_page(compare(runs), runs, tmp_path / "compare.html")
        page = (tmp_path / "compare.html").read_text()
        assert page.count('<img src="data:image/') == number
        assert "Pictures are missing" not in page


def test_grids_still_tell_of_imagery_and_map(tmp_path: Path) -> None:
    run = make_run(tmp_path, 30)
    write_report(RunFolder(run))
    check_files(run)
    body = card(run)[1]
    for words in ("OpenStreetMap elements measured under each picture", "Policy `", "| imagery | test imagery",
                  "Imagery: test imagery. Licence: CC0-1.0.", "keeps the licence",
                  "shards/Patches{0000..0000}.tar"):  # fmt: skip
        assert words in body, words
