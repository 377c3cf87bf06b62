"""Run folders written by hand, so that every figure of them is known."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapely

from annotation.request import TASKS
from pipeline.source import Row
from pipeline.store import Commit, RunFolder

WAY = {"landuse": "farmland"}


def claim(verdict: str, kind: str = "class", text: str = "field", start: int = 2, element: str = "way/1") -> Row:
    """A claim as it stands in the column."""
    span = [start, start + len(text)]
    return {"kind": kind, "text": text, "span": span, "verdict": verdict, "element": element, "fact": "noun"}


def claims(supported: int = 0, contradicted: int = 0, unsupported: int = 0, hedges: int = 0) -> list[Row]:
    """So many claims of each verdict."""
    return [
        *(claim("supported") for _ in range(supported)),
        *(claim("contradicted") for _ in range(contradicted)),
        *(claim("unsupported") for _ in range(unsupported)),
        *(claim("unsupported", "hedge") for _ in range(hedges)),
    ]


@dataclass
class MadeRun:
    """A run in the making."""

    path: Path
    parts: dict[str, list[Row]] = field(
        default_factory=lambda: {kind: [] for kind in ("patches", "elements", "requests", "rejected", "captions")}
    )

    def patch(
        self,
        patch_id: int,
        bounds: Sequence[float] = (9.0, 47.0, 9.003, 47.002),
        *,
        split: str = "train",
        acquired: str | None = "2021-06-01",
        tags: Mapping[str, str] | None = None,
        name: str = "scene",
        share: float = 0.5,
    ) -> None:
        """A captioned patch with one told area, `way/<id>`, and a house that nobody tells."""
        metadata = {"patch_id": patch_id, "image_name": name, "bounds": list(bounds), "gsd": 0.6, "place": [],
                    "acquired": acquired, "split": split}  # fmt: skip
        self.parts["patches"].append(
            {"patch_id": patch_id, "scene": name, "window": [0, 0, 9, 9], "size": 9, "metadata": json.dumps(metadata),
             "status": "captioned", "task": "area"}
        )  # fmt: skip
        told = {"noun": "field", "share": share, "position": "center"}
        for key, kept, facts, spoken in (
            (f"way/{patch_id}", tags or WAY, told, True),
            (f"way/{patch_id}0", {"building": "house"}, {"noun": "house", "share": 0.01, "position": "top"}, False),
        ):
            self.parts["elements"].append(
                {"patch_id": patch_id, "id": key, "kind": "area", "tags": list(kept.items()),
                 "facts": json.dumps(facts), "told": spoken, "outline": shapely.to_wkb(shapely.box(0, 0, 1, 1))}
            )  # fmt: skip

    def caption(
        self, patch_id: int, text: str, annotator: str = "a", said: list[Row] | None = None, *, attempts: int = 1,
        task: str = "area",
    ) -> None:  # fmt: skip
        """An accepted caption."""
        self.parts["captions"].append(
            {"patch_id": patch_id, "task": TASKS[task], "text": text, "annotator": annotator,
             "elements": [f"way/{patch_id}"], "prompt": "area@0", "seed": 1, "checks": "{}", "attempts": attempts,
             "claims": json.dumps(said or []), "finish_reason": "stop", "prompt_tokens": 100, "completion_tokens": 10,
             "cached_tokens": 60}
        )  # fmt: skip

    def refusal(
        self, patch_id: int, text: str, reasons: Sequence[str], annotator: str = "a", said: list[Row] | None = None, *,
        attempt: int = 0, final: bool = False,
    ) -> None:  # fmt: skip
        """A refused answer."""
        self.parts["rejected"].append(
            {"patch_id": patch_id, "key": f"{patch_id}/area/{attempt}", "task": 1, "text": text,
             "annotator": annotator, "reasons": list(reasons), "final": final, "attempt": attempt,
             "claims": json.dumps(said or []), "elements": [f"way/{patch_id}"]}
        )  # fmt: skip

    def written(self, units: int = 2, **info: Any) -> RunFolder:
        """The folder, patches dealt to so many units."""
        folder = RunFolder(self.path)
        for unit in range(units):
            mine = {kind: [row for row in rows if row["patch_id"] % units == unit]
                    for kind, rows in self.parts.items()}  # fmt: skip
            folder.commit(f"u{unit}", mine, Commit("f", "c", {"captioned": len(mine["patches"])}))
        folder.write_info({"name": "made", "state": "complete", "config": {"tags": None}, "seconds": 2.0, **info})
        return folder
