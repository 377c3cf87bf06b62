"""The day a picture was taken, from the metadata beside it."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import rasterio
from rasterio.transform import from_origin

from download.imagery.fgdc import Acquired, acquired, day_in_name, metadata_beside, period
from download.imagery.local import FEW, LocalImagery

CHIP = "m_3211605_ne_11_060_20200415"
SINGLE = "<sngdate><caldate>{}</caldate></sngdate>"
RANGE = "<rngdates><begdate>{}</begdate><enddate>{}</enddate></rngdates>"
FIRST, LAST = date(2020, 4, 11), date(2020, 5, 2)

Write = Callable[..., Path]


def _fgdc(time: str, means: str = "Ground Condition") -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
    <metadata>
      <idinfo>
        <citation><citeinfo><pubdate>20210101</pubdate></citeinfo></citation>
        <timeperd><timeinfo>{time}</timeinfo><current>{means}</current></timeperd>
      </idinfo>
      <dataqual><lineage><srcinfo><srctime><timeinfo>{SINGLE.format(20010101)}</timeinfo></srctime></srcinfo></lineage></dataqual>
      <metainfo><metd>20220202</metd></metainfo>
    </metadata>"""


def _iso(time: str) -> str:
    return f"""<m:MI_Metadata xmlns:m="http://www.isotc211.org/2005/gmd" xmlns:gml="http://www.opengis.net/gml/3.2">
      <m:dateStamp>2022-02-02</m:dateStamp>
      <m:identificationInfo><m:extent><m:temporalElement><m:extent>{time}</m:extent></m:temporalElement></m:extent>
      </m:identificationInfo>
      <m:lineage><m:temporalElement><m:x><gml:timePosition>2001-01-01</gml:timePosition></m:x></m:temporalElement></m:lineage>
    </m:MI_Metadata>"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def file(content: str | bytes, name: str = f"{CHIP}_20200730.xml") -> Path:
        target = tmp_path / name
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    return file


@pytest.mark.parametrize(
    ("content", "last"),
    [
        (_fgdc(SINGLE.format(" 20200411\n")), FIRST),
        (_fgdc(RANGE.format(20200411, 20200502)), LAST),
        (_fgdc(f"<mdattim>{SINGLE.format(20200502)}{SINGLE.format(20200411)}</mdattim>"), LAST),
        (_fgdc(SINGLE.format(20200411)).partition("?>")[2].strip().upper(), FIRST),
        (_fgdc(SINGLE.format(20200411)).replace("UTF-8", "UTF-16").encode("utf-16"), FIRST),
        (_iso("<gml:TimeInstant><gml:timePosition>2020-04-11T18:30:00Z</gml:timePosition></gml:TimeInstant>"), FIRST),
        (
            _iso(
                "<m:x><gml:beginPosition>2020-04-11</gml:beginPosition><gml:endPosition>2020-05-02</gml:endPosition></m:x>"
            ),
            LAST,
        ),
    ],
)
def test_the_time_of_the_content(write: Write, content: str | bytes, last: date) -> None:
    assert period(write(content)) == (FIRST, last)


ENTITIES = '<!DOCTYPE metadata [<!ENTITY a "20200411"><!ENTITY b SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (_fgdc(""), "lacks the day of its content"),
        (_fgdc(SINGLE.format("")), "lacks the day of its content"),
        (_fgdc(SINGLE.format("Unknown")), r"lacks the day of its content \(it says 'Unknown'\)"),
        (_fgdc(SINGLE.format("202004")), r"it says '202004'"),
        (_fgdc(SINGLE.format("20200431")), r"it says '20200431'"),
        (_fgdc(SINGLE.format("20200411"), "Publication date"), "dates its publication"),
        (_iso(""), "lacks the day"),
        ("<other/>", "lacks the day"),
        ("", "no XML that can be read"),
        (_fgdc("")[:300], "no XML that can be read"),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "no XML that can be read"),
        (ENTITIES + _fgdc(SINGLE.format("&a;")).partition("?>")[2], "document type"),
        ("<!DOCTYPE metadata><metadata/>", "document type"),
        ("<!DOCTYPE metadata><metadata/>".encode("utf-16"), "document type"),
        ("<a>" * 100_000, "within each other"),
        (b"<a>" + b" " * (4 << 20) + b"</a>", "bytes, too many"),
    ],
)
def test_no_day(write: Write, content: str | bytes, message: str) -> None:
    file = write(content)
    with pytest.raises(ValueError, match=message):
        period(file)
    found = acquired(file.with_name(f"{CHIP}.tif"), [file])
    assert found.day == date(2020, 4, 15)
    assert len(found.notices) == 1
    assert found.notices[0].startswith(f"{file} ")
    assert found.notices[0].endswith(". 2020-04-15 of the file's name is taken.")


def test_metadata_are_believed(write: Write, tmp_path: Path) -> None:
    raster, file = tmp_path / f"{CHIP}.tif", write(_fgdc(SINGLE.format(20200411)))
    found = acquired(raster, [file])
    assert found.day == date(2020, 4, 11)
    assert found.notices == (f"{file} says 2020-04-11, the file's name 2020-04-15. The metadata are believed.",)
    assert acquired(tmp_path / "a.tif", [file], in_file=date(2021, 1, 1)) == Acquired(date(2020, 4, 11))
    assert acquired(raster, [write(_fgdc(SINGLE.format(20200415)))]) == acquired(raster, [])


def test_several_days(write: Write, tmp_path: Path) -> None:
    around, before = RANGE.format(20200411, 20200502), RANGE.format(20200401, 20200402)
    for time, day in ((around, date(2020, 4, 15)), (before, date(2020, 4, 2))):
        found = acquired(tmp_path / f"{CHIP}.tif", [write(_fgdc(time))])
        assert found.day == day
        assert len(found.notices) == 1
        assert f"{day} is taken" in found.notices[0]


def test_two_files_of_metadata(write: Write, tmp_path: Path) -> None:
    raster = tmp_path / f"{CHIP}.tif"
    early = write(_fgdc(SINGLE.format(20200411)), f"{CHIP}_20200730.xml")
    late = write(_fgdc(SINGLE.format(20200415)), f"{CHIP}_20201202.xml")
    lacking = write(_fgdc(""), f"{CHIP}_20210101.xml")
    assert metadata_beside([raster])[raster] == [early, late, lacking]
    differ = acquired(raster, [early, late])
    assert differ.day == date(2020, 4, 15)
    assert [("say different days" in notice) for notice in differ.notices] == [True]
    one_lacks = acquired(raster, [late, lacking])
    assert one_lacks.day == date(2020, 4, 15)
    assert [("lacks the day" in notice) for notice in one_lacks.notices] == [True]


def test_nothing_says_a_day(write: Write, tmp_path: Path) -> None:
    raster = tmp_path / "a.tif"
    assert acquired(raster, []).day is None
    assert acquired(raster, [], in_file=date(2021, 1, 1)).day == date(2021, 1, 1)
    assert "The day stays unknown" in acquired(raster, [write(_fgdc(""))]).notices[0]
    assert "2021-01-01 of the file's own tags" in acquired(raster, [write("")], date(2021, 1, 1)).notices[0]


def test_which_file_belongs_to_which(tmp_path: Path) -> None:
    for name in ("a.xml", "a.tif.aux.xml", "a_2.tif.xml", f"{CHIP}.xml", "m_3211605_nw_11_060_20200415.xml", "B.XML"):
        (tmp_path / name).write_text("")
    names = ["a.tif", "a_2.tif", "B.jp2", "c.tif", f"{CHIP}_20200730.tif", f"{CHIP}_subset.tif"]
    found = metadata_beside([tmp_path / name for name in names])
    assert {raster.name: [file.name for file in files] for raster, files in found.items()} == {
        "a.tif": ["a.xml"],
        "a_2.tif": ["a_2.tif.xml"],
        "B.jp2": ["B.XML"],
        "c.tif": [],
        f"{CHIP}_20200730.tif": [f"{CHIP}.xml"],
        f"{CHIP}_subset.tif": [f"{CHIP}.xml"],
    }


def test_names() -> None:
    names = (
        f"{CHIP}.tif",
        "m_4208701_ne_16_.6_20191115_20200109.tif",
        "m_4208701_ne_16_1_20191341.tif",
        "a_20200101.tif",
    )
    assert [day_in_name(Path(name)) for name in names] == [date(2020, 4, 15), date(2019, 11, 15), None, None]


def test_scenes_know_and_say_it(write: Write, tmp_path: Path) -> None:
    for row in range(FEW + 3):
        name = f"m_32116{row:02d}_ne_11_060_20200415"
        where = from_origin(500_000, 3_600_000, 0.6, 0.6)
        shape = {"width": 8, "height": 8, "count": 3, "dtype": "uint8"}
        with rasterio.open(
            tmp_path / f"{name}.tif", "w", driver="GTiff", crs="EPSG:26911", transform=where, **shape
        ) as target:
            target.update_tags(TIFFTAG_DATETIME="0000:00:00 00:00:00")
        write(_fgdc(SINGLE.format(20200411)) if row else _fgdc(""), f"{name}_20200730.xml")
    imagery = LocalImagery(kind="local", path=tmp_path)
    scenes = imagery.scenes()
    assert [scene.acquired for scene in scenes] == [date(2020, 4, 15)] + [date(2020, 4, 11)] * (FEW + 2)
    first, second, *_, last = imagery.notices(scenes)
    assert "lacks the day of its content" in first
    assert "The metadata are believed" in second
    assert last == "So it is with the metadata of 3 more."
    assert imagery.notices(scenes[:1]) == [first]
    told = LocalImagery(kind="local", path=tmp_path, acquired=date(2019, 1, 1))
    assert {scene.acquired for scene in told.scenes()} == {date(2019, 1, 1)}
    assert told.notices(scenes) == []


def test_naip_as_it_is_delivered(shared_data: Path) -> None:
    naip = shared_data / "naip"
    imagery = LocalImagery(kind="local", path=naip / "m_*.tif")
    scenes = imagery.scenes()
    metadata = metadata_beside(Path(scene.path) for scene in scenes)
    assert sorted(len(files) for files in metadata.values()) == [0, 0, 1, 2]
    assert {period(file) for files in metadata.values() for file in files} == {
        (date(2020, 4, 15), date(2020, 4, 15)),  # FGDC
        (date(2020, 9, 2), date(2020, 9, 2)),  # ISO 19115
    }
    assert [scene.acquired for scene in scenes] == [
        date(2020, 4, 15),
        date(2016, 6, 20),
        date(2016, 6, 20),
        date(2020, 9, 2),
    ]
    assert imagery.notices(scenes) == []
