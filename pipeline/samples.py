"""A unit's samples: patches laid, elements joined, and for each patch what is to be told of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from annotation.facts import FactMaker
from annotation.frame import ground_matrices
from annotation.measure import details, extents
from annotation.request import ElementFacts
from annotation.tags import TagTable
from annotation.tasks import KINDS, Pairs, Plan, choose, weights
from pipeline.config import Config
from pipeline.elements import ElementStore
from pipeline.grid import Block, Patches, lay
from pipeline.join import join, to_crs
from pipeline.prepare import tag_table
from pipeline.region import inside, load_region

Subject = tuple[int, ...]
"""Rows of the unit's pairs: one is an element, several are a group."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What is to be told of one patch.

    Attributes:
        patch: index into the unit's patches.
        task: `area`, `non_area` or `scene`.
        told: what the caption is about.
        others: what else is worth knowing of.
        outlines: geometry of each of `told` and `others`, in the patch's unit frame.
        revisions: how many rewritten captions follow.
    """

    patch: int
    task: str
    told: tuple[ElementFacts, ...]
    others: tuple[ElementFacts, ...]
    outlines: tuple[Any, ...]
    revisions: int


@dataclass(frozen=True, slots=True)
class UnitElements:
    """Visible elements around a unit, as arrays of equal length.

    Attributes:
        ids: OSM ids.
        kinds: index into `KINDS`.
        tags: as mapped.
        geometries: in the scene's CRS.
        seen_from: coarsest GSD in metres.
    """

    ids: list[str]
    kinds: NDArray[np.int64]
    tags: list[dict[str, str]]
    geometries: NDArray[np.object_]
    seen_from: NDArray[np.float64]


def unit_patches(config: Config, block: Block) -> Patches:
    """The patches of a unit that are kept and lie in the region."""
    patches = lay(block, config.seed)
    return patches.take(inside(load_region(config.region), patches.bounds))


def unit_elements(store: ElementStore, patches: Patches, crs: str, gsd: float) -> UnitElements:
    """What can be seen at this GSD in or near the patches."""
    west, south = patches.bounds[:, :2].min(axis=0)
    east, north = patches.bounds[:, 2:].max(axis=0)
    table = store.read((float(west), float(south), float(east), float(north)))
    seen_from = table["seen_from"].to_numpy()
    table, seen_from = table.filter(seen_from >= gsd * 0.99), seen_from[seen_from >= gsd * 0.99]
    geometries = shapely.from_wkb(table["geometry"].to_numpy(zero_copy_only=False))
    kinds = table["kind"].to_pylist()
    return UnitElements(
        ids=table["id"].to_pylist(),
        kinds=np.array([KINDS.index(kind) for kind in kinds], dtype=np.int64),
        tags=[dict(tags) for tags in table["tags"].to_pylist()],
        geometries=to_crs(geometries, crs),
        seen_from=seen_from.astype(np.float64),
    )


def briefs(config: Config, block: Block, patches: Patches, elements: UnitElements) -> list[Brief]:
    """What is to be told of each patch that has something to tell."""
    if not len(patches) or not elements.ids:
        return []
    table, gsd = tag_table(config.tags), patch_gsd(block)
    matrices = ground_matrices(block.scene.crs, patches.boxes)
    joined = join(patches.boxes, elements.geometries)
    measured = extents(joined.clipped, matrices[joined.patch])
    here = ~measured.touches | (elements.kinds[joined.element] == KINDS.index("point"))
    patch, element, clipped = joined.patch[here], joined.element[here], joined.clipped[here]
    pairs = _pairs(table, elements, patch, element, measured.share[here], measured.sides[here], gsd)
    plans = choose(
        pairs, _seeds(config.seed, block, patches), config.captions.tasks.model_dump(), config.captions.policy
    )
    maker = FactMaker(table, gsd, config.captions.names)
    return _Scribe(
        maker, elements, matrices, patch, element, clipped, measured.share[here], measured.area_m2[here]
    ).write(plans)


def patch_gsd(block: Block) -> float:
    """Metres per pixel of the finished pictures."""
    width, height = block.grid.window_size(block.scene)
    across, down = block.scene.gsd
    return float((across * width * down * height) ** 0.5 / block.grid.size)


@dataclass(frozen=True, slots=True)
class _Scribe:
    """Writes briefs from plans: all elements of the unit are measured in one go."""

    maker: FactMaker
    elements: UnitElements
    matrices: NDArray[np.float64]
    patch: NDArray[np.int64]
    element: NDArray[np.int64]
    clipped: NDArray[np.object_]
    share: NDArray[np.float64]
    area_m2: NDArray[np.float64]

    def write(self, plans: Sequence[Plan]) -> list[Brief]:
        rows = np.array(
            sorted({row for plan in plans for subject in plan.candidates if len(subject) == 1 for row in subject}),
            dtype=np.int64,
        )
        kinds = np.array(KINDS)[self.elements.kinds[self.element[rows]]]
        measures = details(self.clipped[rows], self.matrices[self.patch[rows]], kinds)
        measured = dict(zip(rows.tolist(), measures, strict=True))
        return [self._brief(plan, measured) for plan in plans]

    def _brief(self, plan: Plan, measured: dict[int, dict[str, Any]]) -> Brief:
        others = [subject for subject in plan.candidates if subject not in plan.told]
        facts = [self._facts(subject, measured) for subject in (*plan.told, *others)]
        return Brief(
            patch=plan.patch,
            task=plan.task,
            told=tuple(facts[: len(plan.told)]),
            others=tuple(facts[len(plan.told) :]),
            outlines=tuple(self._outline(subject) for subject in (*plan.told, *others)),
            revisions=plan.revisions,
        )

    def _facts(self, subject: Subject, measured: dict[int, dict[str, Any]]) -> ElementFacts:
        members = self.element[list(subject)].tolist()
        ids, tags = (
            [self.elements.ids[member] for member in members],
            [self.elements.tags[member] for member in members],
        )
        if len(subject) == 1:
            return self.maker.element(ids[0], KINDS[self.elements.kinds[members[0]]], tags[0], measured[subject[0]])
        rows = list(subject)
        points = shapely.get_coordinates(shapely.centroid(self.clipped[rows]))
        area = (float(self.share[rows].sum()), float(self.area_m2[rows].sum()))
        return self.maker.group(ids, tags, points, self.matrices[self.patch[rows[0]]], area if area[0] else None)

    def _outline(self, subject: Subject) -> Any:
        shapes = self.clipped[list(subject)]
        return shapes[0] if len(shapes) == 1 else shapely.geometrycollections(shapes)


def _pairs(
    table: TagTable,
    elements: UnitElements,
    patch: NDArray[np.int64],
    element: NDArray[np.int64],
    share: NDArray[np.float64],
    sides: NDArray[np.float64],
    gsd: float,
) -> Pairs:
    present, place = np.unique(element, return_inverse=True)
    tags = [elements.tags[index] for index in present]
    nouns: dict[str, int] = {}
    klass = np.array([nouns.setdefault(table.noun(each), len(nouns)) for each in tags], dtype=np.int64)
    keys = np.array([_uint64(elements.ids[index]) for index in present], dtype=np.uint64)
    weight = weights([table.main_tag(each) for each in tags], elements.seen_from[present], gsd)
    return Pairs(patch, keys[place], elements.kinds[element], klass[place], share, sides, weight[place])


def _seeds(seed: int, block: Block, patches: Patches) -> NDArray[np.uint64]:
    return np.array(
        [_uint64(f"{seed}/{block.scene.id}/{window.col}/{window.row}") for window in patches.windows],
        dtype=np.uint64,
    )


def _uint64(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
