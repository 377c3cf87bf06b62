"""Definitions from a taginfo wiki database made on the spot."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotation.errors import AnnotationError
from annotation.tagging.wiki import TagWiki

PAGES = [
    ("de", "highway", "residential", "Straße in einem Wohngebiet"),
    ("en", "highway", "residential", " Road in a residential area "),
    ("fr", "highway", "track", "Chemin"),
    ("de", "highway", "track", "Feldweg"),
    ("en", "highway", None, "Any kind of road"),
    ("en", "surface", "", "What the surface is made of"),
    ("en", "natural", "wood", ""),
    ("de", "natural", "wood", "Wald"),
    ("en", "highway:note", "x", "Something else"),
    ("en", "high", None, "A shorter key"),
]


def database(path: Path, pages: list[tuple[str, str, str | None, str]]) -> Path:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE wikipages (lang, tag, key, value, title, description)")
    connection.executemany("INSERT INTO wikipages (lang, key, value, description) VALUES (?, ?, ?, ?)", pages)
    connection.commit()
    connection.close()
    return path


@pytest.fixture
def wiki(tmp_path: Path) -> Iterator[TagWiki]:
    with TagWiki(database(tmp_path / "taginfo-wiki.db", PAGES)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("highway", "residential", "Road in a residential area"),
        ("highway", "track", "Feldweg"),
        ("highway", "unheard_of", "Any kind of road"),
        ("surface", "asphalt", "What the surface is made of"),
        ("natural", "wood", "Wald"),
        ("natural", "water", None),
        ("highway:n", "x", None),
        ("highwa", "residential", None),
        ("highway", "resident", "Any kind of road"),
    ],
)
def test_exact_page_then_key_page_english_first(wiki: TagWiki, key: str, value: str, expected: str | None) -> None:
    assert wiki.definition(key, value) == expected


def test_database_is_not_written_to(wiki: TagWiki) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        wiki._database.execute("DELETE FROM wikipages")


def test_odd_characters_in_the_path(tmp_path: Path) -> None:
    folder = tmp_path / "a b?c#d"
    folder.mkdir()
    with TagWiki(database(folder / "wiki 100%.db", PAGES)) as opened:
        assert opened.definition("surface", "") == "What the surface is made of"


def test_missing_file_says_how_to_mend(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="leave tag_wiki out"):
        TagWiki(tmp_path / "none.db")


def test_other_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "taginfo-wiki.db.bz2"
    path.write_bytes(b"BZh91AY&SY" + b"\x17" * 4096)
    with pytest.raises(AnnotationError, match="unpack"):
        TagWiki(path)


def test_other_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "taginfo-db.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE tags (key, value)")
    connection.commit()
    connection.close()
    with pytest.raises(AnnotationError, match="no usable table wikipages"):
        TagWiki(path)
