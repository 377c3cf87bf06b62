"""Definitions of tags from the OpenStreetMap wiki, as taginfo publishes them (`taginfo-wiki.db`, SQLite)."""

import sqlite3
from pathlib import Path
from typing import Final, Self

from annotation.errors import AnnotationError

_NEEDED: Final = frozenset({"lang", "key", "value", "description"})

_QUERY: Final = """
    SELECT description FROM wikipages
    WHERE key = ? AND coalesce(value, '') = ? AND coalesce(trim(description), '') <> ''
    ORDER BY lang <> 'en', lang
    LIMIT 1
"""


class TagWiki:
    """A wiki database, opened read-only; usable in a `with` statement."""

    def __init__(self, path: Path) -> None:
        """Open the database.

        Args:
            path: The unpacked SQLite file, with a table `wikipages` of `lang`, `key`, `value`, `description`.

        Raises:
            AnnotationError: The file is missing or holds no such table.
        """
        self.path = path
        if not path.is_file():
            raise AnnotationError(
                f"There is no tag wiki at {path}; download taginfo-wiki.db from taginfo and unpack it there, or leave "
                "tag_wiki out of the configuration."
            )
        self._database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            columns = {str(row[1]) for row in self._database.execute("PRAGMA table_info(wikipages)")}
        except sqlite3.DatabaseError as error:
            self.close()
            raise AnnotationError(
                f"{path} is no SQLite database ({error}); unpack taginfo-wiki.db.bz2 first."
            ) from error
        if not columns >= _NEEDED:
            self.close()
            missing = ", ".join(sorted(_NEEDED - columns)) if columns else "the whole table"
            raise AnnotationError(
                f"{path} has no usable table wikipages (missing: {missing}); use taginfo-wiki.db, not another of "
                "taginfo's databases."
            )

    def definition(self, key: str, value: str) -> str | None:
        """Look a tag up: the page of the tag, else the page of its key; English if there is any.

        Only exact keys and values count: `highway` never answers for `highway:note`.
        """
        return self._page(key, value) or self._page(key, "")

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _page(self, key: str, value: str) -> str | None:
        found = self._database.execute(_QUERY, (key, value)).fetchone()
        return str(found[0]).strip() if found else None
