"""What is told of a picture that was taken for the sake of one object: that first, then what is around it."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from annotation.tasks import CANDIDATES, KINDS, SCENE_MAX, Plan
from pipeline.config import Config, TaskWeights
from pipeline.draw import draw
from pipeline.grid import Block, Patches
from pipeline.samples import Met, UnitElements, make_plans

Subject = tuple[int, ...]

AROUND: Final = TaskWeights(area=1e-9, non_area=1e-9, scene=1)
"""Scenes wherever there can be one: these put what is around an object in order."""


def focus_plans(
    ids: Sequence[str], config: Config, block: Block, patches: Patches, elements: UnitElements, met: Met
) -> list[Plan]:
    """One plan for each patch in which its object can be seen.

    The task is `area` for an area, `non_area` for a line or a point, or `scene`, which tells up to four things of
    other classes after the object. Where both are possible, the configuration's weights say how often.

    Args:
        ids: OSM id of the object of each patch.
        config: of the run.
        block: where the patches lie.
        patches: of the block.
        elements: around them.
        met: what of these the patches show.
    """
    captions = config.captions.model_copy(update={"tasks": AROUND})
    ranked = make_plans(config.model_copy(update={"captions": captions}), block, patches, elements, met)
    around = {plan.patch: plan.candidates for plan in ranked}
    places = {key: place for place, key in enumerate(elements.ids)}
    focus = np.array([places.get(key, -1) for key in ids], dtype=np.int64)
    rows = np.flatnonzero(met.element == focus[met.patch]).tolist()
    plans = (
        _plan(
            config,
            ids[met.patch[row]],
            row,
            _others(row, around.get(int(met.patch[row]), ()), elements, met),
            elements,
            met,
        )
        for row in rows
    )
    return [plan for plan in plans if plan]


def _others(row: int, subjects: Sequence[Subject], elements: UnitElements, met: Met) -> list[Subject]:
    """One subject of each class but the object's own, in the order given."""
    classes = {int(elements.klass[met.element[row]])}
    others = []
    for subject in subjects:
        klass = int(elements.klass[met.element[subject[0]]])
        if klass not in classes:
            classes.add(klass)
            others.append(subject)
    return others


def _plan(
    config: Config, key: str, row: int, others: Sequence[Subject], elements: UnitElements, met: Met
) -> Plan | None:
    weights, lot = config.captions.tasks, f"{config.seed}/{key}"
    single = "area" if KINDS[elements.kinds[met.element[row]]] == "area" else "non_area"
    scene, alone = weights.scene * bool(others), weights.weights[single]
    if scene + alone == 0:
        return None
    is_scene = draw(f"{lot}/task") * (scene + alone) < scene
    told: tuple[Subject, ...] = ((row,), *(others[: SCENE_MAX - 1] if is_scene else ()))
    mean = weights.revision.mean
    revisions = int(mean) + (draw(f"{lot}/revisions") < mean % 1)
    known = ((row,), *others)[:CANDIDATES]
    return Plan(int(met.patch[row]), "scene" if is_scene else single, told, known, revisions)
