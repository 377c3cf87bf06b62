"""A caption made ready for its checks: what is plain in it, what is a name, its words."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from string import ascii_letters, digits, punctuation

from annotation.request import ElementFacts, Message

NAME_LIMIT = 1_000
"""Characters of a tag's value that are looked at."""
QUOTES = (('"', '"'), ("“", "”"), ("„", "“"), ("«", "»"), ("'", "'"), ("\u2018", "\u2019"))
"""Pairs of quotation marks."""

RUN = 4
"""Words in a row by which texts are compared."""

_BLANKS = str.maketrans({**dict.fromkeys(punctuation.replace("'", "").replace("-", ""), " "),
                         **dict.fromkeys("“”„«»…—\u2013", " ")})  # fmt: skip
_ASCII_BLANKS = bytes(ord(_BLANKS.get(code, chr(code))) for code in range(128)) + bytes(range(128, 256))
_PROSE = f"{ascii_letters} .,;'%-".encode()
_DIGITS = frozenset(digits)
_INNER = re.compile(r"[.,;:!?@][^\W\d_]")
_NAMING = ("name", "ref", "operator", "brand", "network", "addr:", "destination")


def words_of(text: str) -> list[str]:
    """Words in lower case, without punctuation but for apostrophes and hyphens."""
    lower = text.lower()
    if lower.isascii():  # bytes are translated several times faster
        return lower.encode().translate(_ASCII_BLANKS).decode().split()
    return lower.translate(_BLANKS).split()


def runs_of(words: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    """All runs of some words in a row."""
    return zip(*(words[start:] for start in range(length)), strict=False)


def shown(text: str, limit: int = 40) -> str:
    """An excerpt for a reason: short, quoted, nothing invisible."""
    return repr(text if len(text) <= limit else f"{text[: limit - 1]}…")


@lru_cache(maxsize=4096)
def _is_naming(key: str) -> bool:
    """Whether a key of the map holds a name."""
    return any(part in key for part in _NAMING)


@dataclass(slots=True)
class Caption:
    """A text and what is known of it.

    Attributes:
        text: as it came, without blanks around it.
        task: what was asked for.
        elements: what it should be true to.
        messages: the chat that asked for it.
        names: those of the tags that occur in it, the longest first; what could be any word is none.
        odd: its characters beyond ordinary prose.
        digits: whether it has any.
        inner: whether a letter follows a mark without a blank between.
        plain: the text with every name that the tags carry replaced by `Name`, and with straight apostrophes.
        spoken: the same, but names replaced only where they stand in quotation marks.
        words: of `plain`, see `words_of`.
        vocabulary: the same, each once.
        distinct: runs of four words, each once.
    """

    text: str
    task: str
    elements: Sequence[ElementFacts] = ()
    messages: Sequence[Message] = ()
    names: list[str] = field(init=False)
    odd: frozenset[str] = field(init=False)
    digits: bool = field(init=False)
    inner: bool = field(init=False)
    plain: str = field(init=False)
    spoken: str = field(init=False)
    words: list[str] = field(init=False)
    vocabulary: frozenset[str] = field(init=False)
    distinct: frozenset[tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        """Finds names and words."""
        rare = self.text.encode(errors="surrogatepass").translate(None, _PROSE).decode(errors="surrogatepass")
        self.odd, self.digits = frozenset(rare) - _DIGITS, not _DIGITS.isdisjoint(rare)
        self.inner = bool(_INNER.search(self.text))
        self.plain = self.spoken = self.text
        self.names = self._names()
        for name in self.names:
            self.plain = self.plain.replace(name, "Name")
            for marks in QUOTES:
                if marks[0] in self.text:
                    self.spoken = self.spoken.replace(name.join(marks), "Name")
        if not self.text.isascii():
            self.plain, self.spoken = map(_straight, (self.plain, self.spoken))
        self.words = words_of(self.plain)
        self.vocabulary = frozenset(self.words)
        self.distinct = frozenset(runs_of(self.words, RUN))

    def _names(self) -> list[str]:
        text, found = self.text, set()
        for element in self.elements:
            named = element.facts.get("name")
            if named and named in text:
                found.add(str(named))
            for key, value in element.tags.items():
                if value in text and len(value) > 2 and _is_naming(key):
                    found.add(value)
        return sorted(filter(_is_name, found), key=len, reverse=True)

    def known(self) -> str:
        """All that the tags, the facts and the last message hold, for what may be said in another script."""
        tags = (str(value)[:NAME_LIMIT] for element in self.elements for value in element.tags.values())
        facts = (str(element.facts.get("name", "")) for element in self.elements)
        return "\n".join((*tags, *facts, *(message["content"] for message in self.messages[-1:])))

    def told(self) -> Iterator[str]:
        """What the facts call the elements: nouns, plurals, attributes."""
        for element in self.elements:
            facts: Mapping[str, object] = element.facts
            for name in ("noun", "plural"):
                yield str(facts.get(name) or "")
            attributes = facts.get("attributes")
            if isinstance(attributes, Sequence):
                yield from map(str, attributes)


def _straight(text: str) -> str:
    return text.replace("\u2019", "'").replace("\u2018", "'")


def _is_name(text: str) -> bool:
    return len(text) > 2 and (text != text.lower() or not text.isascii() or any(map(str.isdigit, text)))
