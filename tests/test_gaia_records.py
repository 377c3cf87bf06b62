"""GAIA's JSON and its pictures: whole, huge, broken and hostile."""

import io
import json
import tarfile
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from download.errors import DownloadError, MissingError
from download.patience import Patience
from download.records import gaia, pictures
from download.records.gaia import Record, items
from download.records.pictures import TarPictures, WebPictures, fitted
from tests.gaia_made import made, picture, serve, write
from tests.stand_in import Answer, Faults, StandIn

URL = "https://example.org"
QUICK = WebPictures(patience=Patience(tries=3, first_wait_s=0.01, longest_wait_s=0.02, timeout_s=5))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPTELLER_CACHE", str(tmp_path / "cache"))


def records(path: Path) -> list[Record]:
    return [item.record for item in items(path) if item.record]


def problems(path: Path) -> Counter[str]:
    return Counter(item.problem for item in items(path) if item.problem)


def test_a_published_record_is_read_field_by_field(tmp_path: Path) -> None:
    (record,) = records(write(tmp_path / "one.json", [made(1, URL, location="Etna, Italy", lat="37.7", lon=15)]))
    assert (record.id, record.url, record.location) == ("gaia-1", f"{URL}/1.jpg", "Etna, Italy")
    assert (record.lat, record.lon, record.misplaced) == (37.7, 15.0, False)
    assert (record.satellite, record.sensor, record.modalities) == (("Terra",), ("MODIS",), ("Optical",))


LAYOUTS: dict[str, Callable[[Any], str]] = {
    "array": json.dumps,
    "indented": lambda raws: "\n" + json.dumps(raws, indent=2, ensure_ascii=False) + "\n\n",
    "with a mark": lambda raws: "\ufeff" + json.dumps(raws, ensure_ascii=False),
    "lines": lambda raws: "\n".join(json.dumps(raw, ensure_ascii=False) for raw in raws),
    "lines of Windows": lambda raws: "\r\n\r\n".join(json.dumps(raw) for raw in raws) + "\r\n",
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("piece", [37, 1 << 22])
def test_any_layout_and_any_stretch_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str, piece: int
) -> None:
    monkeypatch.setattr(gaia, "PIECE", piece)
    path = tmp_path / "records.json"
    raws = [made(number, URL, credits='Zoë, 東京 \\ "]}') for number in range(25)]
    path.write_bytes(LAYOUTS[layout](raws).encode())
    whole = list(items(path))
    assert [item.record for item in whole] == [Record.of(raw) for raw in raws]
    for first, last in ((0, 0), (0, 24), (3, 3), (5, 17), (24, 24)):
        assert list(items(path, whole[first].start, whole[last].stop)) == whole[first : last + 1]


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))
@settings(max_examples=100, deadline=None)
def test_any_value_in_any_field_is_read_or_refused(value: Any) -> None:
    for field in made(1, URL):
        try:
            record = Record.of(made(1, URL) | {field: value})
        except ValueError as error:
            assert str(error) in ("no id", "no picture address")  # noqa: PT017 - either may come
            continue
        assert record.lat is None or abs(record.lat) <= 90
        assert (record.lat is None) == (record.lon is None)
        assert not any("\n" in text for text in (record.alt, record.id, *record.captions, *record.tag))
        json.dumps(record.alt).encode()


@pytest.mark.parametrize(
    ("changes", "place", "misplaced"),
    [
        ({"lat": 90.5}, (None, None), True), ({"lon": -180.01}, (None, None), True),
        ({"lat": None}, (None, None), True), ({"lat": "north"}, (None, None), True),
        ({"lat": float("nan")}, (None, None), True),
        ({"lat": None, "lon": None}, (None, None), False), ({"lat": -90, "lon": 180}, (-90.0, 180.0), False),
    ],
)  # fmt: skip
def test_coordinates_beyond_the_earth_are_none(changes: dict[str, Any], place: Any, *, misplaced: bool) -> None:
    record = Record.of(made(1, URL, **changes))
    assert (record.lat, record.lon) == place
    assert record.misplaced == misplaced


