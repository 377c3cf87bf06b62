"""Markup, code, links, labels, keys of the map, numbers that locate."""

import re
from collections.abc import Iterator

from annotation.checks.tidiness.caption import Caption, shown

_MARKUP = re.compile(
    r"</?[a-zA-Z!?][^<>]*>|<\||\|>|<\?|\?>|<!--|</?\w*$"  # HTML, special tokens
    r"|&(?:[a-zA-Z]{2,8}|#x?[0-9a-fA-F]+);"  # entities
    r"|\*\*|__\w|(?<!\w)\*[^*\s]|[^*\s]\*(?!\w)|~~"  # bold, italics
    r"|#{2,}"
    r"|!?\[[^\]\n]*\]\([^)\n]*\)|\[/?(?:INST|SYS|b|i|url|img)[^\]]*\]"  # links, chat tokens, BBCode
    r"|[{}]|\\[a-zA-Z\"\\(\[]|\$[^$\n]{1,40}\$|\|[^|\n]*\||\n\s*\n"  # code, LaTeX, tables, paragraphs
)
_LIST = re.compile(r"(?:^|\n)\s*(?:#{1,6}\s|>\s|(?:[-*+•\u2013—]|\(?\d{1,2}[.)]|\(?[a-z]\))\s|-{3,}|={3,})")
_MARKS = frozenset("<>*_~&#[]{}\\$|\n")
_LINK = re.compile(
    r"https?:|ftp:|\bwww\.|mailto:|[\w.+-]+@[\w-]+\.\w"
    r"|\b[\w-]+\.(?:com|org|net|info|biz|io|ru|cn|de|fr|ch|li|uk|eu|us|tv|shop|xyz|onion)\b(?![^\W\d_])",
    re.IGNORECASE,
)
_PHONE = re.compile(r"\+\d[\d\s()/.-]{6,}\d|\(?\b\d{3}\)?[-. ]\d{3}[-. ]\d{4}\b|\b0\d{2,4}[-/ ]\d{3,}[-/ ]?\d{2,}")
_SEVEN = re.compile(r"\d[\d ()/.-]{5,}\d")
_THOUSANDTHS = re.compile(r"\.\d{3}")
_LOCATING = frozenset(("epsg", "latitude", "longitude", "lat", "lon"))
_COORDINATES = re.compile(
    r"-?\b\d{1,3}\.\d{3,}\s*°?\s*[NSEW]?\s*[,;/ ]\s*-?\d{1,3}\.\d{3,}|\b\d{1,3}°\s*\d{1,2}\s*['\u2032]"
    r"|\d\s*°\s*[NSEW]\b|\bEPSG\b|[\[(](?!\d{1,3}(?:,\d{3})+[\])])\s*-?\d+(?:\.\d+)?(?:\s*,\s*-?\d+(?:\.\d+)?)+\s*[\])]"
    r"|\b(?:latitude|longitude|lat|lon)\b\W{0,3}-?\d"
)
_LABEL = re.compile(
    r"(?:^|\n|[.!?][\"”')]?\s+|[(\"“])\W*("
    r"(?:[\w'-]+ ){0,4}(?:caption|revision|revised|rewritten|rephrased|reworded|rewording|version|description|answer"
    r"|output|response|draft|result|summary|explanation|disclaimer|alternative|option|(?:word|character) count)s?"
    r"(?: \d+)?(?: \([^)]*\))?"
    r"|(?:the )?(?:assistant|system|user|example|instruction|task|sentence|text|note|title|image|picture|scene|sheet"
    r"|facts?|analysis|thought|reasoning)s?(?: \d+)?"
    r"|here(?:'s| is| are)\b[^.:\n]{0,80}"
    r")\s?:(?!\w)",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"\[(?:insert|your|name|street|road|place|number|xx)\b[^\]]*\]|\b(?:NaN|null|N/A|TBD|TODO)\b|\blorem ipsum\b"
    r"|\bnamed? (?:None|unknown)\b|\bX{3,}\b"
)
_BLANK = frozenset(("nan", "null", "tbd", "todo", "lorem", "none", "unknown"))
_KEYS = (
    "highway landuse natural waterway building leisure amenity railway surface lanes tunnel bridge barrier man_made"
    " addr tiger power place tourism shop sport water wetland crop layer oneway maxspeed operator source access service"
    " tracktype boundary historic aeroway name noun kind tags"
).replace(" ", "|")
_KEY = re.compile(
    r"\b\w+(?::\w+)*=[\w*]|(?<![\w'])[a-z]{2,}(?:_[a-z]+)*:[a-z_]{2,}"
    rf"|\b(?:{_KEYS}): ?['\"]?[a-z_0-9]+['\"]?(?=\s*(?:[.,;)\n]|$))"
)
_OSM_ID = re.compile(r"\b(?:way|node|relation)/\d+")


def markup(caption: Caption) -> Iterator[str]:
    """HTML, Markdown, LaTeX, chat tokens, code, several paragraphs; in names, too: nothing may run."""
    text, odd = caption.text, caption.odd
    if "`" in odd or "~~~" in text:
        yield "code fence: " + shown("```" if "```" in text else "`")
    found = None if odd.isdisjoint(_MARKS) else _MARKUP.search(text)
    if not found and ("\n" in odd or not caption.plain[0].isalpha()):
        found = _LIST.search(caption.plain)
    if found:
        yield f"markup: {shown(found[0])}"


def links(caption: Caption) -> Iterator[str]:
    """Addresses on the web, of mail and of telephones."""
    if (caption.inner or "/" in caption.odd) and (found := _LINK.search(caption.text)):
        yield f"link: {shown(found[0])}"
    if caption.digits and (found := _SEVEN.search(caption.plain)) and (found := _PHONE.search(caption.plain)):
        yield f"telephone number: {shown(found[0])}"


def coordinates(caption: Caption) -> Iterator[str]:
    """Degrees, and lists of numbers in brackets."""
    if not caption.digits:
        return
    likely = not (caption.odd.isdisjoint("°([") and caption.vocabulary.isdisjoint(_LOCATING))
    if (likely or _THOUSANDTHS.search(caption.plain)) and (found := _COORDINATES.search(caption.plain)):
        yield f"coordinates: {shown(found[0])}"


def labels(caption: Caption) -> Iterator[str]:
    """What announces the caption or comments on it, and blanks that nobody filled in."""
    if ":" in caption.odd and (found := _LABEL.search(caption.plain)):
        yield f"label: {shown(found[1].strip() + ':')}"
    blank = not caption.odd.isdisjoint("[/") or "XXX" in caption.plain or not caption.vocabulary.isdisjoint(_BLANK)
    if blank and (found := _PLACEHOLDER.search(caption.plain)):
        yield f"placeholder: {shown(found[0])}"


def keys(caption: Caption) -> Iterator[str]:
    """Keys and values as the map has them, ids, underscores."""
    if not caption.odd.isdisjoint("=:/") and (found := _KEY.search(caption.plain) or _OSM_ID.search(caption.plain)):
        yield f"raw key: {shown(found[0])}"
    if "_" in caption.odd and "_" in caption.plain:
        word = next(word for word in caption.plain.split() if "_" in word)
        yield f"underscore: {shown(word)}"
