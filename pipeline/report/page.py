"""The page: one HTML file that shows a run and asks nothing of the network."""

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import Markup

from pipeline.atomic import write_text
from pipeline.json_cells import from_json
from pipeline.report.entries import Entry, classes, entries, labels
from pipeline.report.figures import figures
from pipeline.report.look import Finished
from pipeline.report.origins import ingredients
from pipeline.report.pictures import copy_pictures
from pipeline.report.regionmap import RegionMap
from pipeline.report.templating import templates

MOST = 10_000
"""Patches in the gallery; of more, as many are shown, spread evenly over the run."""
CHUNK = 120
"""Patches whose details the browser reads at once."""
SCRIPTS = ("data.js", "card.js", "gallery.js")
FILTERS = ("task", "annotator", "class", "status", "reason", "verdict")


def write_page(run: Finished, drawn: RegionMap) -> Path:
    """Writes report/index.html and the pictures beside it."""
    report = run.folder.path / "report"
    chosen = run.patches.spread(MOST)
    captioned = chosen[run.patches.status[chosen] == "captioned"]
    pictures, missing = copy_pictures(run, run.patches.ids[captioned].tolist(), report / "pictures")
    prefixes: dict[str, int] = {}
    shown = [
        {**entry, "picture": f"pictures/{pictures[entry['id']]}" if entry["id"] in pictures else None}
        for entry in entries(run, chosen.tolist(), prefixes)
    ]
    index = _index(shown, [drawn.boxes[place] for place in chosen.tolist()])
    style, script = _asset("page.css"), "\n".join(_asset(name) for name in SCRIPTS)
    page = report / "index.html"
    write_text(
        page,
        templates()
        .get_template("page.html.j2")
        .render(
            run=run,
            info=run.info,
            ingredients=ingredients(run),
            map=drawn,
            figures=figures(run, shown),
            missing=missing,
            shown=len(shown),
            told=len(run.patches.spread(len(run.patches.ids))),
            style=Markup(style),  # noqa: S704 - ours, and named by its hash in the content policy
            script=Markup(script),  # noqa: S704 - the same
            style_hash=_hash(style),
            script_hash=_hash(script),
            blocks=[("index", embedded(index)), *_chunks(shown), ("prefixes", _prefixes(prefixes))],
        ),
    )
    return page


def _chunks(shown: Sequence[Entry]) -> Iterator[tuple[str, Markup]]:
    """Details in blocks of their own; there is always a first one."""
    for number, start in enumerate(range(0, max(1, len(shown)), CHUNK)):
        yield f"chunk-{number}", embedded(shown[start : start + CHUNK])


def _prefixes(prefixes: Iterable[str]) -> Markup:
    return embedded([from_json(prefix) for prefix in prefixes])


def embedded(content: Any) -> Markup:
    """JSON that no HTML parser can leave: without `<`, `>` and `&`, which only strings of it can hold."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)  # noqa: S704 - escaped above


def _index(shown: Sequence[Entry], boxes: Sequence[Sequence[int] | None]) -> dict[str, Any]:
    """What filters look at, as columns; words that recur are numbers into `words`."""
    columns: dict[str, list[list[str]]] = {name: [] for name in FILTERS}
    for entry in shown:
        said = [*entry["captions"], *entry["rejected"]]
        columns["task"].append(_unique(each["task"] for each in said))
        columns["annotator"].append(_unique(each["annotator"] for each in said))
        columns["class"].append(_unique(classes(entry)))
        columns["status"].append([entry["status"]])
        columns["reason"].append(_unique(labels(entry)))
        columns["verdict"].append(_unique(claim[3] for caption in entry["captions"] for claim in caption["claims"]))
    words = {name: sorted({word for row in rows for word in row}) for name, rows in columns.items()}
    places = {name: {word: place for place, word in enumerate(listed)} for name, listed in words.items()}
    return {
        "chunk": CHUNK,
        "words": words,
        "columns": {name: [[places[name][word] for word in row] for row in rows] for name, rows in columns.items()},
        "ids": [entry["id"] for entry in shown],
        "boxes": boxes,
        "texts": [_searched(entry) for entry in shown],
    }


def _searched(entry: Entry) -> str:
    texts = [each["text"] for each in (*entry["captions"], *entry["rejected"])]
    known = [str(element["facts"].get("name", "")) for element in entry["elements"]]
    ids = [element["id"] for element in entry["elements"]]
    return "\n".join((str(entry["id"]), entry["metadata"].get("image_name", ""), *texts, *known, *ids)).lower()


def _unique(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _asset(name: str) -> str:
    return files("pipeline.report").joinpath("templates", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """As a content policy names inline text (CSP level 3, section 2.3.1)."""
    return f"sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}"
