"""Reports: a run that can be looked at."""

from pathlib import Path

from pipeline.store import RunFolder


def write_report(folder: RunFolder) -> Path:
    """Writes the contact sheet and the dataset card of a run; returns the page to open.

    Raises:
        PipelineError: the folder holds no finished shards.
    """
    from pipeline.report.card import write_card
    from pipeline.report.sheet import write_sheet

    write_card(folder)
    return write_sheet(folder)
