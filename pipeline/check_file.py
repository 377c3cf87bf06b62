"""Captions of any origin, a line of JSON each, held against the facts they were made from."""

import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from pydantic import ValidationError

from annotation.checks.checks import Checks, Verdict
from annotation.request import ElementFacts, Request
from pipeline.config import ConfigError, override
from pipeline.errors import PipelineError

GZIP = b"\x1f\x8b"


class UnreadableLineError(PipelineError):
    """A line holds no caption."""


def checks_of(settings: Sequence[str]) -> Checks:
    """The default checks with `key=value` settings laid over them.

    Raises:
        ConfigError: there is no such check, or no such value.
    """
    try:
        return Checks.model_validate(override({}, settings))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise ConfigError(f"--set {key}: {first['msg']}. There are {', '.join(Checks.model_fields)}.") from error


def check_file(file: Path, checks: Checks, out: TextIO, errors: TextIO) -> bool:
    """Checks a file line by line; blank lines are passed over.

    Args:
        file: lines `{"id", "task", "text", "elements": [{"id", "kind", "tags", "facts"}]}`, plain or gzip; `-` is
            stdin. `gsd` (metres per pixel) and `place` (names around the picture) may be there as well. Without facts
            only hygiene is checked.
        checks: how strict.
        out: gets a line `{"id", "accepted", "reasons", "claims"}` for each; one that cannot be read is refused with
            the reason `unreadable: …`.
        errors: gets the numbers of those lines, with what is wrong.

    Returns:
        Whether every line could be read.

    Raises:
        PipelineError: the file cannot be opened, or is cut off.
    """
    readable = True
    for number, line in _lines(file):
        said = _object(line)
        try:
            verdict = checks.judge(*_asked(said))
        except UnreadableLineError as error:
            readable, verdict = False, Verdict((f"unreadable: {error}",))
            errors.write(f"{file}, line {number}: {error}\n")
        out.write(json.dumps(_answer(said, verdict)) + "\n")
        out.flush()
    return readable


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """Numbers and content of lines that hold anything."""
    try:
        with _opened(file) as lines:
            for number, line in enumerate(lines, 1):
                stripped = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if stripped.strip():
                    yield number, stripped
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise PipelineError(f"{file} is no whole gzip file: {error}. What came before was checked.") from error
    except OSError as error:
        raise PipelineError(f"{file} cannot be read: {error.strerror}.") from error


@contextmanager
def _opened(file: Path) -> Iterator[Iterable[bytes]]:
    source = sys.stdin.fileno() if str(file) == "-" else file
    with io.FileIO(source) as bare, io.BufferedReader(bare) as raw:
        if raw.peek(len(GZIP)).startswith(GZIP):
            with gzip.open(raw) as unpacked:
                yield unpacked
        else:
            yield raw


def _object(line: bytes) -> Mapping[str, Any] | str:
    """The object of a line, or what is wrong with it."""
    try:
        said = json.loads(line.decode())
    except UnicodeDecodeError as error:
        return f"no UTF-8 at byte {error.start + 1}"
    except json.JSONDecodeError as error:
        return f"no JSON at character {error.pos + 1}: {error.msg}"
    except (ValueError, RecursionError) as error:
        return f"no JSON that can be read: {error}"
    return said if isinstance(said, dict) else "not an object"


def _asked(said: Mapping[str, Any] | str) -> tuple[Request, str]:
    """The caption, and a request that it might be the answer to."""
    if isinstance(said, str):
        raise UnreadableLineError(said)
    text, elements = said.get("text"), said.get("elements")
    if not isinstance(text, str):
        raise UnreadableLineError("`text` is missing" if text is None else "`text` is no text")
    if not isinstance(elements, list | None):
        raise UnreadableLineError("`elements` is no list")
    told = tuple(_element(number, element) for number, element in enumerate(elements or ()))
    place = said.get("place")
    names = tuple(name for name in place if isinstance(name, str)) if isinstance(place, list) else ()
    task = said.get("task")
    return Request("", task if isinstance(task, str) else "", (), told, _gsd(said.get("gsd")), 0, "", place=names), text


def _element(number: int, given: Any) -> ElementFacts:
    if not isinstance(given, dict):
        raise UnreadableLineError(f"`elements[{number}]` is no object")
    tags, facts = (given.get(name) or {} for name in ("tags", "facts"))
    for name, content in (("tags", tags), ("facts", facts)):
        if not isinstance(content, dict):
            raise UnreadableLineError(f"`elements[{number}].{name}` is no object")
    written = {key: str(value) for key, value in tags.items() if isinstance(value, str | int | float)}
    known = {key: value for key, value in facts.items() if key != "name" or isinstance(value, str)}
    return ElementFacts(str(given.get("id", number)), str(given.get("kind", "")), written, known)


def _gsd(given: Any) -> float:
    """Metres per pixel; 0 if unknown."""
    return float(given) if isinstance(given, int | float) and 0 < given < 1e6 else 0.0


def _answer(said: Mapping[str, Any] | str, verdict: Verdict) -> dict[str, Any]:
    key = None if isinstance(said, str) else said.get("id")
    return {
        "id": key if isinstance(key, str | int) else None,
        "accepted": not verdict.reasons,
        "reasons": list(verdict.reasons),
        "claims": [asdict(claim) for claim in verdict.claims],
    }
