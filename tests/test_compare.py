"""Runs compared on the samples they share."""

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.commands_compare import compare_runs
from pipeline.compare import Comparison, compare, open_runs
from pipeline.compare_tables import markdown
from pipeline.errors import PipelineError
from pipeline.report.compare import pieces, write_page
from tests.conftest import CommandLine, WriteConfig
from tests.made_run import MadeRun, claim, claims
from tests.run_folder import run_info

HOSTILE = "</title><script>alert(1)</script>{{ 7*7 }}[bold]\x1b[31m|"


def _pair(folder: Path) -> list[Path]:
    """Two runs over patches 0 to 29; the second, over 5 to 34, is wrong in every other patch and refused in each."""
    good, bad = MadeRun(folder / "good"), MadeRun(folder / "bad")
    for patch_id in range(30):
        good.patch(patch_id, (9 + patch_id * 0.01, 47, 9.003 + patch_id * 0.01, 47.002))
        good.caption(patch_id, f"A field number {patch_id} lies in the middle.", "g", claims(3, 0, patch_id == 29))
    for patch_id in range(5, 35):
        bad.patch(patch_id, (9 + patch_id * 0.01, 47, 9.003 + patch_id * 0.01, 47.002))
        bad.refusal(patch_id, "A lake.", ["contradicted class: lake"], HOSTILE, claims(1, patch_id % 2, 0))
        bad.caption(patch_id, "A field lies here.", HOSTILE, [claim("supported")], attempts=2)
    engines = {"engines": {"g": {"completion_tokens_per_s": 120.0}}, "cost_per_1000_captions": 0.25}
    good.written(engines=engines)
    bad.written()
    return [good.path, bad.path]


def _compared(folder: Path) -> Comparison:
    return compare(open_runs(_pair(folder)))


def test_only_shared_samples_count(tmp_path: Path) -> None:
    comparison = _compared(tmp_path)
    assert comparison.shared == tuple(range(5, 30))
    good, bad = comparison.runs
    assert (good["run"], bad["run"]) == ("good", "bad")
    assert (good["captions"], bad["captions"]) == (25, 25)
    assert good["hallucination"]["value"] == pytest.approx(1 / 76, abs=1e-6)
    assert bad["hallucination"]["value"] == pytest.approx(13 / 38, abs=1e-6)
    assert bad["hallucination_after"]["value"] == 0
    assert (good["rejected"], bad["rejected"]) == (0, 0.5)
    assert (good["words"], bad["words"]) == (8, 4)
    assert (good["tokens_per_s"], good["cost_per_1000"]) == (120, 0.25)
    assert (bad["tokens_per_s"], bad["cost_per_1000"]) == (None, None)
    assert good["mtld"] != bad["mtld"]


def test_differences_are_paired(tmp_path: Path) -> None:
    found = {row["figure"]: row for row in _compared(tmp_path).differences}
    assert found["rejected"]["value"] == found["rejected"]["low"] == found["rejected"]["high"] == -0.5
    assert found["words"]["value"] == found["words"]["low"] == 4
    wrong = found["hallucination"]
    assert wrong["value"] == pytest.approx((0.25 - 13 * 0.5) / 25, abs=1e-6)
    assert wrong["low"] < wrong["value"] < wrong["high"] < 0
    assert wrong["patches"] == 25
    assert _compared(tmp_path / "again").differences == _compared(tmp_path / "anew").differences


def test_runs_that_share_nothing_are_refused(tmp_path: Path) -> None:
    runs = []
    for name, ids, west in (("a", range(3), 9.0), ("b", range(3), 8.0), ("c", range(3, 6), 9.0)):
        run = MadeRun(tmp_path / name)
        for patch_id in ids:
            run.patch(patch_id, (west, 47, west + 0.003, 47.002))
            run.caption(patch_id, "A field lies here.")
        run.written(units=1)
        runs.append(run.path)
    with pytest.raises(PipelineError, match=r"no sample.*a has 3.*3 patch ids occur in all.*different places"):
        compare(open_runs([runs[0], runs[1]]))
    with pytest.raises(PipelineError, match=r"no patch id occurs in all"):
        compare(open_runs([runs[0], runs[2]]))
    with pytest.raises(PipelineError, match=r"two runs or more"):
        open_runs(runs[:1])
    with pytest.raises(PipelineError, match=r"named twice"):
        open_runs([runs[0], runs[0]])
    with pytest.raises(PipelineError, match=r"holds no run"):
        open_runs([runs[0], tmp_path])


