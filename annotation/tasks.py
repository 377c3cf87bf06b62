"""Which elements of a patch are told, and as which task.

One call decides for all patches of a unit, on arrays: elements above a threshold and groups of repeated small
things are *subjects*; each patch draws one task among those that its subjects allow, and the subjects for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from annotation.errors import AnnotationError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Seeds = NDArray[np.uint64]
Flags = NDArray[np.bool_]

KINDS = ("area", "line", "point")
"""Kinds of elements by their code in `Pairs.kind`."""
AREA, LINE, POINT = range(3)
FIRST_TASKS = ("area", "non_area", "scene")

GROUP_MIN = 3
"""Fewer small things of a class are no group."""
GROUP_SHARE = 0.02
GROUP_COUNT = 5
"""A group fills an area caption by itself from this share of the patch or from this number of members on: a
fiftieth of RSTeller's 268.8 m patch is 1,400 m², a dozen family houses; five are more than a glance counts."""
SCENE_MIN, SCENE_MAX = 2, 5
SCENE_FADE = 0.15
"""A scene leaves out subjects whose score is below this part of the best."""
CANDIDATES = 6
POINT_EXTENT = 0.02
"""Extent that one member without an area lends to its group."""


class Policy(BaseModel):
    """How elements are chosen.

    `rsteller` is the published rule (arXiv 2408.14744): areas above 0.05 of the patch or lines above 0.3 of its
    side, the three largest, one of them by lot. `salience` draws among all above the thresholds, and among groups
    of repeated small things, by visibility, extent and rarity of the class.

    Attributes:
        kind: the rule.
        min_share: smallest area told, as a share of the patch.
        min_length: shortest line told, in patch sides.
        top: how many of the largest `rsteller` draws from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["rsteller", "salience"] = "salience"
    min_share: float = Field(default=0.05, ge=0, le=1)
    min_length: float = Field(default=0.3, ge=0)
    top: int = Field(default=3, ge=1)


@dataclass(frozen=True, slots=True)
class Pairs:
    """All visible (patch, element) pairs of a unit; every array has one entry a pair.

    Attributes:
        patch: number of the patch within the unit.
        key: identity of the element, the same on every run (its OSM id, say); feeds the lots.
        kind: index into `KINDS`.
        klass: any number that is equal for elements that are counted together.
        share: share of the patch; 0 for lines and points.
        length: length within the patch, in patch sides; 0 for areas and points.
        weight: see `weights`.
    """

    patch: Ints
    key: Seeds
    kind: Ints
    klass: Ints
    share: Floats
    length: Floats
    weight: Floats


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be told of one patch.

    A subject is a tuple of rows of `Pairs`: one row is an element, several are a group.

    Attributes:
        patch: number of the patch within the unit.
        task: `area`, `non_area` or `scene`.
        told: the subjects of the caption; one, or two to five for a scene.
        candidates: what else is worth knowing of: at most six subjects, those of `told` first, then by salience.
        revisions: how many rewritten captions follow the first.
    """

    patch: int
    task: str
    told: tuple[tuple[int, ...], ...]
    candidates: tuple[tuple[int, ...], ...]
    revisions: int


@dataclass(frozen=True, slots=True)
class _Subjects:
    """Elements and groups of all patches; members of subject i are `rows[start[i]:start[i] + count[i]]`."""

    rows: Ints
    start: Ints
    count: Ints
    patch: Ints
    key: Seeds
    first_of_class: Flags
    area: Flags
    line: Flags
    size: Floats
    score: Floats

    def members(self, subject: int) -> tuple[int, ...]:
        first = self.start[subject]
        return tuple(self.rows[first : first + self.count[subject]].tolist())


