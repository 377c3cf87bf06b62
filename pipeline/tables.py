"""What every process needs of tables and templates, read once in each."""

from functools import lru_cache
from hashlib import blake2b, file_digest
from pathlib import Path

from annotation.prompts import Prompts
from annotation.tagging.wiki import TagWiki
from annotation.tags import TagTable
from download.osm.taginfo import wiki_database


@lru_cache(maxsize=4)
def tag_table(overlay: Path | None) -> TagTable:
    """The tag table."""
    return TagTable.load(overlay)


@lru_cache(maxsize=4)
def tag_wiki(where: Path | str | None) -> TagWiki | None:
    """The wiki's definitions of tags, from a file or an address; None where none is configured."""
    return TagWiki(_on_disk(where)) if where else None


@lru_cache(maxsize=4)
def prompts(folder: Path | None) -> Prompts:
    """The prompt templates."""
    return Prompts.load(folder)


def wiki_digest(where: Path | str | None) -> str:
    """Of the whole file, after a look whether it can be used."""
    wiki = tag_wiki(where)
    if not wiki:
        return ""
    with wiki.path.open("rb") as content:
        return file_digest(content, lambda: blake2b(digest_size=12)).hexdigest()


def _on_disk(where: Path | str) -> Path:
    return where if isinstance(where, Path) else wiki_database(where)
