"""The ablation table in the terminal and as Markdown."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.compare import Comparison

Show = Callable[[Any], str]
ABSENT = "-"
SPECIAL = "\\`*_{}[]<>|~#$!&"


def _share(value: float) -> str:
    return f"{value:.2%}"


def _rate(rate: Mapping[str, float]) -> str:
    return f"{rate['value']:.2%} ({rate['low']:.2%} to {rate['high']:.2%})"


COLUMNS: Mapping[str, tuple[str, Show]] = {
    "run": ("run", str),
    "annotators": ("annotators", ", ".join),
    "captions": ("captions", "{:,}".format),
    "hallucination": ("hallucination (95 %)", _rate),
    "hallucination_after": ("after asking again", _rate),
    "rejected": ("answers refused", _share),
    "mtld": ("MTLD", "{:.1f}".format),
    "words": ("words", "{:.1f}".format),
    "tokens_per_s": ("tokens/s", "{:,.0f}".format),
    "cost_per_1000": ("cost per 1,000", "{:.4f}".format),
}
"""Key of a row, its heading, and how its values are written."""

_DIFFERENCE = ("difference", "figure", "patches", "mean", "95 %")


def run_cells(comparison: Comparison) -> list[list[str]]:
    """The ablation table, a row a run, as texts under the headings of `COLUMNS`."""
    return [
        [show(row[key]) if row[key] is not None else ABSENT for key, (_, show) in COLUMNS.items()]
        for row in comparison.runs
    ]


def difference_cells(comparison: Comparison) -> list[list[str]]:
    """Paired differences as texts."""
    return [
        [
            f"{row['first']} less {row['second']}",
            row["figure"].replace("_", " "),
            f"{row['patches']:,}",
            f"{row['value']:+.4f}",
            f"{row['low']:+.4f} to {row['high']:+.4f}",
        ]
        for row in comparison.differences
    ]


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Prints both tables, runs side by side; names are data and never markup."""
    console.print(f"{len(comparison.shared):,} shared samples", highlight=False)
    (figures, runs), (headings, differences) = _tables(comparison)
    _print(list(zip(figures, *runs, strict=True)), console, left=1)
    _print([headings, *differences], console, left=2)


def _print(rows: Sequence[Sequence[str]], console: Console, left: int) -> None:
    """Prints rows, the first as headings; so many columns stand at the left."""
    table = Table(show_edge=False, pad_edge=False)
    for number, heading in enumerate(rows[0]):
        table.add_column(Text(_plain(heading)), justify="left" if number < left else "right", overflow="fold")
    for row in rows[1:]:
        table.add_row(*(Text(_plain(cell)) for cell in row))
    console.print(table)


def markdown(comparison: Comparison) -> str:
    """Both tables as Markdown."""
    pieces = [f"{len(comparison.shared):,} shared samples."]
    for headings, cells in _tables(comparison):
        lines = [headings, ["---" if number < 2 else "---:" for number in range(len(headings))]]
        lines += [[_escaped(cell) for cell in row] for row in cells]
        pieces.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
    return "\n\n".join(pieces) + "\n"


def _tables(comparison: Comparison) -> list[tuple[list[str], list[list[str]]]]:
    return [
        ([heading for heading, _ in COLUMNS.values()], run_cells(comparison)),
        (list(_DIFFERENCE), difference_cells(comparison)),
    ]


def _plain(text: str) -> str:
    """Without control characters, which a terminal would obey."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in SPECIAL else letter for letter in _plain(text))


def headings() -> Sequence[str]:
    """Headings of the ablation table."""
    return [heading for heading, _ in COLUMNS.values()]