def choose(pairs: Pairs, seeds: Seeds, tasks: Mapping[str, float], policy: Policy) -> list[Plan]:
    """One plan for each patch that has something to tell for one of the tasks.

    Args:
        pairs: visible pairs of the unit.
        seeds: (m,) a seed for each patch.
        tasks: weights of `area`, `non_area` and `scene` where several are possible, and `revision`, the mean
            number of rewritten captions (1.5: one or two, by lot).
        policy: thresholds and rule.

    Returns:
        Plans in the order of patches. The lots depend on a patch's own seed and elements only.

    Raises:
        AnnotationError: an unknown task, or no positive weight.
    """
    odds = _odds(tasks)
    subjects = _subjects(pairs, policy)
    if not len(subjects.patch):
        return []
    task = _draw_tasks(subjects, seeds, odds)
    lot = _lots(subjects, seeds, policy)
    revisions = _revisions(seeds, tasks.get("revision", 0.0))
    by_score = np.lexsort((subjects.key, -subjects.score, subjects.patch))
    by_lot = np.lexsort((subjects.key, -lot, subjects.patch))
    starts = np.searchsorted(subjects.patch[by_score], np.arange(len(seeds) + 1))
    plans = []
    for patch in np.flatnonzero(task >= 0).tolist():
        mine = slice(starts[patch], starts[patch + 1])
        ranked = by_score[mine]
        name = FIRST_TASKS[task[patch]]
        told = _scene(subjects, ranked) if name == "scene" else _one(subjects, by_lot[mine], name)
        known = told + [subject for subject in ranked[:CANDIDATES].tolist() if subject not in told]
        plans.append(
            Plan(
                patch,
                name,
                tuple(subjects.members(subject) for subject in told),
                tuple(subjects.members(subject) for subject in known[:CANDIDATES]),
                int(revisions[patch]),
            )
        )
    return plans


def _odds(tasks: Mapping[str, float]) -> Floats:
    unknown = sorted(set(tasks) - {*FIRST_TASKS, "revision"})
    if unknown:
        raise AnnotationError(
            f"captions.tasks: no task {unknown[0]!r}; there are {', '.join(FIRST_TASKS)} and revision"
        )
    odds = np.array([tasks.get(name, 0.0) for name in FIRST_TASKS], dtype=np.float64)
    if (odds < 0).any() or not odds.any():
        raise AnnotationError("captions.tasks: give area, non_area or scene a weight above 0, and none below")
    return odds


def _subjects(pairs: Pairs, policy: Policy) -> _Subjects:
    """Elements above their threshold, then groups (`salience` only)."""
    area = (pairs.kind == AREA) & (pairs.share > policy.min_share)
    line = (pairs.kind == LINE) & (pairs.length > policy.min_length)
    single = np.flatnonzero(area | line)
    rows, start, count = single, np.arange(len(single)), np.ones(len(single), dtype=np.int64)
    if policy.kind == "salience":
        small = np.flatnonzero((pairs.kind == POINT) | ((pairs.kind == AREA) & ~area))
        members, heads, sizes = _groups(pairs, small, np.flatnonzero(area))
        rows = np.concatenate([single, members])
        start, count = np.concatenate([start, heads + len(single)]), np.concatenate([count, sizes])
    share = np.add.reduceat(pairs.share[rows], start) if len(start) else np.zeros(0)
    first = rows[start]
    group = count > 1
    is_area = np.where(group, (share >= GROUP_SHARE) | (count >= GROUP_COUNT), area[first])
    spread = np.where(pairs.kind[first] == LINE, np.minimum(pairs.length[first], 1) / 4, share)
    extent = np.sqrt(spread + np.where(group, POINT_EXTENT * np.minimum(count, 20), 0))
    weight = np.minimum.reduceat(pairs.weight[rows], start) if len(start) else np.zeros(0)  # the commonest counts
    score = weight * extent
    repeats = _rank(pairs.patch[first], pairs.klass[first], score)
    return _Subjects(
        rows=rows,
        start=start,
        count=count,
        patch=pairs.patch[first],
        key=pairs.key[first],
        first_of_class=repeats == 1,
        area=is_area.astype(bool),
        line=line[first] & ~group,
        size=np.where(line[first], pairs.length[first], share),
        score=score / repeats,
    )


