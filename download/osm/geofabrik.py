"""Addresses of regional extracts by name, from an index such as Geofabrik's.

The index is a GeoJSON of regions with `id`, `name` and `urls.pbf` (https://download.geofabrik.de/technical.html).
"""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from download.cache import Cache
from download.errors import DownloadError, PassingError
from download.osm.remote import check_address
from download.patience import Patience
from download.web import Web, shown

INDEX: Final = "https://download.geofabrik.de/index-v1-nogeom.json"


def address(region: str, index: str, patience: Patience) -> str:
    """Where the extract of a region is.

    Args:
        region: its id (`liechtenstein`, `us/california`), or its name if only one region has it.
        index: address of the index; it is fetched once and kept.
        patience: how often and how long is tried.

    Raises:
        DownloadError: the index cannot be had, or knows no such region.
    """
    regions = _regions(index, patience)
    ids = {each["id"]: each for each in regions}
    named = [each for each in regions if each.get("name", "").casefold() == region.casefold()]
    found = ids.get(region) or ids.get(region.lower()) or (named[0] if len(named) == 1 else None)
    if not found:
        near = [each["id"] for each in named] or get_close_matches(region.lower(), list(ids), n=5, cutoff=0.5)
        hint = (
            f"did you mean {', '.join(near)}?" if near else f"it has {len(ids):,}, such as {', '.join(list(ids)[:5])}."
        )
        raise DownloadError(f"The index {shown(index)} has no region {region!r}; {hint}")
    pbf = (found.get("urls") or {}).get("pbf")
    if not pbf:
        raise DownloadError(f"The index {shown(index)} has no PBF file of {region!r}. Take a part of it, or set `url`.")
    return str(pbf)


def _regions(index: str, patience: Patience) -> list[Mapping[str, Any]]:
    check_address(index)

    def check(body: bytes, _: Mapping[str, str]) -> None:
        try:
            _parse(body)
        except (ValueError, KeyError, TypeError) as error:
            raise PassingError(f"{shown(index)} answered with something else than an index of regions") from error

    content = Cache.usual().content(
        ("map_index", index), ".json", shown(index), lambda: Web("map", patience).get(index, check)
    )
    return _parse(content)


def _parse(body: bytes) -> list[Mapping[str, Any]]:
    regions = [feature["properties"] for feature in json.loads(body)["features"]]
    if not all(isinstance(region["id"], str) for region in regions):
        raise ValueError("a region has no id")
    return regions
