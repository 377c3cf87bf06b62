"""All claims of a caption, mark by mark."""

from collections.abc import Callable, Mapping

from annotation.checks.claiming import edges, measures, relating, sites, traits
from annotation.checks.claiming.lexicon import Found, Meaning
from annotation.checks.claiming.marks import Mark
from annotation.checks.claiming.reading import Raw, Reading

Handler = Callable[[Reading, Mark, int, Meaning], bool]
"""Takes a phrase, its number among the marks and one of its meanings; true where it has that meaning here."""

_PHRASES: Mapping[str, Handler] = {
    "course": traits.course,
    "shape": traits.shape,
    "arranged": traits.arranged,
    "attribute": traits.attribute,
    "axis": traits.axis,
    "rel": relating.relation,
    "edge": edges.edge,
    "all edges": edges.all_edges,
    "whole": edges.whole,
}


def claims(reading: Reading) -> list[Raw]:
    """All claims, in no order."""
    for number, mark in enumerate(reading.marks):
        if number in reading.done:
            continue
        if mark.kind == "quantity":
            measures.quantity(reading, mark, number)
        elif mark.kind == "place":
            sites.place(reading, number)
        elif isinstance(mark.content, Found) and mark.start not in reading.by_start:
            _phrase(reading, mark, number)
    return reading.found


def _phrase(reading: Reading, mark: Mark, number: int) -> None:
    """The claim of a phrase, by the first of its meanings that makes one."""
    for meaning in mark.content.meanings:
        handler = _PHRASES.get(meaning.kind)
        if handler and handler(reading, mark, number, meaning):
            return