def _groups(pairs: Pairs, small: Ints, large: Ints) -> tuple[Ints, Ints, Ints]:
    """Rows of grouped pairs, where each group starts in them, and how many it has.

    A group counts all of its class in the patch, also those large enough to be told by themselves: `five houses` where
    three larger ones stand beside them would not be true. A small one comes first and stands for the group.
    """
    rows, is_large = np.concatenate([small, large]), np.repeat([False, True], [len(small), len(large)])
    by_class = np.lexsort((pairs.key[rows], is_large, pairs.klass[rows], pairs.patch[rows]))
    order, is_large = rows[by_class], is_large[by_class]
    same = (pairs.patch[order][1:] == pairs.patch[order][:-1]) & (pairs.klass[order][1:] == pairs.klass[order][:-1])
    start = np.flatnonzero(np.concatenate([[True], ~same])) if len(order) else np.zeros(0, dtype=np.int64)
    count = np.diff(np.append(start, len(order)))
    kept = count - np.add.reduceat(is_large, start, dtype=np.int64) >= GROUP_MIN if len(order) else count > 0
    rows = order[np.repeat(kept, count)]
    count = count[kept]
    return rows, np.cumsum(count) - count, count


def _rank(patch: Ints, klass: Ints, score: Floats) -> Ints:
    """1 for the best of its class in its patch, 2 for the next, …: the third street of a patch adds less."""
    order = np.lexsort((-score, klass, patch))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (patch[order][1:] != patch[order][:-1]) | (klass[order][1:] != klass[order][:-1])
    place = np.arange(len(order))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = place - np.maximum.accumulate(np.where(new, place, 0)) + 1
    return rank


def _draw_tasks(subjects: _Subjects, seeds: Seeds, odds: Floats) -> Ints:
    """(m,) index into `FIRST_TASKS`, or -1 where the configured tasks find nothing to tell."""
    patches = len(seeds)
    areas = np.bincount(subjects.patch[subjects.area], minlength=patches)
    lines = np.bincount(subjects.patch[subjects.line], minlength=patches)
    kinds = np.bincount(subjects.patch[subjects.first_of_class], minlength=patches)
    possible = np.stack([areas > 0, lines > 0, (kinds >= SCENE_MIN) & (areas + lines > 0)], axis=1)
    total = np.cumsum(possible * odds, axis=1)
    drawn = (total <= (uniform(seeds, np.uint64(1)) * total[:, -1])[:, None]).sum(axis=1)
    return np.where(total[:, -1] > 0, np.minimum(drawn, len(odds) - 1), -1)


def _lots(subjects: _Subjects, seeds: Seeds, policy: Policy) -> Floats:
    """Order of drawing: the largest lot of a patch is told.

    `salience` draws without replacement with odds `score` (Efraimidis & Spirakis 2006: log(u) / weight);
    `rsteller` draws evenly among the `top` largest of a kind.
    """
    even = uniform(seeds[subjects.patch] ^ subjects.key, np.uint64(2))
    if policy.kind == "salience":
        keys: Floats = np.log(even) / np.maximum(subjects.score, 1e-12)
        return keys
    place = _rank(subjects.patch, subjects.line.astype(np.int64), subjects.size)
    return np.where(place <= policy.top, even, -1.0)


def _revisions(seeds: Seeds, mean: float) -> Ints:
    whole = int(mean)
    return whole + (uniform(seeds, np.uint64(3)) < mean - whole).astype(np.int64)


def _scene(subjects: _Subjects, ranked: Ints) -> list[int]:
    """Two to five subjects of different classes, those that carry the scene."""
    ranked = ranked[subjects.first_of_class[ranked]]
    score = subjects.score[ranked[:SCENE_MAX]]
    kept = max(SCENE_MIN, int((score >= SCENE_FADE * score[0]).sum()))
    return [int(subject) for subject in ranked[:kept]]


def _one(subjects: _Subjects, drawn: Ints, task: str) -> list[int]:
    fits = subjects.area if task == "area" else subjects.line
    return [int(drawn[np.argmax(fits[drawn])])]


def uniform(seeds: Seeds, stream: np.uint64) -> Floats:
    """Reproducible numbers in (0, 1), one a seed: the finaliser of SplitMix64 (Steele, Lea & Flood 2014).

    Args:
        seeds: (n,) seeds; equal seeds give equal numbers.
        stream: number of the draw, so that several draws from one seed are independent.

    Returns:
        (n,) numbers above 0 and below 1.
    """
    with np.errstate(over="ignore"):
        state = seeds + (stream + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return ((state >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
