"""Text from outside as Markdown that shows it and does nothing else."""

import re
from typing import Any

MARKS = re.compile(r"([\\`*_{}\[\]#+!|~$@])")
HIDDEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def plain(value: Any) -> str:
    """One line of text, free of control and direction characters."""
    return " ".join(HIDDEN.sub(" ", str(value)).split())


def escaped(value: Any) -> str:
    """Text in which Markdown and HTML see nothing to act on (CommonMark 0.31, sections 2.4 and 2.5)."""
    text = plain(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return MARKS.sub(r"\\\1", text)


def code(value: Any) -> str:
    """Text as a code span, also inside a table, whatever backticks it holds."""
    text = plain(value).replace("|", "\\|")
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}"
