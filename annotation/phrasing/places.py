"""Places in the frame in English and back: top is north, right is east."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import compress

from annotation.measuring.frame import CELLS, EDGES
from annotation.phrasing.phrases import plain

Cells = frozenset[str]

_ROWS = (CELLS[0:3], CELLS[3:6], CELLS[6:9])
_COLUMNS = tuple(zip(*_ROWS, strict=True))
ALL = frozenset(CELLS)


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the frame that has words.

    Attributes:
        texts: what is said of it.
        cells: the cells that it consists of.
        needs: cells of which an element must lie in at least one.
        bounds: cells that an element may touch without the words being wrong.
        least: number of cells that an element must lie in.
        all_needed: whether all of `needs` must hold it.
    """

    texts: tuple[str, ...]
    cells: Cells
    needs: Cells
    bounds: Cells
    least: int = 1
    all_needed: bool = False

    def suits(self, cells: Cells) -> bool:
        """Whether its words are said of an element in these cells."""
        return cells <= self.cells and self._needed(cells)

    def holds(self, cells: Cells) -> bool:
        """Whether its words are true of an element in these cells."""
        return cells <= self.bounds and self._needed(cells)

    def _needed(self, cells: Cells) -> bool:
        needed = self.needs <= cells if self.all_needed else bool(self.needs & cells)
        return needed and len(cells) >= self.least


def _corners() -> list[Region]:
    """The corner cells, and the quarters of the frame about them."""
    regions = []
    for row, vertical, edge, north in (
        (_ROWS[0], "upper", "top", "north"),
        (_ROWS[2], "lower", "bottom", "south"),
    ):
        for column, side, west in ((_COLUMNS[0], "left", "west"), (_COLUMNS[2], "right", "east")):
            cell = frozenset(row) & frozenset(column)
            quarter = cell | {row[1], column[1], "center"}
            compass = f"{north}-{west}"
            texts = (
                f"in the {vertical} {side}", f"in the {compass}",
                f"in the {edge} {side} corner", f"in the {compass} corner",
                f"in the {vertical} {side} corner", f"in the {compass}ern corner",
            )  # fmt: skip
            wider = (
                f"in the {vertical} {side} part", f"in the {compass}ern part", f"towards the {vertical} {side}",
                f"towards the {compass}", f"in the {vertical} {side} quarter", f"in the {compass}ern quarter",
            )  # fmt: skip
            regions += [Region(texts, cell, cell, quarter), Region(wider, quarter, cell, quarter)]
    return regions


def _sides() -> list[Region]:
    """The middle cells of the sides, the rows and columns at the edges, and the halves of the frame."""
    regions = []
    for band, next_, edge, upper, north in (
        (_ROWS[0], _ROWS[1], "top", "upper", "north"),
        (_ROWS[2], _ROWS[1], "bottom", "lower", "south"),
        (_COLUMNS[0], _COLUMNS[1], "left", "left", "west"),
        (_COLUMNS[2], _COLUMNS[1], "right", "right", "east"),
    ):
        row, half = frozenset(band), frozenset(band) | frozenset(next_)
        at = "at" if edge in ("top", "bottom") else "on"
        run = "from west to east" if at == "at" else "from north to south"
        north_side = f"{north}ern side"
        middle = (
            f"{at} the {edge}, in the middle",
            f"in the middle of the {north_side}",
            f"halfway along the {north_side}",
        )
        along = (
            f"along the {edge}",
            f"along the {north_side}",
            f"all along the {edge} side",
            f"in the {north}, {run}",
        )
        wide = (
            f"{at} the {edge}", f"in the {north}", f"on the {north_side}", f"in the {upper} part",
            f"in the {north}ern part",
        )  # fmt: skip
        halves = (
            f"in the {upper} half",
            f"in the {north}ern half",
            f"towards the {edge}",
            f"towards the {north}",
        )
        regions += [
            Region(middle, frozenset((band[1],)), frozenset((band[1],)), row | {"center"}),
            Region(along, row, row, half, least=3),
            Region(wide, row, row, half),
            Region(halves, half, row, half),
        ]
    return regions


def _middles() -> list[Region]:
    """The centre, the middle row and column, and the diagonals."""
    centre, level, upright = frozenset(("center",)), frozenset(_ROWS[1]), frozenset(_COLUMNS[1])
    falling, rising = frozenset(CELLS[0::4]), frozenset(CELLS[2:7:2])
    middle = (
        "in the middle",
        "in the centre",
        "at the centre",
        "in the central part",
        "at the heart of the scene",
    )
    across = (
        "across the middle",
        "across the middle from west to east",
        "through the centre from west to east",
    )
    down = (
        "down the middle",
        "down the middle from north to south",
        "through the centre from north to south",
    )
    return [
        Region(middle, centre, centre, level | upright),
        Region(across, level, level, ALL - {"top", "bottom"}, least=3),
        Region(down, upright, upright, ALL - {"left", "right"}, least=3),
        _diagonal(falling, "from the upper left to the lower right", "from the north-west to the south-east"),
        _diagonal(rising, "from the lower left to the upper right", "from the south-west to the north-east"),
    ]


def _diagonal(cells: Cells, *texts: str) -> Region:
    """Two opposite corners and what lies between them."""
    return Region((*texts, "diagonally across the frame"), cells, cells - {"center"}, ALL, least=2, all_needed=True)


