"""Figures of a run, ready to be drawn as small plots."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.report.entries import Entry, classes, labels
from pipeline.report.look import Finished

VERDICTS = ("supported", "unsupported", "contradicted")
LONGEST_LIST = 15
OTHER_SECTIONS = ("splits", "diversity", "repeats", "coverage", "blind_floor", "tokens")
DEEPEST = 2
"""Levels of metrics.json that are listed; what lies deeper is long and is left to the file."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of a plot; lengths are shares of the plot's width.

    Attributes:
        label: what is counted.
        said: the figure in words.
        pieces: length and style of each piece of the bar.
        whisker: ends of an interval.
    """

    label: str
    said: str
    pieces: Sequence[tuple[float, str]] = ()
    whisker: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A titled plot."""

    title: str
    bars: Sequence[Bar]
    note: str = ""
    legend: Sequence[str] = field(default=())


def figures(run: Finished, shown: Sequence[Entry]) -> list[Figure]:
    """Figures of a run: from metrics.json where it was written, else from the run's own counts."""
    counts = {str(key): int(value) for key, value in run.info["counts"].items()}
    statuses = Counter(run.patches.status.tolist())
    drawn = [
        _counted("Captions by task", {key[9:].replace("_", "-"): value for key, value in counts.items()
                                      if key.startswith("captions.")}),
        _counted("What became of the patches", statuses),
        _counted("What captions are about", Counter(word for entry in shown for word in set(classes(entry))),
                 "patches in the gallery"),
    ]  # fmt: skip
    if run.metrics:
        drawn += _measured(run.metrics)
    else:
        drawn.append(_counted("Rejections by reason", Counter(word for entry in shown for word in labels(entry))))
    return [figure for figure in drawn if figure.bars]


def _measured(metrics: Mapping[str, Any]) -> list[Figure]:
    annotators = {name: said for name, said in _mapping(metrics.get("annotators")).items() if isinstance(said, Mapping)}
    return [
        _rates(annotators),
        *(_claims(annotators, when) for when in ("before", "after")),
        *(_spread(_mapping(metrics.get("wrong_claims")), when) for when in ("before", "after")),
        _counted("Rejections by reason", _numbers(metrics.get("rejections"))),
        *(_listed(name, metrics.get(name)) for name in OTHER_SECTIONS),
    ]


def _rates(annotators: Mapping[str, Mapping[str, Any]]) -> Figure:
    found = {name: _mapping(said.get("hallucination_rate")) for name, said in annotators.items()}
    found = {name: rate for name, rate in found.items() if isinstance(rate.get("value"), int | float)}
    widest = max((float(rate.get("high") or rate["value"]) for rate in found.values()), default=0.0) or 1.0
    bars = []
    for name, rate in found.items():
        value = float(rate["value"])
        low, high = float(rate.get("low") or value), float(rate.get("high") or value)
        said = f"{value:.2%} ({low:.2%} to {high:.2%})"
        bars.append(Bar(name, said, [(value / widest, "contradicted")], (low / widest, high / widest)))
    return Figure("Hallucination rate", bars, "share of the claims that no fact bears out, with its interval")


def _claims(annotators: Mapping[str, Mapping[str, Any]], when: str) -> Figure:
    bars = []
    for name, said in annotators.items():
        counted = _numbers(_mapping(said.get("claims")).get(when))
        whole = sum(counted.get(verdict, 0) for verdict in VERDICTS)
        if whole:
            pieces = [(counted.get(verdict, 0) / whole, verdict) for verdict in VERDICTS]
            bars.append(Bar(name, f"{whole:,.0f}", pieces))
    return Figure(f"Claims {when} asking again", bars, legend=VERDICTS)


def _spread(wrong: Mapping[str, Any], when: str) -> Figure:
    shares = _numbers(wrong.get(when))
    bars = [Bar(name, f"{share:.1%}", [(share, "plain")]) for name, share in shares.items()]
    return Figure(f"Captions with so many wrong claims, {when} asking again", bars, "contradicted or unsupported")


def _counted(title: str, counted: Mapping[str, float], note: str = "") -> Figure:
    commonest = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    most = max((value for _, value in commonest), default=0) or 1
    bars = [Bar(name, f"{value:,.0f}", [(value / most, "plain")]) for name, value in commonest[:LONGEST_LIST]]
    left = len(commonest) - len(bars)
    return Figure(title, bars, "; ".join(text for text in (note, f"{left} more" if left else "") if text))


def _listed(name: str, content: Any) -> Figure:
    """A section of metrics.json as it stands, nested keys joined."""
    flat = list(_flat("", content, DEEPEST))
    left = len(flat) - LONGEST_LIST
    note = f"{left} more in metrics.json" if left > 0 else ""
    return Figure(name.replace("_", " ").capitalize(), [Bar(key, said) for key, said in flat[:LONGEST_LIST]], note)


def _flat(key: str, content: Any, levels: int) -> Iterable[tuple[str, str]]:
    if isinstance(content, Mapping):
        for inner, value in content.items() if levels else ():
            yield from _flat(f"{key} {inner}".strip().replace("_", " "), value, levels - 1)
    elif isinstance(content, bool | str):
        yield key, str(content)
    elif isinstance(content, int | float):
        yield key, f"{content:,.4g}" if isinstance(content, float) else f"{content:,}"


def _mapping(content: Any) -> Mapping[str, Any]:
    return content if isinstance(content, Mapping) else {}


def _numbers(content: Any) -> dict[str, float]:
    return {str(key): value for key, value in _mapping(content).items() if isinstance(value, int | float)}
