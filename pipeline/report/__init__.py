"""Reports: a run that can be looked at, and described where it is published."""

from pathlib import Path

from pipeline.store import RunFolder


def write_report(folder: RunFolder) -> Path:
    """Writes the page, the dataset card and the Croissant metadata of a run; returns the page to open.

    Raises:
        PipelineError: the folder holds no finished shards.
    """
    from pipeline.report.card import write_card
    from pipeline.report.croissant import write_croissant
    from pipeline.report.look import Finished
    from pipeline.report.page import write_page
    from pipeline.report.regionmap import draw_map

    run = Finished.of(folder)
    drawn = draw_map(run)
    write_card(run, drawn)
    write_croissant(run)
    return write_page(run, drawn)