def test_broken_records_are_counted_and_cost_nobody_else(tmp_path: Path) -> None:
    good = json.dumps(made(1, URL)).encode()
    bad = [
        b'{"id": "2", "image_src": "https://x.org", "image_alt": "\xff\xfe"}',
        b'{"image_src": "https://x.org"}',
        b'{"id": "3"}',
        b'{"id": "4", "image_src": "file:///etc/passwd"}', b'{"id": "5", "image_src": "http://[::1"}',
        b"[]", b"12", b"null", b'"text"',
    ]  # fmt: skip
    path = tmp_path / "records.json"
    path.write_bytes(b"[" + b",\n".join([good, *bad, good]) + b"]")
    expected = {"invalid UTF-8": 1, "no id": 1, "no picture address": 3, "no object": 4}
    assert len(records(path)) == 2
    assert problems(path) == expected
    path.write_bytes(b"\n".join([good, *bad, b'{"id": ', b"}{", good]))
    assert len(records(path)) == 2
    assert problems(path) == {**expected, "broken JSON": 2}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'[{"id": "1"}, {"id": "2"', "cut off"), (b'[{"id": "1"}', "cut off"),
        (b'[{"id": "1"}, {"id": "tw', "cut off"),
        (b"[", "cut off"), (b'[{"id": "1"}, {"id" "2"}, {"id": "3"}]', "broken JSON.*delimiter"),
        (b"<html></html>", "no JSON"), (b"", "no JSON"), (b"[" + b'{"a":' * 200_000, "without end"),
    ],
)  # fmt: skip
def test_broken_files_say_where(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(DownloadError, match=message):
        list(items(path))


def test_captions_with_line_breaks_become_lines(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    raw = made(1, URL, captions=["one\ntwo\r\n\u2028three", "\t"], image_alt=' a "quoted"\n text ')
    path.write_text(json.dumps([raw]).replace("\\n", "\n"), encoding="utf-8")  # raw line breaks within strings
    (record,) = records(path)
    assert record.captions == ("one two three",)
    assert record.alt == 'a "quoted" text'


@pytest.mark.parametrize("lines", [True, False])
def test_memory_stays_flat_however_long_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, lines: bool
) -> None:
    path, count = tmp_path / "long.json", 8_000
    monkeypatch.setattr(gaia, "PIECE", 1 << 18)
    text = json.dumps(made(1, URL, image_alt="x" * 1_000))
    with path.open("w", encoding="utf-8") as file:
        file.write("" if lines else "[")
        for number in range(count):
            file.write(f"{'' if lines or not number else ','}{text}\n")
        file.write("" if lines else "]")
    assert path.stat().st_size > 10_000_000
    tracemalloc.start()
    found = sum(1 for item in items(path) if item.record)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == count
    assert peak < 4_000_000


def test_a_record_without_end_is_not_read_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaia, "LONGEST", 50_000)
    monkeypatch.setattr(gaia, "PIECE", 10_000)
    path = tmp_path / "r.json"
    path.write_text(f'[{{"id": "{"x" * 500_000}"}}]', encoding="utf-8")
    with pytest.raises(DownloadError, match="more than 50,000 bytes"):
        list(items(path))
    path.write_text(f'{{"id": "{"x" * 500_000}"}}\n{json.dumps(made(1, URL))}\n', encoding="utf-8")
    assert [item.problem for item in items(path)] == ["broken JSON", ""]


def file_of(mode: str, size: tuple[int, int], kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, kind)
    return buffer.getvalue()


def test_pictures_are_known_by_their_content_and_kept() -> None:
    with StandIn(serve()) as server:
        first = QUICK.get(f"{server.url}/3.jpg")
        assert QUICK.get(f"{server.url}/3.jpg") == first == picture(3)
        assert len(server.asked) == 1


