"""How the subjects of a scene stand to each other: for each pair the one thing worth saying."""

from collections.abc import Sequence
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray

from annotation.relations import RELATIONS, Relation, between, relate

SAID_FIRST = {name: rank for rank, name in enumerate(RELATIONS)}
ONLY_NEAR = len(RELATIONS)
"""Rank of a pair that has a direction and a distance, but no relation."""


def scene_relations(
    scenes: Sequence[Sequence[int]],
    geometries: NDArray[np.object_],
    kinds: NDArray[np.str_],
    matrices: NDArray[np.float64],
) -> dict[int, list[Relation]]:
    """Relations among the subjects of many scenes, measured in one go.

    Of each pair the stronger statement is kept (a road crosses a wood; the wood is not "beside" the road). Pairs
    without the first subject, which carries the scene, are told only where they have a relation.

    Args:
        scenes: for each scene the places of its subjects in the arrays, the most important first.
        geometries: (n,) in the unit frames of their patches.
        kinds: (n,) `area`, `line` or `point`.
        matrices: (n, 2, 2) unit frame to ground.

    Returns:
        By place of the subject its relations as `relations.relate` gives them, with `to`, the place of the object;
        what lies `between` two has the other one under `and`.
    """
    pairs = np.array([pair for scene in scenes for pair in permutations(scene, 2)], dtype=np.int64).reshape(-1, 2)
    if not len(pairs):
        return {}
    one, other = pairs.T
    told = relate(geometries[one], geometries[other], (kinds[one], kinds[other]), matrices[one])
    leaders = {scene[0] for scene in scenes}
    best: dict[tuple[int, int], tuple[tuple[int, bool], int, Relation]] = {}
    for (subject, object_), relation in zip(pairs.tolist(), told, strict=True):
        if relation is None:
            continue
        rank = SAID_FIRST.get(relation.get("relation", ""), ONLY_NEAR)
        order = (rank, object_ not in leaders)
        pair = (min(subject, object_), max(subject, object_))
        if pair not in best or order < best[pair][0]:
            best[pair] = (order, subject, {"to": object_, **relation})
    found = _between(scenes, geometries, kinds, matrices)
    for pair, ((rank, _), subject, relation) in sorted(best.items()):
        if rank < ONLY_NEAR or leaders.intersection(pair):
            found.setdefault(subject, []).append(relation)
    return found


def _between(
    scenes: Sequence[Sequence[int]],
    geometries: NDArray[np.object_],
    kinds: NDArray[np.str_],
    matrices: NDArray[np.float64],
) -> dict[int, list[Relation]]:
    """For each subject that lies between two others, the first two of them: `to` and `and`."""
    triples = [
        (subject, *sides)
        for scene in scenes
        for subject in scene[1:]  # what carries the scene is the ground that others stand on
        for sides in combinations([other for other in scene if other != subject], 2)
    ]
    if not triples:
        return {}
    middle, one, other = np.array(triples, dtype=np.int64).T
    holds = between(
        geometries[middle],
        geometries[one],
        geometries[other],
        (kinds[middle], kinds[one], kinds[other]),
        matrices[middle],
    )
    found: dict[int, list[Relation]] = {}
    for subject, first, second in (triple for triple, held in zip(triples, holds.tolist(), strict=True) if held):
        found.setdefault(subject, [{"relation": "between", "to": first, "and": second}])
    return found
