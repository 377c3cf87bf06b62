"""A unit's samples: patches laid, elements joined, and for each patch the choice of what is told."""

from dataclasses import dataclass
from datetime import date
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from annotation.measure import NOTHING, extents
from annotation.measuring.frame import EPSILON, ground_matrices
from annotation.rarity import weights
from annotation.tagging.kinds import lineage
from annotation.tasks import KINDS, Pairs, Plan, choose
from download.osm.dates import periods, stood
from pipeline.config import Config, GridSamples
from pipeline.elements import ElementStore
from pipeline.grid import Block, Patches, lay
from pipeline.join import join, to_crs, to_unit_frame
from pipeline.region import inside, load_region


@dataclass(frozen=True, slots=True)
class TagColumn:
    """Tags of many elements; few of them are ever asked for."""

    keys: list[str]
    values: list[str]
    offsets: list[int]

    @classmethod
    def of(cls, column: pa.MapArray) -> "TagColumn":
        """From an Arrow column."""
        return cls(column.keys.to_pylist(), column.items.to_pylist(), column.offsets.to_pylist())

    def __getitem__(self, element: int) -> dict[str, str]:
        here = slice(self.offsets[element], self.offsets[element + 1])
        return dict(zip(self.keys[here], self.values[here], strict=True))


@dataclass(frozen=True, slots=True)
class UnitElements:
    """Visible elements around a unit, as columns of equal length.

    Attributes:
        ids: OSM ids.
        key: the same as numbers.
        kinds: index into `KINDS`.
        tags: as mapped.
        geometries: in the scene's CRS.
        seen_from: coarsest GSD in metres.
        klass: number of the kind; equal for what is counted together.
        weight: visibility times rarity.
        newer: how many more there are that were not there yet, or no longer, when the picture was taken.
    """

    ids: list[str]
    key: NDArray[np.uint64]
    kinds: NDArray[np.int64]
    tags: TagColumn
    geometries: NDArray[np.object_]
    seen_from: NDArray[np.float64]
    klass: NDArray[np.int64]
    weight: NDArray[np.float64]
    newer: int


def unit_patches(config: Config, block: Block) -> Patches:
    """The patches of a unit that are kept, lie in the region and on ground that no other scene shows."""
    patches = lay(block, config.seed)
    kept = inside(load_region(config.region), patches.bounds)
    if block.taken is not None:
        kept &= ~inside(block.taken, patches.bounds)
    return patches.take(kept)


def as_of(samples: GridSamples, block: Block) -> date | None:
    """The day on which elements must have stood; None: as the extract has them."""
    return block.scene.acquired if samples.as_of == "picture" else None


def unit_elements(store: ElementStore, patches: Patches, block: Block, on: date | None) -> UnitElements:
    """What can be seen in or near the patches at their GSD, and stood on a day."""
    west, south = patches.bounds[:, :2].min(axis=0)
    east, north = patches.bounds[:, 2:].max(axis=0)
    gsd = patch_gsd(block)
    table = store.read((float(west), float(south), float(east), float(north)))
    table = table.filter(table["seen_from"].to_numpy() >= gsd * 0.99).combine_chunks()
    standing = np.ones(len(table), dtype=bool)
    if on is not None:
        start, end = periods(table["tags"].combine_chunks())
        standing = stood(on, start, end, table["timestamp"].to_numpy().astype("datetime64[s]"))
        table = table.filter(pa.array(standing)).combine_chunks()
    seen_from = table["seen_from"].to_numpy().astype(np.float64)
    geometries = shapely.from_wkb(table["geometry"].to_numpy(zero_copy_only=False))
    kinds, nouns, main = (table[name].combine_chunks().dictionary_encode() for name in ("kind", "noun", "main"))
    _, family = np.unique([lineage(noun)[-1] for noun in nouns.dictionary.to_pylist()], return_inverse=True)
    classes = [_pair(tag) for tag in main.dictionary.to_pylist()]
    return UnitElements(
        ids=table["id"].to_pylist(),
        key=_numbers(table["id"]),
        kinds=np.array([KINDS.index(kind) for kind in kinds.dictionary.to_pylist()], dtype=np.int64)[_codes(kinds)],
        tags=TagColumn.of(table["tags"].combine_chunks()),
        geometries=to_crs(geometries, block.scene.crs),
        seen_from=seen_from,
        klass=family[_codes(nouns)],
        weight=weights([classes[code] if code >= 0 else None for code in _codes(main).tolist()], seen_from, gsd),
        newer=int((~standing).sum()),
    )


