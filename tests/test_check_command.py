"""`mapteller check`: captions of any origin, from anybody's file."""

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.checks.checks import Checks
from pipeline.check_file import check_file, checks_of
from pipeline.config import ConfigError
from pipeline.errors import PipelineError
from tests.captions import errors, true_captions
from tests.conftest import CommandLine

MEADOW = {
    "id": "way/1", "kind": "area", "tags": {"landuse": "meadow"},
    "facts": {"noun": "meadow", "plural": "meadows", "share": 0.34, "position": ["top-left"], "edges": ["north"]},
}  # fmt: skip
TRUE = "A meadow covers about a third of the picture in its upper left part, cut by the northern edge."
FALSE = "A meadow covers most of the picture in its upper left part, near the railway of old, cut by an edge."


def line(text: str = TRUE, **others: Any) -> dict[str, Any]:
    return {"id": "a", "task": "area", "text": text, "elements": [MEADOW], **others}


def checked(*lines: object, checks: Checks | None = None, folder: Path) -> tuple[list[dict[str, Any]], str, bool]:
    """Answers, errors and whether all could be read, of lines that are JSON already (bytes) or become it."""
    file = folder / "captions.jsonl"
    file.write_bytes(b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines))
    out, told = io.StringIO(), io.StringIO()
    readable = check_file(file, checks or Checks(), out, told)
    return [json.loads(answer) for answer in out.getvalue().splitlines()], told.getvalue(), readable


def test_one_line_for_each_caption(tmp_path: Path, mapteller: CommandLine) -> None:
    file = tmp_path / "captions.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in (line(), line(FALSE, id=7))))
    said = mapteller("check", file)
    true, false = map(json.loads, said.stdout.splitlines())
    assert not said.stderr
    assert set(true) == {"id", "accepted", "reasons", "claims"}
    assert (true["id"], true["accepted"], true["reasons"]) == ("a", True, [])
    assert (false["id"], false["accepted"]) == (7, False)
    assert false["reasons"][0] == "contradicted share: 'most'"
    for claim in true["claims"]:
        assert set(claim) == {"kind", "text", "span", "verdict", "element", "fact"}
        assert TRUE[slice(*claim["span"])] == claim["text"]
        assert claim["verdict"] == "supported"
    assert {(claim["element"], claim["fact"]) for claim in true["claims"]} >= {("way/1", "share"), ("way/1", "edges")}


def test_lines_that_cannot_be_read_are_said_with_their_number(tmp_path: Path, mapteller: CommandLine) -> None:
    file = tmp_path / "captions.jsonl"
    file.write_text(f'{json.dumps(line())}\n\n{{"id": \n[1]\n{{"id": "c"}}\n{json.dumps(line())}\n')
    said = mapteller("check", file, code=1)
    answers = [json.loads(each) for each in said.stdout.splitlines()]
    assert [answer["accepted"] for answer in answers] == [True, False, False, False, True]
    assert [answer["id"] for answer in answers] == ["a", None, None, "c", "a"]
    assert answers[3]["reasons"] == ["unreadable: `text` is missing"]
    assert [each.split(": ")[0].rpartition(" ")[2] for each in said.stderr.splitlines()] == ["3", "4", "5"]


def test_gzip_and_stdin_are_welcome(tmp_path: Path) -> None:
    content = gzip.compress(f"\ufeff{json.dumps(line())}\n".encode())
    for given_, packed in (("-", content), ("-", gzip.decompress(content))):
        said = subprocess.run(
            [sys.executable, "-m", "pipeline", "check", given_], input=packed, capture_output=True, check=True
        )
        assert json.loads(said.stdout)["accepted"]
    (tmp_path / "captions").write_bytes(content)
    out = io.StringIO()
    assert check_file(tmp_path / "captions", Checks(), out, io.StringIO())
    assert json.loads(out.getvalue())["accepted"]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"{}\n" * 1000)[:-12])
    for name, complaint in (("none", "cannot be read"), ("", "cannot be read"), ("cut.gz", "no whole gzip file")):
        with pytest.raises(PipelineError, match=complaint):
            check_file(tmp_path / name, Checks(), io.StringIO(), io.StringIO())


