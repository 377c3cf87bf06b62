"""SkyScript's pictures and tags as samples: what a configuration says of them."""

from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from download.errors import DownloadError
from download.paths import ConfigPath

MAP_LICENCE: Final = "ODbL-1.0"
MAP_ATTRIBUTION: Final = "\u00a9 OpenStreetMap contributors"


class SkyScriptSamples(BaseModel):
    """Pictures with tags, laid out as SkyScript is published.

    Attributes:
        kind: `skyscript`.
        path: folder of the parts: `imagesN` and `metaN`, each a folder or the zip file as downloaded.
        csv: tables of pictures and titles, files in `path`; left out: the only one there.
        unit: rows of a unit, more or less.
        titles: `published` hands on what the tables say, `rule` makes titles again by the paper's grammar.
        licence: of the pictures.
        attribution: of the pictures.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["skyscript"]
    path: ConfigPath
    csv: tuple[str, ...] = ()
    unit: int = Field(default=2000, ge=4, le=100_000)
    titles: Literal["published", "rule"] = "published"
    licence: str = "of each source"
    attribution: str = "SkyScript (Wang et al., AAAI 2024)"

    @property
    def tables(self) -> list[Path]:
        """The CSV files.

        Raises:
            DownloadError: there is none, or several and none of them is named.
        """
        if self.csv:
            return [self.path / name for name in self.csv]
        found = sorted(self.path.glob("*.csv"))
        if not found:
            raise DownloadError(f"{self.path} holds no CSV of pictures and titles. Put one there; see samples.csv.")
        if len(found) > 1:
            raise DownloadError(
                f"{self.path} holds {len(found)} CSV files. Say which are meant: samples.csv: [{found[0].name}]"
            )
        return found

    @property
    def origin(self) -> dict[str, Any]:
        """What dataset cards say of pictures and map."""
        return {
            "kind": self.kind,
            "imagery": {
                "kind": self.kind,
                "source": "SkyScript",
                "licence": self.licence,
                "attribution": self.attribution,
            },
            "osm": {"kind": self.kind, "licence": MAP_LICENCE, "attribution": MAP_ATTRIBUTION},
            "as_of": "day on which SkyScript read it",
            "patch": {"size": "as published:", "gsd": None, "stride": "none", "keep": 1.0},
        }