_EVERYWHERE = (
    Region(("across the whole frame", "all over the scene", "from edge to edge"), ALL, ALL, ALL, least=9),
    Region(("across much of the frame", "over much of the scene"), ALL, ALL, ALL, least=5),
)

REGIONS: tuple[Region, ...] = (*_corners(), *_middles(), *_sides(), *_EVERYWHERE)

_FRAME_WORDS = (
    "in the upper left", "at the top", "in the upper right",
    "on the left", "in the centre", "on the right",
    "in the lower left", "at the bottom", "in the lower right",
)  # fmt: skip
_COMPASS_WORDS = (
    "in the north-west", "in the north", "in the north-east",
    "in the west", "in the middle", "in the east",
    "in the south-west", "in the south", "in the south-east",
)  # fmt: skip
_VERTICAL = {
    "upper": "top",
    "top": "top",
    "north": "top",
    "lower": "bottom",
    "bottom": "bottom",
    "south": "bottom",
}
_LEVEL = {"left": "left", "west": "left", "right": "right", "east": "right"}
_MENTION = re.compile(
    rf"\b(?:({'|'.join(_VERTICAL)})(?:ern)?(?:[ -]({'|'.join(_LEVEL)})(?:ern)?)?|({'|'.join(_LEVEL)})(?:ern)?"
    r"|middle|centre|central|heart)\b"
)
_FRAME_EDGES = {"north": "top", "east": "right", "south": "bottom", "west": "left"}
_EDGE_NAMES = {name: edge for edge, name in _FRAME_EDGES.items()}
_SPANS: dict[str, Cells] = {
    **{cell: frozenset((cell,)) for cell in CELLS},
    "top": frozenset(_ROWS[0]),
    "bottom": frozenset(_ROWS[2]),
    "left": frozenset(_COLUMNS[0]),
    "right": frozenset(_COLUMNS[2]),
}


def cells_of(position: Collection[str]) -> Cells:
    """The cells that a `position` fact stands for; `whole` is all of them."""
    return ALL if "whole" in position else frozenset(position)


def position_phrases(position: Collection[str]) -> tuple[str, ...]:
    """Phrases for a `position` fact, the most precise first; at least two if it is not empty."""
    cells = cells_of(position)
    if not cells:
        return ()
    suiting = sorted((region for region in REGIONS if region.suits(cells)), key=lambda region: len(region.cells))
    texts = [text for region in suiting for text in region.texts]
    if not suiting:
        here = [cell in cells for cell in CELLS]
        texts = [_joined(list(compress(words, here))) for words in (_FRAME_WORDS, _COMPASS_WORDS)]
    return tuple(dict.fromkeys(texts))


def read_position(phrase: str) -> tuple[Region, ...]:
    """Regions that a phrase may mean: it is true of an element if one of them `holds` its cells.

    Knows all that `position_phrases` says, and free wordings with one place in them (`on the eastern edge`,
    `northwest of the centre of the image`); empty if there is none.
    """
    text = plain(phrase)
    found = tuple(region for region in REGIONS if text in map(plain, region.texts))
    if found:
        return found
    places = [_place(mention) for mention in _MENTION.finditer(text)]
    if len(places) == 1:
        span = _SPANS[places[0]]
        return tuple(region for region in REGIONS if region.cells == span and region.least == 1)
    if len(places) > 1 and " and " in text:
        named = frozenset(places)
        return (Region((), named, named, named, least=len(named)),)
    return ()


def position_holds(phrase: str, position: Collection[str]) -> bool | None:
    """Whether a phrase is true of a `position` fact; None where the phrase names no place."""
    regions = read_position(phrase)
    return any(region.holds(cells_of(position)) for region in regions) if regions else None


def edge_phrases(edges: Collection[str]) -> tuple[str, ...]:
    """Phrases for the `edges` that cut an element; none for an element that lies wholly inside."""
    if not edges:
        return ()
    cut = [edge for edge in EDGES if edge in edges]
    frame = _joined([f"the {_FRAME_EDGES[edge]}" for edge in cut])
    if len(cut) == len(EDGES):
        return (
            "running out of the frame on all sides",
            "cut off by all four edges",
            "reaching every edge of the frame",
        )
    compass = _joined([f"the {edge}ern" for edge in cut]) + (" edges" if len(cut) > 1 else " edge")
    return (
        f"cut off by {compass}",
        f"running out of the frame at {frame}",
        f"continuing beyond {compass}",
        f"reaching {compass}",
        f"going on past {frame} of the frame",
    )


def read_edges(phrase: str) -> frozenset[str]:
    """Edges that a phrase names, whatever its verb; empty if none."""
    text = plain(phrase)
    if re.search(r"\b(all four|all|every|each)\b.*\b(edges?|sides?|borders?)\b", text):
        return frozenset(EDGES)
    named = re.findall(r"\b(top|bottom|left|right|north|east|south|west)(?:ern)?\b", text)
    return frozenset(_EDGE_NAMES.get(name, name) for name in named)


def _place(mention: re.Match[str]) -> str:
    """The cell that a mention of a place names."""
    vertical, level = _VERTICAL.get(mention[1] or ""), _LEVEL.get(mention[2] or mention[3] or "")
    return "-".join(filter(None, (vertical, level))) or "center"


def _joined(texts: list[str]) -> str:
    """Texts as an English enumeration."""
    return " and ".join(filter(None, (", ".join(texts[:-1]), texts[-1])))