def test_without_facts_only_hygiene_is_checked(tmp_path: Path) -> None:
    plain = {"text": "Nine airports lie on the left of the picture, beside a very large sea."}
    bare = {**plain, "elements": [{"id": "way/1", "tags": {"landuse": "meadow"}}], "task": "haiku"}
    answers, _, readable = checked(plain, bare, {**plain, "text": "**Nine** airports."}, folder=tmp_path)
    assert readable
    assert [answer["accepted"] for answer in answers] == [True, True, False]
    assert not any(answer["claims"] for answer in answers)


def test_gsd_and_place_may_be_given(tmp_path: Path) -> None:
    text = "A meadow in Vaduz covers about a third of this picture, which shows the land at 0.6 metres per pixel."
    answers, _, _ = checked(line(text), line(text, gsd=0.6, place=["Vaduz", 3]), folder=tmp_path)
    assert [answer["accepted"] for answer in answers] == [False, True]


def test_strictness_can_be_set(tmp_path: Path) -> None:
    answers, _, _ = checked(line(FALSE), checks=checks_of(["contradicted=count", "classes=count"]), folder=tmp_path)
    assert answers[0]["accepted"]
    for wrong in ("colours=count", "names=never", "names"):
        with pytest.raises(ConfigError, match="--set"):
            checks_of([wrong])


def test_captions_of_many_hands(tmp_path: Path) -> None:
    """The same verdicts as in the test of claims, through the file."""
    of = [("true", each) for each in true_captions()] + [("false", each) for each in errors()]
    lines = [
        {"id": said, "task": "", "text": each.text, "elements": [element.as_json() for element in each.elements]}
        for said, each in of
    ]
    answers, _, readable = checked(*lines, folder=tmp_path)
    assert readable
    refused = {said: [not each["accepted"] for each in answers if each["id"] == said] for said in ("true", "false")}
    assert sum(refused["true"]) <= 0.02 * len(refused["true"])
    assert sum(refused["false"]) >= 0.95 * len(refused["false"])


@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000, b"1" * 5_000, b"\xff\xfe{}", b'{"text": "\\ud800 a", "id": NaN}', b'{"text": 3}', b"null",
     b'{"text": "a", "elements": {}}', b'{"text": "a", "elements": [3]}', b'{"text": "a", "elements": [{"tags": [1]}]}',
     b'{"text": "a", "elements": [{"facts": "x"}]}', b'{"text": "' + b"a" * 2_000_000 + b'"}'],
)  # fmt: skip
def test_odd_lines_are_answered(content: bytes, tmp_path: Path) -> None:
    answers, _, _ = checked(content, line(), folder=tmp_path)
    assert [answer["accepted"] for answer in answers] == [False, True]


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["name", "noun", "plural", "share", "position", "attributes", "relations", "highway", "count"])
TABLE = st.dictionaries(NAMES, ANY, max_size=4)
ELEMENT = st.fixed_dictionaries({}, optional={"id": ANY, "kind": ANY, "tags": TABLE | ANY, "facts": TABLE | ANY})
LINE = st.fixed_dictionaries(
    {"text": st.sampled_from([TRUE, FALSE]) | st.text(max_size=60) | ANY},
    optional={"id": ANY, "task": st.just("area") | ANY, "elements": st.lists(ELEMENT, max_size=2) | ANY, "gsd": ANY,
              "place": ANY},
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(LINE | ANY)
def test_nothing_crashes_on_strangers_json(tmp_path_factory: pytest.TempPathFactory, said: Any) -> None:
    answers, told, readable = checked(said, folder=tmp_path_factory.getbasetemp())
    assert len(answers) == 1
    assert set(answers[0]) == {"id", "accepted", "reasons", "claims"}
    assert readable == (not told)
