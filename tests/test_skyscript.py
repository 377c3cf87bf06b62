import csv
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from annotation.grammar.caption import caption
from annotation.request import ElementFacts
from annotation.skyscript_titles import title, title_multi_objects
from annotation.tag_facts import TagTeller
from annotation.tags import TagTable
from download.errors import DownloadError
from download.records.refused import Refused
from download.records.skyscript import MOST_PICTURE_BYTES, SOURCES, Name, key_of_member, picture_of
from pipeline.bench.records import AROUND
from pipeline.config import Config
from pipeline.posts import PostHere
from pipeline.skyscript_samples import SkyScriptSamples
from pipeline.skyscript_source import SkyScriptLook, SkyScriptSource
from pipeline.unit import tell
from pipeline.writers.csv_titles import SkyScriptCsvWriter
from pipeline.writers.sample import Sample as Finished
from tests.skyscript_made import Made, Sample, from_map, make, meta, picture, samples

TABLE = TagTable.load()
LAKE = {"natural": "water", "water": "lake"}
PLACES = re.compile(
    r"\b(?:left|right|top|bottom|north|south|east|west|center|centre|middle|corner|edge|beside|near|next to|"
    r"around the|around it|surround\w*|percent|metres|between|across)\b"
)


def source_of(made: Made, tmp_path: Path, **other: Any) -> SkyScriptSource:
    said = {"kind": "skyscript", "path": str(made.folder), "csv": [made.table.name], "unit": 40, **other}
    config = Config.model_validate(
        {"name": "sky", "samples": said, "output": {"kind": "skyscript_csv"}, "captions": {"tasks": {"revision": 0}}}
    )
    assert isinstance(config.samples, SkyScriptSamples)
    return SkyScriptSource.of(config, config.samples).ready(tmp_path / "index", Console(file=io.StringIO()))


def looks(source: SkyScriptSource) -> list[SkyScriptLook]:
    return [source.look(unit) for unit in source.units]


def reasons(source: SkyScriptSource) -> dict[str, str]:
    """Why rows were skipped, by what they name."""
    rows = [row for look in looks(source) for row in look.patch_rows({}) if row["status"] == "skipped"]
    told = [json.loads(row["metadata"]) for row in rows]
    return {each["image_name"]: f"{each['skipped']}: {each['detail']}" for each in told}


def facts_of(center: dict[str, str], around: Sequence[dict[str, str]], gsd: float) -> tuple[ElementFacts, ...]:
    return TagTeller(TABLE).tell(("way/1", "area", center), around, gsd)


def test_folders_and_zip_files_hold_the_same(tmp_path: Path) -> None:
    made = list(samples(150, seed=3))
    both = [
        source_of(make(tmp_path / name, made, zipped=zipped), tmp_path / f"{name}-index")
        for name, zipped in (("folders", False), ("zips", True))
    ]
    told = [[(look.assignments, look.patch_rows({}), dict(look.counts)) for look in looks(source)] for source in both]
    assert told[0] == told[1]
    assert sum(counts["kept"] for _, _, counts in told[0]) == 150
    assert len(told[0]) > 3
    rows = [row for _, rows, _ in told[0] for row in rows]
    assert [json.loads(row["metadata"])["image_name"] for row in rows] == [each.stem for each in made]
    assert len({row["patch_id"] for row in rows}) == 150
    for source in both:
        assert source.pictures().read(rows[0]).content == picture()
        assert not (made_folder := source.samples.path / "unpacked").exists(), made_folder


def test_zip_files_beyond_four_gigabytes_are_written_differently_and_read_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 20)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 3)
    made = make(tmp_path / "made", list(samples(30)), zipped=True)
    assert b"PK\x06\x06" in (made.folder / "meta2.zip").read_bytes()
    assert sum(len(look.assignments) for look in looks(source_of(made, tmp_path))) == 30


def test_captions_tell_what_is_there_and_never_where(tmp_path: Path) -> None:
    source = source_of(make(tmp_path / "made", list(samples(120, seed=1)), zipped=True), tmp_path)
    assignments = [each for look in looks(source) for each in look.assignments]
    with PostHere(source.config.captions) as post:
        told = tell(source.config, assignments, post)
    texts = []
    for assignment in assignments:
        (attempt,) = told[assignment.patch_id]
        assert not attempt.reasons, attempt.text
        assert str(assignment.told[0].facts["noun"]).split()[-1] in attempt.text
        assert not PLACES.search(attempt.text), attempt.text
        assert not any("position" in element.facts or "share" in element.facts for element in assignment.told)
        assert attempt.request.prompt.startswith("recaption@")
        texts.append(attempt.text)
    assert len(set(texts)) > 110


