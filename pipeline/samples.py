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


@dataclass(frozen=True, slots=True)
class Met:
    """What of the elements the patches show; one entry a pair of patch and element, sorted by patch.

    Attributes:
        matrices: (m, 2, 2) unit frame to metres, one for each patch.
        patch: index of the patch.
        element: index of the element.
        clipped: the part inside, in the patch's unit frame.
        share: share of the patch.
        area_m2: square metres.
        sides: length in patch sides.
    """

    matrices: NDArray[np.float64]
    patch: NDArray[np.int64]
    element: NDArray[np.int64]
    clipped: NDArray[np.object_]
    share: NDArray[np.float64]
    area_m2: NDArray[np.float64]
    sides: NDArray[np.float64]


def briefs(config: Config, block: Block, patches: Patches, elements: UnitElements) -> list[Brief]:
    """What is to be told of each patch that has something to tell."""
    met = meet(block, patches, elements)
    return write_briefs(config, block, elements, met, make_plans(config, block, patches, elements, met))


def meet(block: Block, patches: Patches, elements: UnitElements) -> Met:
    """Joins, clips and measures all pairs; what only touches a frame is left out."""
    matrices = ground_matrices(block.scene.crs, patches.boxes)
    joined = join(patches.boxes, elements.geometries)
    measured = extents(joined.clipped, matrices[joined.patch])
    here = ~measured.touches | (elements.kinds[joined.element] == KINDS.index("point"))
    return Met(
        matrices,
        joined.patch[here],
        joined.element[here],
        joined.clipped[here],
        measured.share[here],
        measured.area_m2[here],
        measured.sides[here],
    )


def make_plans(config: Config, block: Block, patches: Patches, elements: UnitElements, met: Met) -> list[Plan]:
    """Which elements are told of each patch, and as which task."""
    table = tag_table(config.tags)
    present, place = np.unique(met.element, return_inverse=True)
    tags = [elements.tags[index] for index in present]
    nouns: dict[str, int] = {}
    klass = np.array([nouns.setdefault(table.noun(each), len(nouns)) for each in tags], dtype=np.int64)
    keys = np.array([_uint64(elements.ids[index]) for index in present], dtype=np.uint64)
    weight = weights([table.main_tag(each) for each in tags], elements.seen_from[present], patch_gsd(block))
    pairs = Pairs(
        met.patch, keys[place], elements.kinds[met.element], klass[place], met.share, met.sides, weight[place]
    )
    windows = [f"{config.seed}/{block.scene.id}/{window.col}/{window.row}" for window in patches.windows]
    seeds = np.array([_uint64(window) for window in windows], dtype=np.uint64)
    return choose(pairs, seeds, config.captions.tasks.model_dump(), config.captions.policy)


def write_briefs(config: Config, block: Block, elements: UnitElements, met: Met, plans: Sequence[Plan]) -> list[Brief]:
    """Measures what the plans name, all in one go, and puts it together patch by patch."""
    maker = FactMaker(tag_table(config.tags), patch_gsd(block), config.captions.names)
    return _Scribe(maker, elements, met).write(plans)


def patch_gsd(block: Block) -> float:
    """Metres per pixel of the finished pictures."""
    width, height = block.grid.window_size(block.scene)
    across, down = block.scene.gsd
    return float((across * width * down * height) ** 0.5 / block.grid.size)


@dataclass(frozen=True, slots=True)
class _Scribe:
    """Puts briefs together."""

    maker: FactMaker
    elements: UnitElements
    met: Met

    def write(self, plans: Sequence[Plan]) -> list[Brief]:
        single = {row for plan in plans for subject in plan.candidates if len(subject) == 1 for row in subject}
        rows = np.array(sorted(single), dtype=np.int64)
        kinds = np.array(KINDS)[self.elements.kinds[self.met.element[rows]]]
        measures = details(self.met.clipped[rows], self.met.matrices[self.met.patch[rows]], kinds)
        measured = dict(zip(rows.tolist(), measures, strict=True))
        return [self._brief(plan, measured) for plan in plans]

    def _brief(self, plan: Plan, measured: dict[int, dict[str, Any]]) -> Brief:
        subjects = (*plan.told, *(subject for subject in plan.candidates if subject not in plan.told))
        facts = [self._facts(subject, measured) for subject in subjects]
        told = len(plan.told)
        outlines = tuple(self._outline(subject) for subject in subjects)
        return Brief(plan.patch, plan.task, tuple(facts[:told]), tuple(facts[told:]), outlines, plan.revisions)

    def _facts(self, subject: Subject, measured: dict[int, dict[str, Any]]) -> ElementFacts:
        rows = list(subject)
        members = self.met.element[rows].tolist()
        ids = [self.elements.ids[member] for member in members]
        tags = [self.elements.tags[member] for member in members]
        if len(subject) == 1:
            return self.maker.element(ids[0], KINDS[self.elements.kinds[members[0]]], tags[0], measured[subject[0]])
        points = shapely.get_coordinates(shapely.centroid(self.met.clipped[rows]))
        matrix = self.met.matrices[self.met.patch[rows[0]]]
        share = float(self.met.share[rows].sum())
        area = (share, float(self.met.area_m2[rows].sum())) if share else None
        return self.maker.group(ids, tags, points, matrix, area)

    def _outline(self, subject: Subject) -> Any:
        shapes = self.met.clipped[list(subject)]
        return shapes[0] if len(shapes) == 1 else shapely.geometrycollections(shapes)


def _uint64(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
