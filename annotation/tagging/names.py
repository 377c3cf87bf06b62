"""Proper names, and what else mappers write where a name belongs: adverts, addresses, code, orders to a machine."""

import re
import unicodedata

LONGEST = 80
"""Characters of a name. Longer ones are descriptions; the longest place name in use has 85."""

_LINK = re.compile(
    r"\w://|\bwww\.|mailto:|[\w.+-]+\s?@\s?[\w-]+\.\w|\b[\w-]+\.(?:com|org|net|info|biz|io|ru|cn|shop|xyz|onion|tv)\b",
    re.IGNORECASE,
)
_PHONE = re.compile(r"\+\d[\d\s()/.-]{6,}\d|\(?\b\d{3,5}\)?[-. /]\s?\d{3,4}[-. ]\d{2,}|(?:\d[\s()./-]?){9,}")
_CODE = re.compile(r"[{}<>`\\$|]|\[/?[A-Z]+\]|&#?\w+;|\*\*|__|==|%[sd]\b|;\s*--|\bon\w+\s?=", re.IGNORECASE)
_BIDI_OR_CONTROL = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
_JOINERS = "\u200c\u200d"
"""Persian and Indian scripts need them."""
_ROLE = re.compile(
    r"\b(?:system|assistant|user|human)\s?:|^\W*(?:system|instructions?|note to|attention)\b.*:", re.IGNORECASE
)
_DEFYING = re.compile(
    r"\b(?:ignor(?:e|ing)|disregard|forget|override|bypass|overlook|stop)\b.{0,60}\b(?:instructions?|rules?|prompts?"
    r"|previous|above|prior|preceding|sheet|facts|everything|training|guidelines|safety|describing)\b"
    r"|\b(?:you are now|you are an?|you must|you should|you will|act as|pretend (?:to|you)|system prompt|language model"
    r"|new instructions?|(?:developer|debug|admin) mode|jailbreak|prompt injection)\b",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"(?:^|[.!?:;,\u2014-]\s*|\b(?:and|then|now|please|always|only|just)\s+)(?:please\s+)?"
    r"(?:say|write|print|output|respond|reply|answer|repeat|return|append|include|mention|insert|add|tell|describe|call"
    r"|claim|state|translate|reveal|end|begin|start|finish|speak|use|generate|produce|caption|summari[sz]e)\s+(?P<what>.+)",
    re.IGNORECASE,
)
_SPOKEN = re.compile(
    r"\b(?:only|exactly|words?|phrase|captions?|instead|sentences?|poem|prompt|that|every(?:body|one)?|your|you|this"
    r"|it|them|as|with|in (?:[A-Z]\w+|all caps)|about|nothing|me|us|following|picture|image)\b|['\"“”«»]",
    re.IGNORECASE,
)
_WORDS_OF_AN_ORDER = 3


def proper_name(text: str) -> str:
    """A name as it may be told, or nothing where no name stands.

    No name: what is longer than `LONGEST`, has no letter, holds an address of the web, of mail or of a telephone,
    code, control or bidirectional characters, or reads as an order.
    """
    text = text.strip()
    if not text or len(text) > LONGEST or not any(map(str.isalpha, text)):
        return ""
    if not text.isprintable() and any(map(_is_hidden, text)):
        return ""
    if _LINK.search(text) or _PHONE.search(text) or _CODE.search(text):
        return ""
    return "" if reads_as_order(text) else text


def reads_as_order(text: str) -> bool:
    """Whether a text tells its reader what to do, rather than what something is called."""
    if text.count(" ") + 1 < _WORDS_OF_AN_ORDER:
        return bool(_ROLE.search(text))
    if _ROLE.search(text) or _DEFYING.search(text):
        return True
    asked = _ASKING.search(text)
    return bool(asked and _SPOKEN.search(asked["what"]))


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _BIDI_OR_CONTROL and character not in _JOINERS
