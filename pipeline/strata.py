"""What lies in the cells of the splits: the commonest land use, and the years of the pictures."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from download.scene import Bounds, Scene
from pipeline.decide import SIDES
from pipeline.maps import Maps
from pipeline.split import Cell

UNKNOWN = "unknown"


def strata_of(maps: Maps, scenes: Sequence[Scene], cell: float) -> dict[Cell, str]:
    """The stratum of each cell that a scene touches.

    Args:
        maps: the elements; of a history, the state under the first scene.
        scenes: of the run.
        cell: side of a cell in degrees.

    Returns:
        Such as `landuse=forest 2018+2022`, by cell: the main tag of the areas whose boxes cover most of it, and the
        years in which its scenes were taken.
    """
    years = years_of(scenes, cell)
    uses = _land_use(maps.of(scenes[0]), years, cell)
    return {touched: f"{uses.get(touched, UNKNOWN)} {taken}" for touched, taken in years.items()}


def years_of(scenes: Sequence[Scene], cell: float) -> dict[Cell, str]:
    """The years in which the scenes of each cell were taken, such as `2018+2022`."""
    years: defaultdict[Cell, set[str]] = defaultdict(set)
    for scene in scenes:
        for touched in _cells(scene.bounds, cell):
            years[touched].add(str(scene.acquired.year) if scene.acquired else UNKNOWN)
    return {touched: "+".join(sorted(taken)) for touched, taken in years.items()}


def _cells(bounds: Bounds, cell: float) -> Iterator[Cell]:
    west, south, east, north = (int(np.floor(side / cell)) for side in bounds)
    return ((column, row) for column in range(west, east + 1) for row in range(south, north + 1))


def _land_use(elements: Path, wanted: Iterable[Cell], cell: float) -> dict[Cell, str]:
    """The main tag of the areas whose boxes cover most of each cell."""
    seen_areas = (pc.field("kind") == "area") & pc.field("hidden").is_null() & pc.field("main").is_valid()
    table = pq.read_table(elements, columns=["main", "bbox"], filters=seen_areas, partitioning=None)
    boxes, main = table["bbox"].combine_chunks(), table["main"].combine_chunks().dictionary_encode()
    west, south, east, north = (boxes.field(side).to_numpy() / cell for side in SIDES)
    (left, bottom), (right, top) = (limit(np.array(list(wanted)), axis=0) for limit in (np.min, np.max))
    first = np.clip(np.floor([west, south]).astype(int).T, (left, bottom), (right, top))
    last = np.clip(np.floor([east, north]).astype(int).T, (left, bottom), (right, top))
    wide, high = (last - first + 1).T
    which = np.repeat(np.arange(len(table)), wide * high)
    step = np.arange(len(which)) - np.repeat(np.cumsum(wide * high) - wide * high, wide * high)
    column, row = first[which, 0] + step % wide[which], first[which, 1] + step // wide[which]
    covered = _overlap(west[which], east[which], column) * _overlap(south[which], north[which], row)
    pairs, place = np.unique(
        np.stack([column, row, main.indices.to_numpy()[which]], axis=1), axis=0, return_inverse=True
    )
    sums = np.bincount(place.ravel(), covered, len(pairs))
    ordered = pairs[np.argsort(sums, kind="stable")].tolist()
    names = main.dictionary.to_pylist()
    return {(column, row): names[code] for column, row, code in ordered}  # the last of a cell covers most


def _overlap(low: NDArray[np.float64], high: NDArray[np.float64], place: NDArray[np.int_]) -> NDArray[np.float64]:
    """How much of the unit intervals that begin at places others cover."""
    shared: NDArray[np.float64] = np.minimum(high, place + 1) - np.maximum(low, place)
    return shared.clip(min=0)
