"""The prompt: its rules, its examples, its labels and its draft, said again instead of a caption."""

import re
from collections.abc import Iterator
from functools import lru_cache

from annotation.checks.tidiness.caption import RUN, Caption, runs_of, shown, words_of

RULE_RUN = 8
"""Words in a row of the rules that nobody hits upon by chance."""
EXAMPLE_RUN = 12
"""The same of an example's answer, which is a caption as ours are."""
REPEATED = 0.7
"""A revision of which this share of its runs of four words stands in the question is no revision."""

_META = frozenset(
    words_of(
        """
        sheet factsheet openstreetmap osm tags tagged prompt instructions rewrite rewritten caption captions
        metadata dataset provided given according count you your
        """
    )
)
_ABOUT = re.compile(
    r"\b(?:fact|data) ?sheet|\b(?:on|in|to|from|by|of) the sheet\b|\bthe sheet (?:says|states|gives|lists|shows|has)"
    r"|\bOpenStreetMap\b|\bOSM\b|\btagged (?:as|with)\b|\b(?:provided|given) (?:tags?|facts?|data|information|context"
    r"|coordinates|details|sheet|caption)\b|\baccording to (?:the )?(?:map|tags?|data|facts?|information|metadata)\b"
    r"|\b(?:the|this|that|a|earlier|original|previous|new|above) captions?\b|\bword count\b|\bmetadata\b|\bdataset\b"
    r"|\b(?:the|these|my|your) (?:instructions|prompt|tags)\b"
    r"|\byou (?:can|may|should|must|could) (?:use|write|add|include|mention|say|describe|start|introduce|avoid|not)\b",
    re.IGNORECASE,
)
_SHEET_LABEL = re.compile(r"^(?:\d+\. )?([A-Z][A-Za-z ]{1,40}):", re.MULTILINE)
_NORTH_UP = "seen from above, north up"


def echo(caption: Caption) -> Iterator[str]:
    """Words about the task, labels of the sheet, long runs of the rules or of an example."""
    text = caption.plain
    if not caption.vocabulary.isdisjoint(_META) and (found := _ABOUT.search(text)):
        yield f"prompt echo: {shown(found[0])}"
    elif _NORTH_UP in text:
        yield f"prompt echo: {shown(_NORTH_UP)}"
    if not caption.messages:
        return
    if ":" in caption.odd:
        labels = _SHEET_LABEL.findall(caption.messages[-1]["content"])
        label = next((label for label in labels if f"{label}:" in text), "")
        if label:
            yield f"prompt echo: {shown(f'{label}:')}"
    if run := _run_of_prefix(caption):
        yield f"prompt echo: {shown(run, 80)}"


def repeats(caption: Caption) -> Iterator[str]:
    """A revision that is its draft, nearly word for word."""
    if caption.task != "revision" or not caption.messages:
        return
    last = caption.messages[-1]["content"]
    for name in caption.names:
        last = last.replace(name, "Name")
    words = words_of(last)
    if len(caption.vocabulary.intersection(words)) < REPEATED * len(caption.vocabulary):
        return
    share = len(caption.distinct.intersection(runs_of(words, RUN))) / max(len(caption.distinct), 1)
    if share >= REPEATED:
        yield f"repeats the draft: {share:.0%} of it, word for word"


def _run_of_prefix(caption: Caption) -> str:
    """A run of words out of the messages before the last, or nothing."""
    prefix = caption.messages[:-1]
    if _runs(tuple([message["content"] for message in prefix]), RUN).isdisjoint(caption.distinct):
        return ""
    for role, length in (("system", RULE_RUN), ("assistant", EXAMPLE_RUN)):
        texts = tuple(message["content"] for message in prefix if message["role"] == role)
        found = _runs(texts, length).intersection(runs_of(caption.words, length))
        if found:
            return " ".join(min(found))
    return ""


@lru_cache(maxsize=256)
def _runs(texts: tuple[str, ...], length: int) -> frozenset[tuple[str, ...]]:
    return frozenset(run for text in texts for run in runs_of(words_of(text), length))