BAD = {
    "page": (Answer(200, b"<!doctype html><p>gone", {"Content-Type": "image/jpeg"}), "HTML|web page"),
    "page without a word": (Answer(200, b"   <html>moved", {"Content-Type": "image/png"}), "HTML|web page"),
    "empty": (Answer(200, b""), "no whole picture"),
    "half": (Answer(200, picture(1, 300)[:1_500]), "no whole picture"),
    "svg": (Answer(200, b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "no whole picture"),
    "pdf": (Answer(200, b"%PDF-1.7 " + b"x" * 999), "no whole picture"),
    "too long": (Answer(200, b"x" * 200_000), "most_bytes"),
    "many pixels": (Answer(200, file_of("1", (9_000, 9_000), "PNG")), "too large"),
    "bomb": (Answer(200, file_of("1", (20_000, 20_000), "PNG")), "attack|too large"),
    "forbidden": (Answer(403), "refused"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_picture_is_refused(name: str) -> None:
    bad, message = BAD[name]
    with StandIn(lambda _: bad) as server, pytest.raises(DownloadError, match=message):
        WebPictures(patience=QUICK.patience, most_bytes=100_000).get(f"{server.url}/1.jpg?token=secret")


def test_several_are_fetched_together_and_dead_ones_named() -> None:
    with StandIn(serve({2: "gone", 5: "page"})) as server:
        urls = [f"{server.url}/{number}.jpg" for number in range(8)]
        found = QUICK.get_all([*urls, "http://127.0.0.1:9/x.jpg", "http://[::1"], len)
    dead = [place for place, one in enumerate(found) if isinstance(one, DownloadError)]
    assert dead == [2, 5, 8, 9]
    assert isinstance(found[2], MissingError)


def test_faults_on_the_way_change_nothing() -> None:
    patience = Patience(tries=8, first_wait_s=0.01, longest_wait_s=0.02, timeout_s=0.5)
    with StandIn(serve(), Faults(0.4, seed=3)) as server:
        found = WebPictures(patience=patience).get_all([f"{server.url}/{number}.jpg" for number in range(12)], bytes)
        assert sum(server.failed.values()) > 2
    assert found == [picture(number) for number in range(12)]


@pytest.mark.parametrize(
    ("mode", "size", "kind", "expected"),
    [
        ("RGB", (1_000, 700), "JPEG", (731, 512)), ("P", (700, 1_000), "GIF", (512, 731)),
        ("L", (100, 80), "PNG", (100, 80)),
        ("RGBA", (2_000, 600), "WEBP", (1_707, 512)),
        ("I;16", (600, 600), "TIFF", (512, 512)), ("CMYK", (512, 512), "JPEG", (512, 512)),
    ],
)  # fmt: skip
def test_pictures_are_fitted(mode: str, size: tuple[int, int], kind: str, expected: tuple[int, int]) -> None:
    image = Image.open(io.BytesIO(fitted(file_of(mode, size, kind), 512)))
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", expected)


def tar_of(path: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def test_pictures_out_of_what_img2dataset_left(tmp_path: Path) -> None:
    said = {number: json.dumps({"url": f"{URL}/{number}.jpg", "key": f"{number:09d}"}).encode() for number in range(3)}
    tar_of(
        tmp_path / "00000.tar",
        {"000000000.jpg": picture(0), "000000000.json": said[0], "000000000.txt": b"a", "000000001.json": said[1],
         "000000002.jpg": b"<html>", "000000002.json": said[2]},
    )  # fmt: skip
    found = TarPictures(kind="img2dataset", path=tmp_path)
    found.check()
    assert found.get(f"{URL}/0.jpg") == picture(0)
    with pytest.raises(MissingError, match="could not fetch"):
        found.get(f"{URL}/1.jpg")
    with pytest.raises(DownloadError, match=r"00000\.tar"):
        found.get(f"{URL}/2.jpg")


def test_cut_off_tar_files_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    folder.mkdir()
    with pytest.raises(DownloadError, match="no tar file"):
        TarPictures(kind="img2dataset", path=folder).check()
    tar_of(folder / "00000.tar", {"0.jpg": picture(0, 400), "0.json": b"{}"})
    content = (folder / "00000.tar").read_bytes()
    (folder / "00000.tar").write_bytes(content[:3_000])
    with pytest.raises(DownloadError, match=r"00000\.tar"):
        TarPictures(kind="img2dataset", path=folder).get(f"{URL}/0.jpg")
    assert (Image.MAX_IMAGE_PIXELS or 0) > pictures.PIXELS
