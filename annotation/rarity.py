"""How rare a class is, and what an element weighs by it: a dataset shall not be nine parts residential street."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MILLIONS: Mapping[float, str] = {
    500: "building=yes",
    60: "highway=residential highway=service building=house",
    25: "highway=track highway=footway highway=unclassified building=residential waterway=stream natural=tree",
    15: "highway=path natural=water natural=wood building=detached building=garage power=tower power=pole "
    "barrier=fence",
    8: "highway=tertiary building=apartments landuse=farmland landuse=forest landuse=meadow landuse=residential "
    "landuse=grass",
    4: "highway=secondary highway=primary amenity=parking natural=scrub natural=wetland waterway=ditch "
    "barrier=wall barrier=hedge building=shed building=hut building=industrial natural=tree_row "
    "leisure=swimming_pool leisure=garden",
    2: "highway=living_street highway=steps highway=cycleway highway=trunk highway=pedestrian railway=rail "
    "leisure=pitch landuse=farmyard landuse=orchard waterway=drain natural=grassland natural=coastline "
    "building=farm_auxiliary building=garages building=commercial building=roof",
    1: "highway=motorway highway=bridleway leisure=park leisure=playground waterway=river waterway=canal "
    "landuse=industrial landuse=commercial amenity=school power=line power=minor_line natural=bare_rock "
    "natural=heath building=terrace building=school building=retail building=barn building=farm "
    "building=greenhouse",
}
"""Objects in the world by main tag, in millions, one step a factor of about two: estimated after the
counts on taginfo.openstreetmap.org. They only have to rank classes; what is not listed is `RARE`."""
RARE = 0.25
COMMONNESS = {tuple(tag.split("=")): count for count, tags in MILLIONS.items() for tag in tags.split()}


def weights(tags: Sequence[tuple[str, str] | None], seen_from: Floats, gsd: float) -> Floats:
    """Visibility times rarity of elements, in any unit the same.

    Rarity is the inverse square root of the class's number in the world, as Mahajan et al. (2018,
    arXiv 1805.00932) resample hashtags: a runway counts 16 times a residential street, yet streets remain.
    Visibility is half for what can only just be told apart at this GSD, and whole from twice that on.

    Args:
        tags: main tag of each element.
        seen_from: (n,) coarsest GSD in metres at which each can be told apart.
        gsd: metres per pixel of the picture.

    Returns:
        (n,) weights above 0.
    """
    millions = np.array([COMMONNESS.get(tag, RARE) if tag else RARE for tag in tags], dtype=np.float64)
    weighted: NDArray[np.float64] = np.clip(seen_from / (2 * gsd), 0.5, 1.0) / np.sqrt(millions)
    return weighted
