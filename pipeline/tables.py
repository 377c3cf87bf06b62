"""What every process needs of tables and templates, read once in each."""

from functools import lru_cache
from hashlib import blake2b, file_digest
from pathlib import Path

from annotation.prompts import Prompts
from annotation.tagging.wiki import TagWiki
from annotation.tags import TagTable


@lru_cache(maxsize=4)
def tag_table(overlay: Path | None) -> TagTable:
    """The tag table."""
    return TagTable.load(overlay)


@lru_cache(maxsize=4)
def tag_wiki(path: Path | None) -> TagWiki | None:
    """The wiki's definitions of tags; None where none is configured."""
    return TagWiki(path) if path else None


@lru_cache(maxsize=4)
def prompts(folder: Path | None) -> Prompts:
    """The prompt templates."""
    return Prompts.load(folder)


def wiki_digest(wiki: Path | None) -> str:
    """Of the whole file, after a look whether it can be used."""
    if not tag_wiki(wiki) or not wiki:
        return ""
    with wiki.open("rb") as content:
        return file_digest(content, lambda: blake2b(digest_size=12)).hexdigest()
