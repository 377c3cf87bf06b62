"""The command that compares runs."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console


def compare_runs(
    folders: Sequence[Path], console: Console, *, page: Path | None, as_markdown: bool, as_json: bool
) -> None:
    """Compares runs: a table in the terminal, or Markdown in its place, a page, and JSON as the last line.

    Args:
        folders: run folders, two or more.
        console: where tables go.
        page: HTML file to write; None writes none.
        as_markdown: print the tables as Markdown.
        as_json: end with one line of JSON.

    Raises:
        PipelineError: a folder holds no run, or the runs share no sample.
        DownloadError: a shard that holds a picture is damaged.
    """
    import json

    from pipeline.compare import compare, open_runs
    from pipeline.compare_tables import markdown, print_comparison
    from pipeline.report.compare import write_page

    runs = open_runs(folders)
    comparison = compare(runs)
    if as_markdown:
        sys.stdout.write(markdown(comparison))
    else:
        print_comparison(comparison, console)
    if page:
        write_page(comparison, runs, page)
        console.print(str(page), markup=False, highlight=False)
    if as_json:
        sys.stdout.write(json.dumps(comparison.as_json(), sort_keys=True) + "\n")