def test_folders_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    paths = [tmp_path / name / "run" for name in ("one", "two")]
    for path in paths:
        made = MadeRun(path)
        made.patch(1)
        made.caption(1, "A field lies here.")
        made.written(units=1)
    assert [run.label for run in open_runs(paths)] == ["one/run", "two/run"]


def test_the_terminal_is_not_obeyed_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths, shown = _pair(tmp_path), io.StringIO()
    compare_runs(paths, Console(file=shown, width=400), page=None, as_markdown=False, as_json=True)
    text = shown.getvalue()
    assert "25 shared samples" in text
    assert "\x1b" not in text
    assert "[bold]" in text
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["shared"], len(last["runs"]), len(last["differences"])) == (25, 2, 4)


def test_markdown_is_a_table_whatever_names_hold(tmp_path: Path) -> None:
    tables = [block.splitlines() for block in markdown(_compared(tmp_path)).split("\n\n")[1:]]
    assert [len(table) for table in tables] == [4, 6]
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1
        assert "<script" not in "".join(table).replace("\\<", "")


class _Tags(HTMLParser):
    """Counts tags and gathers addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for key, value in attrs if key in ("src", "href")]


def test_the_page_shows_runs_side_by_side(tmp_path: Path) -> None:
    runs = open_runs(_pair(tmp_path))
    write_page(compare(runs), runs, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    page = _Tags(text)
    assert page.tags.count("article") == 24
    assert page.tags.count("section") == 48
    assert "script" not in page.tags
    assert page.links == [], "these runs have no shards, so there are no pictures"
    assert "{{ 7*7 }}[bold]" in text
    assert '<mark class="supported" title="supported: class noun way/1">field</mark>' in text


def test_a_caption_is_cut_at_its_claims() -> None:
    text = "A field <b> likely lies left."
    said = [
        claim("supported"), claim("unsupported", text="field <b>"), claim("unsupported", "hedge", "likely", 12),
        claim("contradicted", "position", "left", 24), claim("supported", text="beyond", start=100),
    ]  # fmt: skip
    cut = pieces(text, said)
    assert "".join(piece for piece, _, _ in cut) == text
    assert [(piece, verdict) for piece, verdict, _ in cut if verdict] == [
        ("field <b>", "unsupported"), ("likely", "hedge"), ("left", "contradicted"),
    ]  # fmt: skip
    assert pieces("", []) == []


def test_a_run_and_its_recaptioning(
    small_scenes: Path, write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine
) -> None:
    scene = tmp_path / "a00.tif"
    scene.write_bytes((small_scenes / "a00.tif").read_bytes())
    mapteller("run", write_config(imagery=scene), "--out", tmp_path / "first")
    measured = json.loads((tmp_path / "first" / "metrics.json").read_text())
    assert measured["captions"]["total"] == run_info(tmp_path / "first")["counts"]["captions"] >= 6
    assert measured["claims"]["after"]["contradicted"] == 0
    assert measured["claims"]["after"]["supported"] > 20
    assert measured["blind_floor"]["own"] == 1 >= measured["blind_floor"]["value"]
    assert measured["tokens"]["run"]["engines"]["grammar"]["completion_tokens"] > 100
    again = write_config(samples={"kind": "run", "path": str(tmp_path / "first")}, seed=8)
    mapteller("run", again, "--out", tmp_path / "second")
    runs = open_runs([tmp_path / "first", tmp_path / "second"])
    comparison = compare(runs)
    assert len(comparison.shared) == len(runs[0].samples) >= 3
    assert all(row["hallucination"]["value"] == 0 for row in comparison.runs)
    write_page(comparison, runs, tmp_path / "page.html")
    page = _Tags((tmp_path / "page.html").read_text())
    assert len(page.links) == len(comparison.shared)
    assert all(link.startswith("data:image/jpeg;base64,") for link in page.links)
