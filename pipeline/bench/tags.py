"""How many of an extract's ways and areas the tag table knows, and the commonest that it does not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import osmium

from annotation.tagging.coverage import coverage
from annotation.tags import TagTable

GAPS_SHOWN = 20
AREA_RELATIONS = {"multipolygon", "boundary"}


def run(extract: Path, overlay: Path | None = None) -> dict[str, Any]:
    """Reads the tags of an extract's ways and area relations and looks each main tag up.

    Returns:
        `coverage` (share known by a row of their own, visible or never visible), counts, and the commonest gaps.
    """
    table = TagTable.load(overlay)
    found = coverage(table, _tags(extract))
    return {
        "coverage": round(found.share, 5),
        "elements": found.total,
        "visible": found.visible,
        "never_visible": found.never_visible,
        "gaps": dict(found.gaps[:GAPS_SHOWN]),
        "settings": {"extract": extract.name, "table": table.digest, "rows": len(table.rows)},
    }


def _tags(extract: Path) -> Iterator[dict[str, str]]:
    """Tags of all ways and area relations; of an element with several versions, of each."""
    wanted = osmium.osm.WAY | osmium.osm.RELATION
    for element in osmium.FileProcessor(str(extract), wanted).with_filter(osmium.filter.EmptyTagFilter()):
        tags = {tag.k: tag.v for tag in element.tags}
        if isinstance(element, osmium.osm.Way) or tags.get("type") in AREA_RELATIONS:
            yield tags
