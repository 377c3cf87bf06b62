"""What can be learned from an HTTP answer."""

import re
from collections.abc import Mapping
from typing import Any

from download.errors import PassingError

PAGES = ("text/html", "application/xhtml+xml")
SNIFFED = 1024


def not_html(body: bytes, headers: Mapping[str, str]) -> None:
    """A check that every answer of `Web` has to pass.

    Proxies, log-ins and overloaded servers send pages for people with status 200.

    Raises:
        PassingError: the answer is such a page.
    """
    named = headers.get("content-type", "").partition(";")[0].strip().lower() in PAGES
    start = body[:SNIFFED].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if named or (start.startswith(b"<") and (b"<!doctype html" in start or b"<html" in start)):
        raise PassingError("answered with a web page instead of data; it may want a log-in, or be overloaded")


def placed(answer: Any) -> tuple[int, int | None]:
    """Where in the file an answer's body starts, and how long the file is, if that is said."""
    said = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", answer.headers.get("Content-Range", ""))
    if answer.status_code == 206 and said and said[1]:
        return int(said[1]), None if said[2] == "*" else int(said[2])
    if answer.status_code == 416:
        return -1, int(said[2]) if said and said[2] != "*" else None
    return (0, None) if answer.status_code != 206 else (-1, None)


def strong_version(answer: Any) -> str:
    """A strong ETag, by which byte ranges may be joined; empty where there is none."""
    mark: str = answer.headers.get("ETag", "")
    return mark if re.fullmatch(r'"[\x21\x23-\x7e]*"', mark) and "Content-Encoding" not in answer.headers else ""
