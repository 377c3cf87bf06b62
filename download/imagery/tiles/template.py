"""Addresses of tiles with placeholders: `https://{s}.tiles.example/{z}/{x}/{y}.jpg`, `tiles/{z}-{x}-{y}.png`."""

import re
from collections.abc import Mapping
from typing import Final

from download.imagery.tiles.scheme import Tile

PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
PLACES: Final = ("z", "x", "y", "-y", "q")
"""Zoom, column, row from the north, row from the south (TMS), quadkey."""


def placeholders(template: str) -> set[str]:
    """Names in braces."""
    return set(PLACEHOLDER.findall(template))


def faults(template: str, known: set[str]) -> list[str]:
    """What is wrong with a template; nothing if it names a tile.

    Args:
        template: the address.
        known: placeholders that are welcome besides those of the place.
    """
    found = placeholders(template)
    unknown = sorted(found - known - set(PLACES))
    if unknown:
        every = ", ".join(f"{{{name}}}" for name in (*PLACES, *sorted(known)))
        return [f"nothing is known of {{{unknown[0]}}}; there are {every}"]
    if "q" not in found and not ({"z", "x"} <= found and found & {"y", "-y"}):
        return ["it has to name the tile: {z}, {x} and {y} (or {-y}, counted from the south), or {q}, the quadkey"]
    return []


def filled(template: str, tile: Tile, more: Mapping[str, str] | None = None) -> str:
    """The address of a tile."""
    values = {
        "z": str(tile.z),
        "x": str(tile.x),
        "y": str(tile.y),
        "-y": str(tile.tms_y),
        "q": tile.quadkey,
        **(more or {}),
    }
    return PLACEHOLDER.sub(lambda found: values[found[1]], template)


def read(template: str, address: str) -> Tile | None:
    """The tile of an address; None for one that the template does not make."""
    found = _pattern(template).fullmatch(address)
    if not found:
        return None
    said = found.groupdict()
    try:
        if said.get("q"):
            tile = Tile.of_quadkey(said["q"])
        else:
            z = int(said["z"])
            tile = Tile(z, int(said["x"]), int(said["y"]) if "y" in said else (1 << z) - 1 - int(said["tms"]))
    except ValueError:
        return None
    return tile if filled(template, tile) == address else None


def _pattern(template: str) -> re.Pattern[str]:
    """A placeholder that stands twice has the same value there; `filled` sees to that."""
    names = {"z": "z", "x": "x", "y": "y", "-y": "tms", "q": "q"}
    pieces, seen, at = [], set(), 0
    for found in PLACEHOLDER.finditer(template):
        name = names[found[1]]
        pieces += [re.escape(template[at : found.start()]), r"\d+" if name in seen else rf"(?P<{name}>\d+)"]
        seen.add(name)
        at = found.end()
    return re.compile("".join([*pieces, re.escape(template[at:])]))