def _numbers(ids: pa.ChunkedArray) -> NDArray[np.uint64]:
    """`way/123` as a number; nodes, ways and relations stay apart."""
    digits = pc.replace_substring_regex(ids, ".*/", "").cast(pa.uint64()).to_numpy()
    origin = pc.utf8_slice_codeunits(ids, 0, 1).to_numpy()
    numbers: NDArray[np.uint64] = digits * np.uint64(4) + np.select([origin == "n", origin == "w"], [0, 1], 2).astype(
        np.uint64
    )
    return numbers


def _pair(tag: str) -> tuple[str, str]:
    key, _, value = tag.partition("=")
    return key, value


def _codes(column: pa.DictionaryArray) -> NDArray[np.int64]:
    """Places in the dictionary; -1 where nothing is."""
    codes: NDArray[np.int64] = column.indices.fill_null(-1).to_numpy().astype(np.int64)
    return codes


@dataclass(frozen=True, slots=True)
class Met:
    """What of the elements the patches show; one entry a pair of patch and element, sorted by patch.

    Attributes:
        boxes: (m, 4) left, bottom, right, top of each patch in the scene's CRS.
        matrices: (m, 2, 2) unit frame to metres, one for each patch.
        patch: index of the patch.
        element: index of the element.
        clipped: the part inside, in the scene's CRS.
        share: share of the patch.
        area_m2: square metres.
        sides: length in patch sides.
    """

    boxes: NDArray[np.float64]
    matrices: NDArray[np.float64]
    patch: NDArray[np.int64]
    element: NDArray[np.int64]
    clipped: NDArray[np.object_]
    share: NDArray[np.float64]
    area_m2: NDArray[np.float64]
    sides: NDArray[np.float64]

    def framed(self, rows: NDArray[np.int64]) -> NDArray[np.object_]:
        """What is inside of some pairs, in the unit frames of their patches."""
        return to_unit_frame(self.clipped[rows], self.boxes[self.patch[rows]])


def meet(block: Block, patches: Patches, elements: UnitElements) -> Met:
    """Joins, clips and measures all pairs; what only touches a frame is left out."""
    matrices = ground_matrices(block.scene.crs, patches.boxes)
    joined = join(patches.boxes, elements.geometries)
    from_crs = matrices / (patches.boxes[:, 2:] - patches.boxes[:, :2])[:, None, :]
    measured = extents(joined.clipped, from_crs[joined.patch])
    size = np.abs(np.linalg.det(matrices))[joined.patch]
    share, sides = measured.area_m2 / size, measured.length_m / np.sqrt(size)
    here = (share > NOTHING) | (sides > EPSILON) | (elements.kinds[joined.element] == KINDS.index("point"))
    return Met(
        patches.boxes,
        matrices,
        joined.patch[here],
        joined.element[here],
        joined.clipped[here],
        share[here],
        measured.area_m2[here],
        sides[here],
    )


def make_plans(config: Config, block: Block, patches: Patches, elements: UnitElements, met: Met) -> list[Plan]:
    """Which elements are told of each patch, and as which task."""
    pairs = Pairs(
        patch=met.patch,
        key=elements.key[met.element],
        kind=elements.kinds[met.element],
        klass=elements.klass[met.element],
        share=met.share,
        length=met.sides,
        weight=elements.weight[met.element],
    )
    windows = [f"{config.seed}/{block.scene.id}/{window.col}/{window.row}" for window in patches.windows]
    seeds = np.array([_uint64(window) for window in windows], dtype=np.uint64)
    return choose(pairs, seeds, config.captions.tasks.weights, config.captions.policy)


def patch_gsd(block: Block) -> float:
    """Metres per pixel of the finished pictures."""
    width, height = block.grid.window_size(block.scene)
    across, down = block.scene.gsd
    return float((across * width * down * height) ** 0.5 / block.grid.size)


def _uint64(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
