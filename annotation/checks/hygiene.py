"""Hygiene: whether a text is one clean English caption, whatever it says of the picture."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from annotation.checks.length import WORDS, length_reasons
from annotation.checks.tidiness import markup, prompt, sentences, speech, writing
from annotation.checks.tidiness.caption import Caption
from annotation.request import ElementFacts, Message

Check = Callable[[Caption], Iterator[str]]

ANY_LENGTH = (1, 300)
"""Fewest and most words where the task is none of ours."""
BESIDE_NAMES = 5
"""Fewest words of a caption that are not names."""
MOST_CHARACTERS = 5_000
"""Beyond, a text is refused unread."""

CHECKS: tuple[Check, ...] = (
    writing.characters,
    writing.broken_words,
    markup.markup,
    markup.links,
    markup.coordinates,
    markup.labels,
    markup.keys,
    prompt.echo,
    prompt.repeats,
    speech.refusal,
    speech.chat,
    speech.instruction,
    sentences.unfinished,
    sentences.brackets,
    sentences.repetition,
    sentences.language,
)
"""What is checked beside the length; each gives reasons, `label: detail`."""


def hygiene(
    text: str, task: str, elements: Sequence[ElementFacts] = (), messages: Sequence[Message] = ()
) -> tuple[str, ...]:
    """Why a text is no clean caption.

    Args:
        text: the caption.
        task: a key of `TASKS`; of others any length up to 300 words is fine.
        elements: what the caption is about; the names that their tags carry may be in any script.
        messages: the chat that asked for it, to find what of it came back.

    Returns:
        Reasons such as `markup: '**'`; the label before the colon is one of a few. Empty if there is none.
    """
    text = text.strip(" \t\r\n")
    if len(text) > MOST_CHARACTERS:
        return (f"too long: {len(text)} characters, at most {MOST_CHARACTERS} are read",)
    length = _length_reasons(text, task)
    if not text:
        return length
    caption = Caption(text, task, elements, messages)
    if task in WORDS and not length and len(caption.words) - caption.words.count("name") < BESIDE_NAMES:
        length = (f"too short: hardly a word beside names, at least {BESIDE_NAMES} are wanted",)
    return (*length, *chain.from_iterable(check(caption) for check in CHECKS))


def label(reason: str) -> str:
    """The label of a reason, for counting."""
    return reason.partition(":")[0]


def _length_reasons(text: str, task: str) -> tuple[str, ...]:
    if task in WORDS or not text:
        return length_reasons(task if task in WORDS else "area", text)
    count, (_, most) = len(text.split()), ANY_LENGTH
    return (f"too long: {count} words, at most {most} are wanted",) if count > most else ()