def test_equal_surroundings_are_counted_and_told_apart_from_the_focus() -> None:
    tiled, plain, street = AROUND[0], AROUND[1], AROUND[3]
    focus, houses, road = facts_of(LAKE, [tiled, plain, street, tiled], 0.1)
    assert focus.facts["role"] == "focus"
    assert (houses.facts["role"], houses.facts["noun"], houses.facts["count"]) == ("surrounding", "house", 3)
    assert houses.id == "surrounding/1"
    assert houses.tags == {"building": "house"}
    assert "attributes" not in houses.facts, "not all of them have a tiled roof"
    assert road.facts["attributes"] == ["asphalt surface"]
    assert facts_of(LAKE, [tiled, tiled], 0.1)[1].facts["attributes"] == ["tiled roof"]
    _, mixed = facts_of(LAKE, [{"building": "detached"}, plain, {"building": "detached"}], 0.1)
    assert (mixed.facts["noun"], mixed.facts["count"], mixed.tags["building"]) == ("house", 3, "house")
    text = caption((focus, houses), 5)
    assert "lake" in text
    assert re.search(r"three|few", text.lower())
    streets = facts_of(LAKE, [street, {"highway": "residential"}], 0.1)
    assert [each.facts.get("count") for each in streets] == [None, None], "a street is mapped in many pieces"
    assert len(facts_of({"highway": "residential"}, [street], 0.1)) == 1, "it may be the same street"
    assert "another lake" in caption(facts_of(LAKE, [LAKE], 1.0), 5).lower()
    assert "two more lakes" in " ".join(caption(facts_of(LAKE, [LAKE, LAKE], 1.0), seed) for seed in range(9)).lower()


def test_what_the_source_cannot_show_is_left_out(tmp_path: Path) -> None:
    around = [*AROUND, {"highway": "footway", "tunnel": "yes"}, {"boundary": "administrative"}]
    nouns = {gsd: [each.facts["noun"] for each in facts_of(LAKE, around, gsd)] for gsd in (0.1, 1.0, 10.0, 30.0)}
    assert "house" in nouns[0.1]
    assert "house" not in nouns[10.0]
    assert nouns[30.0] == ["lake", "forest"]
    assert facts_of({"building": "house"}, [LAKE], 10.0) == ()
    assert facts_of({"highway": "service", "tunnel": "culvert"}, [LAKE], 0.1) == ()
    assert facts_of({"opening_hours": "24/7"}, [LAKE], 0.1) == ()
    gsd = {code: Name.of(f"a1_{code}_18").gsd for code in SOURCES}
    assert list(gsd.values()) == [0.1, 0.1, 0.2, 0.5, 0.6, 0.8, 2.0, 10.0, 30.0, 30.0]
    assert Name.of("a1_US_17").gsd == 1.0
    made = make(tmp_path / "made", [Sample("a1_S2_20", meta({"building": "house"}))], zipped=False)
    (look,) = looks(source_of(made, tmp_path))
    assert not look.assignments
    assert [row["status"] for row in look.patch_rows({})] == ["nothing"]


