"""Splits of whole cells whose mixtures are near that of the whole.

A cell (a square of ground, a place, whatever must not be torn) goes into one split with all it holds, so neighbours
never straddle. Its samples belong to strata, such as (class, year), and each split should hold its share of each.

The algorithm is that of Sechidis, Tsoumakas and Vlahavas (2011, doi:10.1007/978-3-642-23808-6_10) for sets with several
labels, turned from samples to cells:

1. Every split is owed its share of every stratum. Strata too small for every split to get a whole sample are put
   together: of each alone, the largest split would get all.
2. Cells are taken the largest first, since small ones can still mend what large ones have upset; cells of equal size
   in the order of their lots, which fall from seed and name.
3. A cell goes where most of it is owed: to the split with the largest sum, over the strata of the cell, of samples that
   it would take off that split's debt, each divided by what is still owed of the stratum, so that rare strata are dealt
   out before they are gone. What comes on top of what is owed counts
   against the split. Of equal ones the split with the largest debt in all takes it, relative to its share; then the one
   with the better lot.

Nothing depends on the order in which cells are given, nor on more than the cells, the shares and the seed. All cells
must be known: a cell more may move others. Where that must not be, deal cells out by their lots alone (`split`).
"""

from collections import Counter
from collections.abc import Hashable, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.draw import draw

Stratum = TypeVar("Stratum", bound=Hashable)

GAIA_SHARES: Mapping[str, float] = {"train": 0.7, "test": 0.2, "validation": 0.1}
"""As GAIA was published."""


def assign(cells: Mapping[str, Counter[Stratum]], shares: Mapping[str, float], seed: int) -> dict[str, str]:
    """The split of each cell.

    Args:
        cells: how many samples of each stratum a cell holds.
        shares: of each split, not negative; they need not sum to 1.
        seed: draws the lots.

    Returns:
        A split for each cell, in the order of the cells' names. No split without a share gets a cell.

    Raises:
        ValueError: no split has a share, or one is negative.
    """
    splits = [name for name, share in shares.items() if share]
    wanted: NDArray[np.float64] = np.array([shares[name] for name in splits], dtype=np.float64)
    if not splits or (wanted < 0).any():
        raise ValueError("shares have to be 0 or more, and one of them more than 0")
    wanted /= wanted.sum()
    strata, totals = _strata(cells, 1 / max(wanted.min(), 1e-9))
    owed: NDArray[np.float64] = wanted[:, None] * totals
    lots = {name: draw(f"{seed}/{name}") for name in cells}
    found: dict[str, str] = {}
    for name in sorted(cells, key=lambda name: (-cells[name].total(), lots[name], name)):
        held: Counter[int] = Counter()
        for stratum, count in cells[name].items():
            held[strata[stratum]] += count
        places, counts = np.array(list(held), dtype=np.intp), np.array(list(held.values()), dtype=np.float64)
        split = _neediest(owed, wanted, places, counts, f"{seed}/{name}")
        owed[split, places] -= counts
        found[name] = splits[split]
    return {name: found[name] for name in sorted(found)}


def distance(cells: Mapping[str, Counter[Stratum]], splits: Mapping[str, str]) -> float:
    """How far the splits' mixtures are from that of the whole, 0 to 1.

    The mean over splits, weighted by samples, of half the sum of the differences of all strata's shares (total
    variation).
    """
    whole: Counter[Stratum] = Counter()
    parts: dict[str, Counter[Stratum]] = {}
    for name, cell in cells.items():
        whole.update(cell)
        parts.setdefault(splits[name], Counter()).update(cell)
    apart = 0.0
    for part in parts.values():
        differences = (abs(part[stratum] / part.total() - count / whole.total()) for stratum, count in whole.items())
        apart += part.total() / whole.total() * sum(differences) / 2
    return apart


def _strata(cells: Mapping[str, Counter[Stratum]], least: float) -> tuple[Mapping[Stratum, int], NDArray[np.float64]]:
    """The place of each stratum, that of small ones shared, and how many samples are at each place."""
    totals: Counter[Stratum] = Counter()
    for cell in cells.values():
        totals.update(cell)
    kept = [stratum for stratum, count in totals.items() if count >= least]
    places = dict.fromkeys(totals, len(kept)) | {stratum: place for place, stratum in enumerate(kept)}
    sums = np.zeros(len(kept) + 1)
    for stratum, count in totals.items():
        sums[places[stratum]] += count
    return places, sums


def _neediest(
    owed: NDArray[np.float64],
    wanted: NDArray[np.float64],
    places: NDArray[np.intp],
    counts: NDArray[np.float64],
    lot: str,
) -> int:
    """The split of which a cell pays off most; see the module's third step."""
    debts = owed[:, places]
    rarity = 1 / np.maximum(np.abs(owed).sum(axis=0)[places], 1.0)
    upset = np.abs(debts) - np.abs(debts - counts)
    gain = (upset * rarity).sum(axis=1)
    size = owed.sum(axis=1) / wanted
    keys = [(round(gain[k], 9), round(size[k], 6), draw(f"{lot}/{k}"), k) for k in range(len(wanted))]
    return max(keys)[-1]
