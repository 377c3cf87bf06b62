"""A look at a few patches before a run: facts, prompt, caption."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from annotation.annotate import Attempt, Post
from annotation.request import Message
from pipeline.config import Config
from pipeline.errors import PipelineError
from pipeline.posts import PostHere
from pipeline.prepare import prepare
from pipeline.source import Source
from pipeline.tokens import TokenCounter
from pipeline.unit import sample_of, tell


def show_preview(config: Config, number: int, tokenizer: Path | None, console: Console) -> None:
    """Captions `number` patches, spread over the units, and prints what was known and said of each.

    Args:
        config: the configuration.
        number: patches to show.
        tokenizer: folder of a tokenizer to count tokens with; None counts words.
        console: where to.

    Raises:
        PipelineError: no patch has anything to tell.
    """
    counter = TokenCounter(tokenizer) if tokenizer else None
    prepared = prepare(config)
    with TemporaryDirectory(prefix="mapteller-") as folder, PostHere(config.captions) as post:
        source = prepared.source.ready(Path(folder), console)
        shown = 0
        for unit, attempts in _told(config, source, number, post):
            _show(unit, attempts, counter, console)
            shown += 1
    if not shown:
        raise PipelineError(
            "No patch has anything to tell. Lower captions.policy.min_share or min_length, or look at another region."
        )


def _told(config: Config, source: Source, number: int, post: Post) -> Iterator[tuple[str, Sequence[Attempt]]]:
    """Captioned patches, spread over the units."""
    units = source.units
    each = -(-number // max(1, min(len(units), number)))
    places = [round(step * (len(units) - 1) / max(1, number - 1)) for step in range(number)] if units else []
    order = [units[place] for place in dict.fromkeys(places)]
    for unit in [*order, *(unit for unit in units if unit not in order)]:
        if number <= 0:
            return
        assignments = source.look(unit, limit=min(each, number)).assignments
        number -= len(assignments)
        yield from ((unit.id, attempts) for attempts in tell(config, assignments, post).values())


def _show(unit: str, attempts: Sequence[Attempt], counter: TokenCounter | None, console: Console) -> None:
    request = attempts[0].request
    console.print(Rule(f"patch {sample_of(request)} of {unit}", align="left"))
    for element in request.elements:
        tags = ", ".join(f"{key}={value}" for key, value in element.tags.items())
        _say(console, f"{element.id} ({element.kind})", tags)
        _say(console, "facts", json.dumps(element.facts, ensure_ascii=False))
    _say(console, f"prompt {request.prompt}", f"{_size(request.messages, counter)}; the last message:")
    console.print(Text(request.messages[-1]["content"], style="dim"))
    for attempt in attempts:
        _say(console, _kind(attempt), attempt.text)
    console.print()


def _size(messages: Sequence[Message], counter: TokenCounter | None) -> str:
    if counter is None:
        return f"{sum(len(message['content'].split()) for message in messages)} words"
    return f"{counter.prompt(messages)} tokens, of which {counter.prefix(messages)} are the template's fixed prefix"


def _kind(attempt: Attempt) -> str:
    verdict = f"refused: {'; '.join(attempt.reasons)}" if attempt.reasons else attempt.completion.annotator
    return f"{attempt.request.task} ({verdict})"


def _say(console: Console, label: str, text: str) -> None:
    console.print(Text.assemble((f"{label}: ", "bold"), text))
