"""States cut out of histories: against a plain loop over a real one, and by hand over small ones."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import osmium
import pytest

from download.errors import DownloadError
from download.osm import history, osm_header
from download.osm.extract import OsmExtract
from download.osm.history import snapshot
from download.osm.raw import ORIGINS, Tally

LETTERS: Final = dict(zip(ORIGINS, "nwr", strict=True))


def node(number: int, version: int, year: int, lon: float | None = 1.5, tags: str = "") -> str:
    """A version of a node as a line of OPL; without a place it is a deletion."""
    if lon is None:
        return f"n{number} v{version} dD c7 t{year}-06-15T12:00:00Z i5 uAna T x y"
    return f"n{number} v{version} dV c7 t{year}-06-15T12:00:00Z i5 uAna T{tags} x{lon} y42.5"


def way(number: int, version: int, year: int, nodes: str, tags: str) -> str:
    return f"w{number} v{version} dV c8 t{year}-06-15T12:00:00Z i5 uAna T{tags} N{nodes}"


def write_history(path: Path, lines: Iterable[str], *, with_history: bool = True) -> Path:
    """A PBF file of lines of OPL."""
    file = osmium.io.File(str(path), "osh.pbf" if with_history else "pbf")
    buffer = osmium.io.FileBuffer(("\n".join(lines) + "\n").encode(), "opl")
    with osmium.SimpleWriter(file, overwrite=True) as writer, osmium.io.Reader(buffer) as reader:
        osmium.apply(reader, writer)
    return path


def day(year: int, month: int = 1, number: int = 1) -> datetime:
    return datetime(year, month, number, tzinfo=UTC)


def opl(path: Path) -> list[str]:
    """The elements of a file as lines of OPL."""
    lines = path.with_suffix(".opl")
    with osmium.SimpleWriter(str(lines), overwrite=True) as writer, osmium.io.Reader(str(path)) as reader:
        osmium.apply(reader, writer)
    return lines.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def andorra(shared_data: Path) -> Path:
    return shared_data / "osm" / "andorra.osh.pbf"


@pytest.fixture(scope="module")
def versions(andorra: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, datetime, bool, str]]:
    """Element, time, visibility and line of OPL of every version in Andorra, one by one."""
    lines = tmp_path_factory.mktemp("opl") / "andorra.opl"
    with osmium.SimpleWriter(str(lines), overwrite=True) as writer, osmium.io.Reader(str(andorra)) as reader:
        osmium.apply(reader, writer)
    with lines.open(encoding="utf-8") as content:
        elements: Iterable[Any] = osmium.FileProcessor(andorra)
        return [
            ((each.type_str(), each.id), each.timestamp, each.visible, line.rstrip("\n"))
            for each, line in zip(elements, content, strict=True)
        ]


@pytest.mark.parametrize("moment", [day(2008), day(2013, 5, 1), datetime(2016, 11, 28, 8, 34, tzinfo=UTC)])
def test_a_country_agrees_with_a_plain_loop(
    andorra: Path, versions: list[tuple[Any, datetime, bool, str]], tmp_path: Path, moment: datetime
) -> None:
    last: dict[Any, tuple[bool, str] | None] = {}
    first_line: dict[Any, str] = {}
    for element, edited, visible, line in versions:
        last.setdefault(element, None)
        first_line.setdefault(element, line)
        if edited <= moment:
            last[element] = (visible, line)
    stood = {element: known[1] for element, known in last.items() if known and known[0]}
    later = [element for element, known in last.items() if known is None]

    counts = snapshot(andorra, moment, tmp_path / "snapshot.osm.pbf")

    assert opl(tmp_path / "snapshot.osm.pbf") == list(stood.values())
    kinds = Counter(letter for letter, _ in stood)
    assert counts.kept == {word: kinds[letter] for word, letter in LETTERS.items()}
    assert counts.later == len(later)
    assert counts.later_tagged == sum(" T " not in first_line[element] for element in later)
    assert counts.deleted == len(last) - len(stood) - len(later)
    assert counts.first_edit == min(edited for _, edited, _, _ in versions)
    assert counts.last_edit == max(edited for _, edited, _, _ in versions)


def test_a_snapshot_is_an_ordinary_extract(andorra: Path, tmp_path: Path) -> None:
    target = tmp_path / "new folder" / "snapshot.osm.pbf"
    snapshot(andorra, day(2013, 5, 1), target)
    extract = OsmExtract(path=target)
    extract.check()
    with osmium.io.Reader(str(andorra)) as reader:
        box = reader.header().box()
    assert extract.bounds() == (box.bottom_left.lon, box.bottom_left.lat, box.top_right.lon, box.top_right.lat)
    tally = Tally()
    read = sum(len(batch) for batch in extract.read({"highway", "building"}, tmp_path, tally))
    assert read > 3000
    assert sum(tally.left_out.values()) < tally.read
    assert sorted(target.parent.iterdir()) == [target]


def test_how_much_is_read_at_a_time_changes_nothing(
    andorra: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = snapshot(andorra, day(2013, 5, 1), tmp_path / "usual.osm.pbf")
    again = snapshot(andorra, day(2013, 5, 1), tmp_path / "again.osm.pbf")
    monkeypatch.setattr(history, "PIECE", 1)
    pieces = snapshot(andorra, day(2013, 5, 1), tmp_path / "pieces.osm.pbf")
    assert usual == again == pieces
    contents = {(tmp_path / f"{name}.osm.pbf").read_bytes() for name in ("usual", "again", "pieces")}
    assert len(contents) == 1


SMALL: Final = (
    node(1, 1, 2010),
    node(1, 2, 2012, lon=1.6),  # moved
    node(2, 1, 2010),
    node(2, 2, 2011, lon=None),  # deleted
    node(2, 3, 2013, lon=1.7),  # and made again
    node(3, 1, 2014, tags="natural=tree"),
    node(4, 1, 2014),
    way(1, 1, 2010, "n1,n2", "highway=track,name=Camí%20%vell"),
    way(1, 2, 2015, "n1,n2,n4", "highway=service"),  # edited later
)


@pytest.mark.parametrize(
    ("year", "rows", "deleted", "later", "later_tagged"),
    [
        (2011, [0, 2, 7], 0, 2, 1),
        (2012, [0, 7], 1, 2, 1),
        (2013, [1, 7], 1, 2, 1),
        (2014, [1, 4, 7], 0, 2, 1),
        (2015, [1, 4, 5, 6, 7], 0, 0, 0),
        (2016, [1, 4, 5, 6, 8], 0, 0, 0),
    ],
)
def test_small_history(tmp_path: Path, year: int, rows: list[int], deleted: int, later: int, later_tagged: int) -> None:
    path = write_history(tmp_path / "small.osh.pbf", SMALL)
    counts = snapshot(path, day(year), tmp_path / "small.osm.pbf")
    assert opl(tmp_path / "small.osm.pbf") == [SMALL[row] for row in rows]
    assert (counts.deleted, counts.later, counts.later_tagged) == (deleted, later, later_tagged)
    assert sum(counts.kept.values()) == len(rows)


def test_the_second_of_an_edit_counts(tmp_path: Path) -> None:
    path = write_history(tmp_path / "small.osh.pbf", SMALL)
    edit = datetime(2012, 6, 15, 14, tzinfo=timezone(timedelta(hours=2)))
    snapshot(path, edit, tmp_path / "at.osm.pbf")
    snapshot(path, edit - timedelta(seconds=1), tmp_path / "before.osm.pbf")
    assert opl(tmp_path / "at.osm.pbf")[0] == SMALL[1]
    assert opl(tmp_path / "before.osm.pbf")[0] == SMALL[0]


def test_versions_out_of_time(tmp_path: Path) -> None:
    lines = [node(1, 1, 2012), node(1, 2, 2010, lon=1.6), node(1, 3, 2014, lon=1.7)]
    path = write_history(tmp_path / "odd.osh.pbf", lines)
    snapshot(path, day(2011), tmp_path / "early.osm.pbf")
    snapshot(path, day(2013), tmp_path / "late.osm.pbf")
    assert opl(tmp_path / "early.osm.pbf") == opl(tmp_path / "late.osm.pbf") == [lines[1]]


def test_odd_characters_survive(tmp_path: Path) -> None:
    lines = [node(1, 1, 2010, tags="name=a%20%T%20%b%2c%c%3d%d%0a%e%25%,note=日本 %1f600%".replace("本 ", "本%20%"))]
    path = write_history(tmp_path / "odd.osh.pbf", lines)
    snapshot(path, day(2011), tmp_path / "odd.osm.pbf")
    tags = [dict(each.tags) for each in osmium.FileProcessor(tmp_path / "odd.osm.pbf")]
    assert tags == [{"name": "a T b,c=d\ne%", "note": "日本 😀"}]


def test_refusals(shared_data: Path, andorra: Path, tmp_path: Path) -> None:
    whole = andorra.read_bytes()
    (tmp_path / "cut.osh.pbf").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "damaged.osh.pbf").write_bytes(whole[:500_000] + bytes(50) + whole[500_050:])
    (tmp_path / "noise.osh.pbf").write_bytes(b"no history at all" * 99)
    (tmp_path / "history.osh").write_text('<osm version="0.6"/>', encoding="utf-8")
    write_history(tmp_path / "plain.osh.pbf", SMALL, with_history=False)
    write_history(tmp_path / "ids.osh.pbf", [SMALL[2], SMALL[0]])
    write_history(tmp_path / "types.osh.pbf", [SMALL[7], SMALL[0]])
    write_history(tmp_path / "versions.osh.pbf", [SMALL[1], SMALL[0]])
    write_history(tmp_path / "twice.osh.pbf", [SMALL[0], SMALL[0]])
    write_history(tmp_path / "untimed.osh.pbf", ["n1 v1 dV c1 t i0 u T x1.5 y42.5"])
    write_history(tmp_path / "unversioned.osh.pbf", ["n1 v0 dV c1 t2010-06-15T12:00:00Z i0 u T x1.5 y42.5"])
    write_history(tmp_path / "deleted.osh.pbf", [node(1, 1, 2008), node(1, 2, 2009, lon=None)])
    write_history(tmp_path / "young.osh.pbf", [node(1, 1, 2015)])
    (tmp_path / "empty.osh.pbf").write_bytes(whole[: next(osm_header.blob_ends(andorra))])
    complaints = {
        "nowhere.osh.pbf": "no history file at",
        "history.osh": "osmium cat",
        "cut.osh.pbf": "cut short",
        "damaged.osh.pbf": "damaged",
        "noise.osh.pbf": "damaged",
        "plain.osh.pbf": "is no history",
        "ids.osh.pbf": "version 1 of node 1 is out of order.*osmium sort",
        "types.osh.pbf": "version 1 of node 1 is out of order",
        "versions.osh.pbf": "version 1 of node 1 is out of order",
        "twice.osh.pbf": "version 1 of node 1 is out of order",
        "untimed.osh.pbf": "without a version or a time",
        "unversioned.osh.pbf": "without a version or a time",
        "deleted.osh.pbf": "2008-06-15 to 2009-06-15",
        "young.osh.pbf": "stood at 2013-01-01",
        "empty.osh.pbf": "holds no elements",
    }
    target = tmp_path / "out" / "snapshot.osm.pbf"
    for name, complaint in complaints.items():
        with pytest.raises(DownloadError, match=complaint) as refusal:
            snapshot(tmp_path / name, day(2013), target)
        assert str(tmp_path / name) in str(refusal.value)
        assert not target.parent.exists() or not list(target.parent.iterdir())
    with pytest.raises(DownloadError, match="is no history"):
        snapshot(shared_data / "osm" / "liechtenstein.osm.pbf", day(2013), target)
    with pytest.raises(ValueError, match="time zone"):
        snapshot(andorra, day(2013).replace(tzinfo=None), target)


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "snapshot.osm.pbf"
    snapshot(write_history(tmp_path / "good.osh.pbf", SMALL), day(2013), target)
    before = target.read_bytes()
    with pytest.raises(DownloadError):
        snapshot(write_history(tmp_path / "bad.osh.pbf", [*SMALL, SMALL[0]]), day(2013), target)
    assert target.read_bytes() == before


def test_a_history_is_no_plain_extract(andorra: Path) -> None:
    with pytest.raises(DownloadError, match=r"samples\.as_of: picture"):
        OsmExtract(path=andorra).check()
