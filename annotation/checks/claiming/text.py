"""A caption as words with their places: one spelling for all, hyphens dropped, sentences told apart."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from annotation.checks.claiming.vocabulary import WORDS

_TOKEN = re.compile(
    r"[A-Za-z]++(?![^ ,.;])"  # most words, found fast
    r"|\d{1,3}(?:[,\u00a0\u2009\u202f\u2019]\d{3})+(?:\.\d+)?|\d*\.\d+|\d+"  # 1,200 · 0.5 · 38
    r"|[^\W\d_](?:[^\W_]|[\u0300-\u036f])*(?:['\u2019:\u00b7][^\W\d_](?:[^\W_]|[\u0300-\u036f])*)*"  # m2 · Kaniá:taro
    r"|[^\w\s]|\w"
)
_HYPHENS = frozenset("-\u2010\u2011\u2013\u2014")
_ENDS = frozenset(".!?")
_OPENING = frozenset("\"'\u201c\u2018(\u201e")
_CLOSING = "\"')\u201d\u2019 \n\t"
_ABBREVIATIONS = WORDS["text.abbreviations"]
_SPELLINGS = {
    "center": "centre", "centers": "centres", "centered": "centred", "centering": "centring", "meter": "metre",
    "meters": "metres", "kilometer": "kilometre", "kilometers": "kilometres", "harbor": "harbour",
    "neighborhood": "neighbourhood", "neighborhoods": "neighbourhoods", "gray": "grey", "theater": "theatre",
    "plowed": "ploughed", "plowland": "ploughland", "story": "storey", "stories": "storeys", "color": "colour",
    "northwards": "northward", "southwards": "southward", "eastwards": "eastward", "westwards": "westward",
    "toward": "towards", "percent": "%", "pct": "%", "amidst": "amid", "amongst": "among", "colored": "coloured",
}  # fmt: skip


@dataclass(slots=True)
class Text:
    """A caption taken apart.

    Attributes:
        raw: the caption.
        words: normalised words and marks, hyphens left out.
        written: the same as they stand in the caption.
        starts: offset of each in the caption.
        stops: offset after each.
        joined: whether a hyphen or dash without blanks stands before each.
        sentence: number of the sentence of each.
    """

    raw: str
    words: list[str]
    written: list[str]
    starts: list[int]
    stops: list[int]
    joined: list[bool]
    sentence: list[int]

    def span(self, first: int, stop: int) -> tuple[int, int]:
        """Offsets of words in the caption, `stop` not among them."""
        return self.starts[first], self.stops[stop - 1]

    def is_capital(self, place: int) -> bool:
        """Whether a word begins with a capital letter."""
        return self.written[place][0].isupper()

    def opens_sentence(self, place: int) -> bool:
        """Whether no other word of its sentence stands before a word."""
        return place == 0 or self.sentence[place - 1] != self.sentence[place]


def read_text(raw: str) -> Text:
    """Takes a caption apart."""
    text = Text(raw, [], [], [], [], [], [])
    add_word, add_written, add_joined = text.words.append, text.written.append, text.joined.append
    add_start, add_stop = text.starts.append, text.stops.append
    offset = 0
    for piece in raw.split(" "):
        for word, written, start, stop, joined in _apart(piece):
            add_word(word)
            add_written(written)
            add_start(offset + start)
            add_stop(offset + stop)
            add_joined(joined)
        offset += len(piece) + 1
    if raw[-1:] in _HYPHENS and text.stops[-2:-1] == text.starts[-1:]:  # a hyphen within a word that breaks off
        for column in (text.words, text.written, text.starts, text.stops, text.joined):
            del column[-1]
    text.sentence = _sentences(text)
    return text


@lru_cache(maxsize=16384)
def _apart(piece: str) -> tuple[tuple[str, str, int, int, bool], ...]:
    """Words between two blanks: normalised, as written, from where to where, and whether a hyphen stands before.

    Hyphens and dashes within words are left out; a dash between blanks parts clauses as a comma does.
    """
    found: list[tuple[str, str, int, int, bool]] = []
    hyphen = -1
    for match in _TOKEN.finditer(piece):
        written, (start, stop) = match[0], match.span()
        dash = written in _HYPHENS
        if dash and found and found[-1][3] == start and not (stop == len(piece) or piece[stop].isspace()):
            hyphen = stop
        else:
            found.append(("," if dash else _normal(written), written, start, stop, hyphen == start))
    return tuple(found)


def _normal(word: str) -> str:
    lower = word.lower().replace("\u2019", "'").removesuffix("'s")
    return _SPELLINGS.get(lower, lower)


def folded(raw: str) -> tuple[str, ...]:
    """Words of a name, folded, without the marks between them."""
    return tuple([fold(word[0]) for piece in raw.split(" ") for word in _apart(piece) if word[0][0].isalnum()])


def _sentences(text: Text) -> list[int]:
    """Number of the sentence of each word; one begins with a letter, digit or opening mark after the last one's end."""
    words, written = text.words, text.written
    numbers: list[int] = []
    number = 0
    for end in [at for at, word in enumerate(words) if word in _ENDS]:
        if end >= len(numbers) and _is_end(text, end):
            begin = end + 1
            while begin < len(words) and not (written[begin][0].isalnum() or written[begin] in _OPENING):
                begin += 1
            numbers += [number] * (begin - len(numbers))
            number += 1
    return numbers + [number] * (len(words) - len(numbers))


def _is_end(text: Text, at: int) -> bool:
    """Whether a mark ends a sentence: not after an abbreviation, not before a small letter."""
    words = text.words
    if words[at] != ".":
        return True
    if at and (words[at - 1] in _ABBREVIATIONS or (len(words[at - 1]) == 1 and words[at - 1].isalpha())):
        measured = at > 1 and words[at - 2][-1].isdigit()  # 100 m. Further south
        if not measured:
            return False
    stop = text.stops[at]
    return not text.raw[stop : stop + 4].lstrip(_CLOSING)[:1].islower()


@lru_cache(maxsize=65536)
def fold(word: str) -> str:
    """A word without case and accents, common short forms of names written out."""
    if not word.isascii():
        word = word.translate(_LETTERS)
        word = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    word = word.casefold().replace("\u2019", "'").removesuffix("'s")
    return _LONG_FORMS.get(word, word)


_LETTERS = str.maketrans(
    {
        "\u00f8": "o",
        "\u00d8": "O",
        "\u00e6": "ae",
        "\u00c6": "Ae",
        "\u0153": "oe",
        "\u0142": "l",
        "\u0141": "L",
        "\u0111": "d",
    }
)
_LONG_FORMS = {
    "st": "street", "saint": "street", "rd": "road", "ave": "avenue", "av": "avenue", "blvd": "boulevard",
    "dr": "drive", "ln": "lane", "hwy": "highway", "mt": "mount", "rte": "route", "us": "u", "pkwy": "parkway",
    "ct": "court", "pl": "place", "sq": "square", "n": "north", "s": "south", "e": "east", "w": "west",
    "strasse": "stra\u00dfe".casefold(), "str": "stra\u00dfe".casefold(), "ste": "sainte",
}  # fmt: skip
"""`St` is both Street and Saint: all three fold to one."""