def bad_samples() -> dict[str, Sample]:
    """Every kind of bad row, by the reason that is expected."""
    good = meta(LAKE)
    deep: dict[str, Any] = {}
    for _ in range(200):
        deep = {"x": deep}
    return {
        "no picture": Sample("a1_CH_19", good, picture=None),
        "no metadata": Sample("a2_CH_19", None),
        "pickle of objects": Sample("a3_CH_19", None, pickled=b"cos\nsystem\n(S'true'\ntR."),
        "pickle cut off": Sample("a4_CH_19", None, pickled=b"\x80\x04}"),
        "pickle damaged": Sample("a5_CH_19", None, pickled=b"\x80\x04uu."),
        "pickle too large": Sample("a6_CH_19", None, pickled=b"\x80\x04" + b"N0" * 300_000 + b"}."),
        "metadata of another shape: a list": Sample("a7_CH_19", [good]),
        "metadata of another shape: no center_tags": Sample("a8_CH_19", {"box": good["box"]}),
        "metadata of another shape: tags are no dictionary": Sample("a9_CH_19", meta({}, center_tags=[1])),
        "metadata of another shape: surrounding_tags is no list": Sample("a10_CH_19", meta(LAKE, surrounding_tags=7)),
        "metadata of another shape: a tag holds a dict": Sample("a11_CH_19", meta({"x": deep})),
        "metadata of another shape: a tag holds a str or": Sample("a12_CH_19", meta({"x": "y" * 300})),
        "metadata of another shape: box is not": Sample("a13_CH_19", meta(LAKE, box="7 46 8 47")),
        "metadata of another shape: box is not four": Sample("a14_CH_19", meta(LAKE, box=(7, float("nan"), 8, 47))),
        "box beyond the poles or empty: latitudes 46 to 97": Sample("a15_CH_19", meta(LAKE, box=(7, 46, 8, 97))),
        "box beyond the poles or empty": Sample("a16_CH_19", meta(LAKE, box=(7, 46, 8, 46))),
        "box across the antimeridian": Sample("a17_CH_19", meta(LAKE, box=(179.99, 1, -179.99, 1.1))),
        "box across the antimeridian: longitudes -179": Sample("a18_CH_19", meta(LAKE, box=(-179.9, 1, 179.9, 2))),
        "box beyond 180 degrees": Sample("a19_CH_19", meta(LAKE, box=(180.5, 1, 181, 2))),
        "source unknown": Sample("a20_XX_19", good),
        "name of another form": Sample("lake", good),
        "name of another form: a0_CH_19": Sample("a0_CH_19", good),
        "path leads elsewhere": Sample("a21_CH_19", good, filepath="/etc/a21_CH_19.jpg"),
        "path leads elsewhere: ": Sample("a22_CH_19", good, filepath="images2/../../a22_CH_19.jpg"),
        "path leads elsewhere: 'C:": Sample("a23_CH_19", good, filepath="C:\\images2\\a23_CH_19.jpg"),
        "path of another form": Sample("a24_CH_19", good, filepath="pictures/a24_CH_19.jpg"),
        "no picture: images9 is not there": Sample("a25_CH_19", good, filepath="images9/a25_CH_19.jpg"),
    }


@pytest.mark.parametrize("zipped", [False, True])
def test_bad_rows_are_counted_and_named_and_end_nothing(tmp_path: Path, *, zipped: bool) -> None:
    bad = bad_samples()
    made = make(tmp_path / "made", [*samples(20), *bad.values(), *samples(3)], zipped=zipped)
    with made.table.open("ab") as table:
        table.write(b"images2/a31_CH_19.jpg,caf\xe9,x\n")
        table.write(b"images2/a32_CH_19.jpg,one cell too few\n\n")
        table.write(b'"images2/a1000_CH_21.jpg",x,"twice, ""quoted""\nand broken"\n')
        table.write(b'images2/a33_CH_19.jpg,"never closed,x\n')
    source = source_of(made, tmp_path)
    found = reasons(source)
    for expected, sample in bad.items():
        assert found[sample.path].startswith(expected), (expected, found[sample.path])
    assert Counter(reason.partition(":")[0] for reason in found.values())["picture named twice"] >= 3
    counts: Counter[str] = Counter()
    for look in looks(source):
        counts.update(look.counts)
    assert counts["skipped.row is no UTF-8"] == 1
    assert counts["skipped.row is broken"] == 2
    skipped = sum(number for reason, number in counts.items() if reason.startswith("skipped."))
    assert counts["kept"] == 20
    assert counts["laid"] == counts["kept"] + skipped == 20 + len(bad) + 3 + 4
    ids = [row["patch_id"] for look in looks(source) for row in look.patch_rows({})]
    assert len(set(ids)) == len(ids)


def test_a_part_that_was_cut_off_costs_its_rows_only(tmp_path: Path) -> None:
    made = make(tmp_path / "made", list(samples(60)), zipped=True)
    file = made.folder / "meta5.zip"
    file.write_bytes(file.read_bytes()[:-400])
    source = source_of(made, tmp_path)
    lost = [sample for sample in made.samples if sample.part == "5"]
    found = reasons(source)
    assert found == {sample.path: "metadata in a damaged part: meta5" for sample in lost}
    assert "was cut off" in source.info["records"]["damaged"]["meta5"]
    assert sum(len(look.assignments) for look in looks(source)) == 60 - len(lost) > 0
    (made.folder / "meta2.zip").write_bytes(b"no zip file")
    with pytest.raises(
        DownloadError, match=r"holds no meta of SkyScript that can be read: .*meta2\.zip is no zip file"
    ):
        source_of(made, tmp_path)


