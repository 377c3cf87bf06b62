"""Characters: scripts, invisible ones, symbols, broken encodings, words that no language has."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby

from annotation.checks.tidiness.caption import Caption, shown, words_of

LONGEST_WORD = 40
"""Letters of a word outside names; the longest English ones that could be meant have 28."""
MOST_MARKS = 2
"""Combining marks on one letter; Vietnamese has two."""

_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_JOINERS = "\u200c\u200d"
_SYMBOLS = frozenset("°²³¹½¼¾⅓⅔⅛⅜⅝⅞\u00d7÷±\u2212≈≤≥\u2032″€£$¥§·+=<>^|~`\u00b4¨©®™№&%")
_MARKUP = frozenset("•◦▪‣►")
_LATIN = ("LATIN ", "FEMININE ORDINAL", "MASCULINE ORDINAL", "MODIFIER LETTER", "KELVIN", "ANGSTROM")
_MOJIBAKE = re.compile(r"Ã[\x80-\xbf]|â€|Â[\xa0-\xbf]|ï¿½|\ufffd|(?:Ġ\w+.*){3}")
_ACCENTED = re.compile(r"\b[a-z]*[^\W\d_a-zA-Z][^\W\d_A-Z]*\b")
_IN_NAME = re.compile(r"\w\W+[A-ZÀ-ÖØ-Þ][\w'-]*(?:[\s-]+(?!and |with |from )[\w'-]+){0,3}[\s'-]*$")
_JOINED = re.compile(r"[^\W\d_]{3,}\.[^\W\d_]{2,}|[^\W\d_]{3,}[,;!?][A-Z][a-z]+")
_LOANS = frozenset(
    words_of(
        """
        café cafés façade façades château châteaux naïve résumé cliché décor élite entrée crèche piñata jalapeño
        crème fête rôle über coöperate cañon cañons señor mañana déjà née fiancé soufflé pâté smörgåsbord ångström
        doppelgänger föhn löss loëss skjær fjäll chörten chalêt protégé régime matinée étang étangs piñon piñons
        pétanque arête arêtes névé roché moutonnée moutonnées páramo páramos açaí maté cortège hôtel mélange
        """
    )
)


@lru_cache(maxsize=4096)
def _kind(character: str) -> str:
    """`invisible`, `foreign` (a letter or digit that is not Latin), `mark`, `symbol`, or nothing if it is fine."""
    category = unicodedata.category(character)
    if character == "\n" or (character.isascii() and category != "Cc"):
        return ""
    if category in _INVISIBLE:
        return "invisible"
    if category == "Mn":
        return "mark"
    if category[0] in "LM" or category in {"Nd", "Nl"}:
        return "" if unicodedata.name(character, "").startswith(_LATIN) else "foreign"
    return "symbol" if character in _MARKUP or (category[0] == "S" and character not in _SYMBOLS) else ""


def characters(caption: Caption) -> Iterator[str]:
    """Invisible characters anywhere; other scripts and symbols but those of names that the tags carry."""
    kinds = {_kind(character) for character in caption.odd} - {""}
    if "invisible" in kinds:
        yield from _invisible(caption.text)
    if kinds:
        yield from _foreign(caption)


def _invisible(text: str) -> Iterator[str]:
    found = dict.fromkeys(
        character
        for before, character, after in zip(f" {text[:-1]}", text, f"{text[1:]} ", strict=True)
        if _kind(character) == "invisible"
        and not (character in _JOINERS and _kind(before) == _kind(after) == "foreign")
    )
    if found:
        yield f"control characters: {', '.join(f'U+{ord(character):04X}' for character in list(found)[:3])}"


def _foreign(caption: Caption) -> Iterator[str]:
    known: str | None = None
    labels = {"foreign": "foreign script", "symbol": "symbols"}
    said = set()
    text = unicodedata.normalize("NFC", caption.plain)
    for kind, run in groupby(text, lambda character: _kind(character) or "fine"):
        part = "".join(run)
        if kind == "mark" and len(part) > MOST_MARKS:
            label = "foreign script"
        elif kind in labels:
            label = labels[kind]
            if known is None:
                known = unicodedata.normalize("NFC", caption.known())
            if _carried(part, known):
                continue
        else:
            continue
        if label not in said:
            said.add(label)
            yield f"{label}: {shown(part)}"


def _carried(part: str, known: str) -> bool:
    """Whether the tags hold it: a single character only where it stands alone there, too."""
    if len(part) > 1:
        return part in known
    return bool(re.search(rf"(?<!\w){re.escape(part)}(?!\w)", known))


def broken_words(caption: Caption) -> Iterator[str]:
    """Words run together, words with letters that do not belong, endless words, broken encodings."""
    text = caption.plain
    if not text.isascii():
        yield from _broken_letters(caption)
    if caption.inner and (found := _JOINED.search(text)):
        yield f"broken word: {shown(found[0])}"
    if max(map(len, caption.words), default=0) > LONGEST_WORD:
        longest = max((part for word in caption.words for part in word.split("-")), key=len)
        if len(longest) > LONGEST_WORD:
            yield f"broken word: one of {len(longest)} letters, {shown(longest)}"


def _broken_letters(caption: Caption) -> Iterator[str]:
    text = caption.plain
    if found := _MOJIBAKE.search(text):
        yield f"encoding: {shown(found[0])}"
    for match in _ACCENTED.finditer(text):
        word, before = match[0], text[: match.start()]
        latin = len(word) > 1 and word.isalpha() and not any(map(_kind, word))
        named = word != word.lower() or word in _LOANS or _IN_NAME.search(before) or word in caption.known().lower()
        if latin and not named:
            yield f"broken word: {shown(word)}"
            return
