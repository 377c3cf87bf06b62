"""A look at a few patches before a run: facts, prompt, caption."""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from annotation.annotate import Attempt
from annotation.request import Message
from pipeline.config import Config
from pipeline.errors import PipelineError
from pipeline.maps import Maps, read_maps
from pipeline.parts import Told
from pipeline.prepare import Prepared, prepare
from pipeline.roster import ask_here
from pipeline.tokens import TokenCounter
from pipeline.unit import tell


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
    with TemporaryDirectory(prefix="mapteller-") as folder:
        maps, _ = read_maps(prepared, Path(folder), console)
        shown = _preview(prepared, maps, number, counter, console)
    if not shown:
        raise PipelineError(
            "No patch has anything to tell. Lower captions.policy.min_share or min_length, or look at another region."
        )


def _preview(prepared: Prepared, maps: Maps, number: int, counter: TokenCounter | None, console: Console) -> int:
    config, units = prepared.config, prepared.units
    each = -(-number // max(1, min(len(units), number)))
    shown, places = 0, [round(step * (len(units) - 1) / max(1, number - 1)) for step in range(number)]
    order = [units[place] for place in dict.fromkeys(places)]
    for unit in [*order, *(unit for unit in units if unit not in order)]:
        if shown == number:
            break
        told = tell(
            config,
            unit,
            maps,
            lambda requests: ask_here(config.captions.engines, requests),
            limit=min(each, number - shown),
        )
        for brief in told.briefs:
            _show(told, brief.patch, unit.scene.id, counter, console)
            shown += 1
    return shown


def _show(told: Told, patch: int, scene: str, counter: TokenCounter | None, console: Console) -> None:
    attempts = told.attempts[patch]
    request = attempts[0].request
    console.print(Rule(f"patch {told.patches.ids[patch]} of {scene}", align="left"))
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
