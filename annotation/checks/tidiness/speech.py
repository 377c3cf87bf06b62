"""Speech: an assistant that talks to us, refuses, or does what a mapper wrote instead of what we asked."""

import re
from collections.abc import Iterator
from functools import lru_cache

from annotation.checks.tidiness.caption import NAME_LIMIT, Caption, shown, words_of

_REFUSING = frozenset(
    words_of(
        """
        sorry cannot can't couldn't unable ai model apologize apologise apologies unfortunately insufficient
        information provided guidelines comply assist refuse policy inappropriate decline won't
        """
    )
)
_REFUSAL = re.compile(
    r"\bI(?:'m| am) (?:sorry|afraid|unable|not able)\b|\bI (?:cannot|can not|can't|could not|couldn't|won't|will not"
    r"|must decline|decline|refuse|am unable)\b|\bas an? (?:AI\b|artificial intell|(?:large )?language model)"
    r"|\blanguage model\b|^\W*(?:sorry|unfortunately|apologies)\b|\bapologi[sz]e\b|\bmy apologies\b"
    r"|\bunable to (?:provide|generate|create|write|describe|assist|help|comply|fulfil|complete|produce|determine|see)"
    r"|\b(?:not enough|insufficient|no further|lack of|without (?:more|further|additional)) (?:information|data)"
    r"|\b(?:no|more) (?:\w+ )?(?:information|facts|context|image|picture) (?:is|are|was|were|has been|have been)"
    r" (?:provided|given|available|needed|required)|\bplease provide\b|\bcannot (?:be (?:described|determined|provided"
    r"|generated|written)|provide|generate|create|write|describe|assist|help|comply|fulfil|see)"
    r"|\b(?:against|violates?) (?:my|the|our) (?:guidelines|policy|policies|programming)",
    re.IGNORECASE,
)
_CHATTY = frozenset(
    words_of(
        """
        sure certainly absolutely let i i'm i'll i've i'd hope free happy glad thank thanks welcome please
        help request requested would feel here's okay ok great question assistance further anything you'd your my me
        """
    )
)
_CHAT = re.compile(
    r"^\W*(?:sure|certainly|absolutely|of course|okay|ok|great|alright|thank you|thanks|no problem|you're welcome"
    r"|got it|understood|yes|hello|hi)\s*(?:thing)?[!,.:;—]|^\W*(?:sure thing|here you go|here it is|here's)\b"
    r"|\blet me know\b|\bfeel free\b|\bhope (?:this|that|it|you)\b|\b(?:happy|glad) to\b|\bthank you\b"
    r"|\bwould you like\b|\bif you(?:'d| would) like\b|\banything else\b|\bplease (?:let|note|feel|see|find|provide"
    r"|tell|confirm|ask)\b|\b(?:as|per) (?:you |your )?request(?:ed)?\b|\bgreat question\b|\bfurther assistance\b"
    r"|\byour (?:caption|request|question|description|prompt|image|input|text|instructions?)\b|\blet's\b"
    r"|\bhow (?:can|may) I\b|\bdo you (?:want|need)\b",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(
    r"(?:^|[^\w\s]\s*|\b[a-z]+ )I(?:'(?:m|ll|ve|d)\b| (?:am|have|had|will|would|could|can|do|don't|did|was|see|think"
    r"|believe|hope|need|must|understand|created|wrote|rewrote|followed|kept|made|used|tried|notice|assume|guess)\b)"
)

_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass|overlook)\b.{0,60}\b(?:instructions?|rules?|prompts?|previous|above"
    r"|prior|sheet|facts|everything|training|guidelines)\b"
    r"|\b(?:you are now|you must|you should|act as|pretend to|system prompt|new instructions?|developer mode|jailbreak)"
    r"|\b(?:system|assistant|user)\s?:|<\|?(?:im_start|system|assistant)|\[INST\]",
    re.IGNORECASE | re.DOTALL,
)
_ORDERING = frozenset(words_of("ignore disregard forget override bypass overlook pretend prompt jailbreak system"))
_SAYING = re.compile(
    r"\b(?:say|write|print|output|respond|reply|answer|repeat|return|append|include|mention|insert|add|tell|describe"
    r"|call|claim|state|translate|reveal|act as|pretend to be|you are now|end (?:with|in|by)|begin with|start with"
    r"|finish with)\b(?P<payload>.+)",
    re.IGNORECASE | re.DOTALL,
)
_COMMON = frozenset(
    words_of(
        """
        a an the and or of in on at to with from by for as is are was be it its that this these which only just word
        words exactly your you answer caption captions picture image scene view frame everything every all instead
        end each sentence text following then now not no nothing else reply response output instructions previous
        ignore north south east west top bottom left right center centre upper lower northern southern eastern
        western edge side part shows show lies about there one two large small system user assistant must should me
        us his her their please note always never also but phrase string description describe saying say says write
        print
        """
    )
)
_QUOTED = re.compile(r"[\"“„«][^\"”“»]*[\"”“»]")


def refusal(caption: Caption) -> Iterator[str]:
    """An answer that says why there is none."""
    if not caption.vocabulary.isdisjoint(_REFUSING) and (found := _REFUSAL.search(caption.spoken)):
        yield f"refusal: {shown(found[0])}"


def chat(caption: Caption) -> Iterator[str]:
    """Phrases of a conversation, and anybody who says I."""
    if caption.vocabulary.isdisjoint(_CHATTY) and caption.words[:2] != ["of", "course"]:
        return
    text = caption.spoken
    if found := _CHAT.search(text) or _FIRST_PERSON.search(text):
        yield f"chat: {shown(found[0].strip())}"


def instruction(caption: Caption) -> Iterator[str]:
    """A caption that repeats an order of a mapper without quoting it, or that says what such an order wants said."""
    if not caption.vocabulary.isdisjoint(_ORDERING):
        found = _ORDER.search(_QUOTED.sub(" ", caption.spoken))
        if found:
            yield f"instruction followed: {shown(found[0])}"
            return
    for order in _orders(caption):
        text = caption.spoken if _ORDER.search(order) else caption.plain
        said = _payload(order) - {word for told in caption.told() for word in words_of(told)}
        obeyed = said.intersection(word.strip("'") for word in words_of(text))
        if said and 2 * len(obeyed) >= len(said):
            yield f"instruction followed: {shown(' '.join(sorted(obeyed)))} of the name {shown(order)}"
            return
        if not _speaks_of(caption):
            yield f"instruction followed: nothing that is there, but there is a name {shown(order)}"
            return


def _orders(caption: Caption) -> Iterator[str]:
    """Values of tags that give an order; each once."""
    values = [value for element in caption.elements for value in element.tags.values() if " " in value]
    values += [element.facts.get("name", "") for element in caption.elements]
    long = dict.fromkeys(value[:NAME_LIMIT] for value in values if value.count(" ") > 1)
    return filter(_is_order, long)


@lru_cache(maxsize=4096)
def _is_order(text: str) -> bool:
    return bool(_ORDER.search(text) or (_SAYING.match(text) and text.count(" ") > 2))


def _payload(order: str) -> frozenset[str]:
    """The words that an order wants to be said."""
    found = _SAYING.search(order)
    return frozenset(word.strip("'") for word in words_of(found["payload"] if found else "")) - _COMMON


def _speaks_of(caption: Caption) -> bool:
    """Whether any word for an element stands in the caption."""
    told = {word for text in caption.told() for word in words_of(text)}
    return not told or not told.isdisjoint(caption.vocabulary)