def test_members_that_are_bombs_damaged_or_lead_elsewhere_are_refused(tmp_path: Path) -> None:
    made = make(tmp_path / "made", list(samples(6, parts="2")), zipped=True)
    stems = [sample.stem for sample in made.samples]
    good = made.samples[0].pickle
    with zipfile.ZipFile(made.folder / "meta2.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"meta2/{stems[0]}.pickle", b"\0" * (40 << 20))
        archive.writestr(f"meta2/{stems[1]}.pickle", good * 50)
        archive.writestr(f"../{stems[2]}.pickle", good)
        archive.writestr(f"/tmp/{stems[3]}.pickle", good)
        archive.writestr(zipfile.ZipInfo(f"{stems[4]}.pickle"), good)
        archive.writestr(f"meta2/{stems[4]}.pickle", b"the second of this name")
        archive.writestr("meta2/readme.txt", b"hello")
        archive.writestr(zipfile.ZipInfo(f"meta2/{stems[5]}.pickle"), good, zipfile.ZIP_BZIP2)
    content = bytearray((made.folder / "meta2.zip").read_bytes())
    lie = content.rindex(f"meta2/{stems[1]}.pickle".encode()) - 46 + 24
    content[lie : lie + 4] = (100).to_bytes(4, "little")
    (made.folder / "meta2.zip").write_bytes(content)
    source = source_of(made, tmp_path)
    found = [reasons(source).get(sample.path, "told") for sample in made.samples]
    assert found[0].startswith("zip entry too large: 41,943,040 bytes")
    assert found[1].startswith("zip entry damaged")
    assert found[2].startswith(found[3])
    assert found[3].startswith("no metadata")
    assert found[4] == "told"
    assert found[5].startswith("zip entry packed in another way: method 12")
    assert source.info["records"]["left_out"] == {
        "meta2.zip: path leads elsewhere": 2,
        "meta2.zip: name of another form": 1,
        "meta2.zip: zip entry twice": 1,
    }


def test_a_member_that_unpacks_to_more_than_it_says_is_never_unpacked_whole(tmp_path: Path) -> None:
    made = make(tmp_path / "made", list(samples(1, parts="2")), zipped=True)
    (sample,) = made.samples
    file = made.folder / "images2.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"images2/{sample.stem}.jpg", b"\0" * (MOST_PICTURE_BYTES + 5_000_000))
    content = bytearray(file.read_bytes())
    lie = content.rindex(b"PK\x01\x02") + 24
    content[lie : lie + 4] = (1000).to_bytes(4, "little")
    file.write_bytes(content)
    source = source_of(made, tmp_path)
    (row,) = looks(source)[0].patch_rows({})
    with pytest.raises(DownloadError, match=r"zip entry too large: unpacks to more than 67,108,864 bytes"):
        source.pictures().read(row)


@pytest.mark.parametrize("path", ["/a1_CH_19.jpg", "..\\a1_CH_19.jpg", "x/../../a1_CH_19.jpg", "C:/a1_CH_19.jpg"])
def test_paths_that_lead_elsewhere_are_refused_everywhere(path: str) -> None:
    for read in (picture_of, key_of_member):
        with pytest.raises(Refused, match="path leads elsewhere"):
            read(path)


def test_units_go_by_content(tmp_path: Path) -> None:
    made = list(samples(600, seed=2))
    before = source_of(make(tmp_path / "a", made, zipped=True), tmp_path / "1").units
    more = [*made[:250], *(Sample("n7_FI_20", meta({"power": "tower"})),), *made[250:]]
    after = source_of(make(tmp_path / "b", more, zipped=True), tmp_path / "2").units
    old, new = ({unit.id: unit.fingerprint("run") for unit in units} for units in (before, after))
    assert len(old) > 8
    assert len(new.items() - old.items()) <= 2, "one row changes the unit it falls into"
    made[100].meta["center_tags"] = {"natural": "wood"}
    changed = source_of(make(tmp_path / "c", made, zipped=True), tmp_path / "3").units
    assert [unit.id for unit in changed] == [unit.id for unit in before]
    differ = [unit.id for unit in changed if unit.fingerprint("run") != old[unit.id]]
    assert len(differ) == 1, "metadata that changed changes its unit"


def test_the_same_table_twice_gives_each_picture_once(tmp_path: Path) -> None:
    made = make(tmp_path / "made", list(samples(90)), zipped=True)
    (made.folder / "again.csv").write_bytes(made.table.read_bytes())
    source = source_of(made, tmp_path, csv=[made.table.name, "again.csv"])
    assert sum(len(look.assignments) for look in looks(source)) == 90
    assert sum(look.counts.get("skipped.picture named twice", 0) for look in looks(source)) == 90
    assert len({unit.id for unit in source.units}) == len(source.units)
    with pytest.raises(DownloadError, match="holds 2 CSV files"):
        source_of(made, tmp_path, csv=[])
    (made.folder / "other.csv").write_text("picture,text\n")
    with pytest.raises(DownloadError, match="has no column 'filepath'"):
        source_of(made, tmp_path, csv=["other.csv"])


def test_titles_with_line_breaks_and_quotes_come_through(tmp_path: Path) -> None:
    odd = 'a "lake",\nof two lines; \u6e56'
    made = [Sample("a1_CH_19", meta(LAKE), title=odd, titles=""), Sample("a2_CH_19", meta(LAKE), title="plain")]
    source = source_of(make(tmp_path / "made", made, zipped=True), tmp_path)
    finished = []
    for row in looks(source)[0].patch_rows({}):
        notes = [{"text": f'It says "{number}",\nand more.', "task": 5, "annotator": "me"} for number in range(2)]
        finished.append(Finished(row["patch_id"], source.pictures().read(row), json.loads(row["metadata"]), [], notes))
    target = tmp_path / "out.csv"
    index = SkyScriptCsvWriter(kind="skyscript_csv").write(finished, target)
    told = pd.read_csv(target, keep_default_na=False)
    assert list(told.columns) == ["filepath", "title", "title_multi_objects", "caption", "task", "annotator"]
    assert told["title"].tolist() == [odd, odd, "plain", "plain"]
    assert told["title_multi_objects"][0] == "natural water, water of lake".replace(", ", " with ")
    assert told["caption"][1] == 'It says "1",\nand more.'
    assert set(told["task"]) == {"recaption"}
    content = target.read_bytes()
    places = [content[row["offset"] : row["offset"] + row["bytes"]].decode() for row in index]
    assert [next(csv.reader(io.StringIO(place)))[0] for place in places] == [sample.path for sample in made]


def test_titles_by_rule_follow_the_papers_grammar() -> None:
    assert title({"highway": "residential", "surface": "asphalt"}) == "road type of residential, surface of asphalt"
    assert title({"power": "pole"}) == "power pole"
    assert title({"man_made": "pier", "bridge": "yes", "oneway": "no"}) == "man made pier, bridge"
    several = [{"power": "pole"}, {"power": "pole"}, {"building": "school", "roof:shape": "flat", "sport": "a;b_c"}]
    assert title_multi_objects(LAKE, several) == (
        "natural water with water of lake, "
        "surrounded by power pole; building of school with roof shape of flat and sport of a and b c"
    )
    assert title_multi_objects(LAKE, []) == "natural water with water of lake"
    assert title_multi_objects({}, several) == title({}) == ""


def test_titles_can_be_made_again_by_rule(tmp_path: Path) -> None:
    made = make(tmp_path / "made", [Sample("a1_CH_19", meta(LAKE, [{"power": "pole"}]))], zipped=False)
    (row,) = looks(source_of(made, tmp_path, titles="rule"))[0].patch_rows({})
    said = json.loads(row["metadata"])
    assert said["title"] == "natural water, water of lake"
    assert said["title_multi_objects"] == "natural water with water of lake, surrounded by power pole"
    assert (said["acquired"], said["gsd"], said["bounds"]) == ("2019-07-14", 0.1, [7.1, 46.9, 7.1013, 46.9009])


def test_every_published_name_is_read(shared_data: Path) -> None:
    with (shared_data / "skyscript" / "samples.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    names = [picture_of(row["filepath"])[1] for row in rows]
    assert [name.stem for name in names] == [row["sample_id"] for row in rows]
    assert len({name.key for name in names}) == len(rows) == 1192
    assert max(name.key for name in names) < 2**53


@pytest.mark.parametrize(("extract", "code"), [("beatty.osm", "US"), ("liechtenstein.osm.pbf", "CH")])
def test_real_tags_are_told(shared_data: Path, tmp_path: Path, extract: str, code: str) -> None:
    made = from_map(shared_data / "osm" / extract, code, 2021, most=250)
    source = source_of(make(tmp_path / "made", made, zipped=True), tmp_path)
    assignments = [each for look in looks(source) for each in look.assignments]
    assert len(assignments) > len(made) / 3
    with PostHere(source.config.captions) as post:
        told = tell(source.config, assignments, post)
    attempts = [each for several in told.values() for each in several]
    refused = [attempt for attempt in attempts if attempt.reasons]
    assert len(refused) <= len(attempts) / 50, [(attempt.text, attempt.reasons) for attempt in refused]
    for attempt in attempts:
        known = json.dumps([element.facts for element in attempt.request.elements])
        assert all(word in known for word in PLACES.findall(attempt.text)), attempt.text
