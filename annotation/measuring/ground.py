"""Geometries of a patch on the ground: valid, in metres, of the dimension that their kind asks for."""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from annotation.measuring.parts import DIMENSIONS, Floats, Objects, ground_copies, take_apart


def on_ground(
    geometries: Sequence[Objects], kinds: Sequence[NDArray[np.str_]], matrices: Floats
) -> list[tuple[Objects, NDArray[np.int8]]]:
    """Clean geometries of pairs or triples in metres; each is cleaned once, in however many of them it is.

    Args:
        geometries: (n,) geometries in the unit frame: of all first ones, of all second ones, …
        kinds: `area`, `line` or `point` of each, likewise.
        matrices: (n, 2, 2) unit frame to ground.

    Returns:
        For the first ones, the second ones, … (n,) geometries, their parts together, and (n,) dimensions; -1 for what
        has not the dimension of its kind.
    """
    every, kind = np.concatenate(geometries), np.concatenate(kinds)
    matrix = np.concatenate([matrices] * len(geometries))
    first, again = _once(every, kind, matrix)
    together, dimension = _cleaned(every[first], kind[first], matrix[first])
    return [(together[place], dimension[place]) for place in np.split(again, len(geometries))]


def _once(geometries: Objects, kinds: NDArray[np.str_], matrices: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each geometry, which is in several pairs, stands first, and for each pair which of these it is."""
    same = np.empty((len(geometries), 6), dtype=np.int64)
    same[:, 0] = [id(geometry) for geometry in geometries]
    same[:, 1] = np.unique(kinds, return_inverse=True)[1]
    same[:, 2:] = np.ascontiguousarray(matrices, dtype=np.float64).reshape(-1, 4).view(np.int64)
    _, first, again = np.unique(same, axis=0, return_index=True, return_inverse=True)
    return first, again.ravel()


def _cleaned(geometries: Objects, kinds: NDArray[np.str_], matrices: Floats) -> tuple[Objects, NDArray[np.int8]]:
    parts = take_apart(geometries, kinds)
    ground = ground_copies(parts.simple, matrices[parts.owner])
    dimension = np.full(len(kinds), -1, dtype=np.int8)
    together = np.empty(len(kinds), dtype=object)
    for kind, collect in (
        ("point", shapely.multipoints),
        ("line", shapely.multilinestrings),
        ("area", shapely.multipolygons),
    ):
        real = (kinds == kind) & (parts.dimension == DIMENSIONS[kind])
        here = real[parts.owner]
        if here.any():
            owners, index = np.unique(parts.owner[here], return_inverse=True)
            together[owners] = collect(ground[here], indices=index)
            dimension[owners] = DIMENSIONS[kind]
    # Members of a group may overlap: one ground, and not a hole where they do.
    broken = np.flatnonzero((dimension == DIMENSIONS["area"]) & ~shapely.is_valid(together))
    together[broken] = shapely.make_valid(together[broken], method="structure", keep_collapsed=False)
    return together, dimension
