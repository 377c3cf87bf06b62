"""Records in GAIA's published form, made on the spot, and a server of their pictures."""

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

from tests.stand_in import Answer, Asked

PLACES = (
    ("Etna, Catania, Italy", 37.75, 14.99), ("Ebro Delta, Amposta, Spain", 40.7, 0.85),
    ("Vaduz, Liechtenstein", 47.14, 9.52), ("Boston, Massachusetts, United States", 42.36, -71.06),
    ("Lagos, Nigeria", 6.45, 3.4), ("Nuuk, Greenland", 64.18, -51.7),
)  # fmt: skip
THEMES = ("Volcanoes", "Floods", "Wildfires", "Snow and ice", "Agriculture")
DEAD = {"gone": Answer(404), "page": Answer(200, b"<!doctype html><title>404</title>", {"Content-Type": "text/html"})}


def made(number: int, url: str, **changes: Any) -> dict[str, Any]:
    """A record as published; its picture is at `url/N.jpg`. (Pandas makes numbers of ids that could be some.)"""
    random = Random(number)
    (location, lat, lon), theme = random.choice(PLACES), random.choice(THEMES)
    year = random.randrange(1999, 2025)
    return {
        "id": f"gaia-{number}", "image_src": f"{url}/{number}.jpg",
        "image_alt": f"{theme} near {location.split(',')[0]} in {year}, seen by a satellite on a clear day.",
        "captions": [f"The image showcases: {theme}"], "credits": "NASA Earth Observatory", "location": [location],
        "lat": lat + random.uniform(-3, 3), "lon": lon + random.uniform(-3, 3), "tag": [theme],
        "resolution": "Moderate", "satellite": ["Terra"], "sensor": ["MODIS"], "modalities": ["Optical"], **changes,
    }  # fmt: skip


def write(path: Path, records: Sequence[Any]) -> Path:
    """A JSON array, as published."""
    path.write_text(json.dumps(records, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def picture(number: int, side: int = 40) -> bytes:
    """A JPEG whose colour tells the number; its width is twice its height."""
    buffer = io.BytesIO()
    Image.new("RGB", (2 * side, side), (number * 40 % 256, 90, 120)).save(buffer, "JPEG")
    return buffer.getvalue()


def serve(dead: dict[int, str] | None = None, side: int = 40) -> Callable[[Asked], Answer]:
    """Pictures by number; of some numbers what `DEAD` has."""

    def answer(asked: Asked) -> Answer:
        number = int(asked.path.strip("/").removesuffix(".jpg"))
        if dead and number in dead:
            return DEAD[dead[number]]
        return Answer(200, picture(number, side), {"Content-Type": "application/octet-stream"})

    return answer
