"""A caption as words with their places: one spelling for all, hyphens dropped, sentences told apart."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from annotation.checks.claiming.vocabulary import WORDS

_TOKEN = re.compile(
    r"[A-Za-z]+(?![^ ,.;])"  # most words, found fast
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
        starts: offset of each in the caption.
        stops: offset after each.
        joined: whether a hyphen or dash without blanks stands before each.
        sentence: number of the sentence of each.
    """

    raw: str
    words: list[str]
    starts: list[int]
    stops: list[int]
    joined: list[bool]
    sentence: list[int]

    def span(self, first: int, stop: int) -> tuple[int, int]:
        """Offsets of words in the caption, `stop` not among them."""
        return self.starts[first], self.stops[stop - 1]

    def is_capital(self, place: int) -> bool:
        """Whether a word begins with a capital letter."""
        return self.raw[self.starts[place]].isupper()

    def opens_sentence(self, place: int) -> bool:
        """Whether no other word of its sentence stands before a word."""
        return place == 0 or self.sentence[place - 1] != self.sentence[place]


def read_text(raw: str) -> Text:
    """Takes a caption apart."""
    words: list[str] = []
    starts: list[int] = []
    stops: list[int] = []
    joined: list[bool] = []
    sentences: list[int] = []
    hyphen, sentence, ended = -1, 0, False
    add_word, add_start, add_stop = words.append, starts.append, stops.append
    add_joined, add_sentence = joined.append, sentences.append
    for match in _TOKEN.finditer(raw):
        word, (start, stop) = match[0], match.span()
        if word in _HYPHENS:
            if words and stops[-1] == start and not raw[stop : stop + 1].isspace():
                hyphen = stop
                continue
            word = ","  # a dash between blanks parts clauses
        if ended and (word[0].isalnum() or word in _OPENING):
            sentence, ended = sentence + 1, False
        add_word(_normal(word))
        add_start(start)
        add_stop(stop)
        add_joined(hyphen == start)
        add_sentence(sentence)
        if word in _ENDS:
            ended = ended or _is_end(words, raw, stop)
    return Text(raw, words, starts, stops, joined, sentences)


@lru_cache(maxsize=65536)
def _normal(word: str) -> str:
    lower = word.lower().replace("\u2019", "'").removesuffix("'s")
    return _SPELLINGS.get(lower, lower)


def _is_end(words: list[str], raw: str, stop: int) -> bool:
    """Whether a mark ends a sentence: not after an abbreviation, not before a small letter."""
    if words[-1] != ".":
        return True
    measured = len(words) > 2 and words[-3][-1].isdigit()  # 100 m. Further south
    if (
        len(words) > 1
        and not measured
        and (words[-2] in _ABBREVIATIONS or (len(words[-2]) == 1 and words[-2].isalpha()))
    ):
        return False
    return not raw[stop : stop + 4].lstrip(_CLOSING)[:1].islower()


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
