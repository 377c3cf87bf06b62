"""Samples of kind `gaia`: published records and where their pictures are."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from download.paths import ConfigPath
from download.records.gazetteer import Gazetteer, Nominatim
from download.records.pictures import TarPictures, WebPictures
from pipeline.errors import PipelineError

Places = Annotated[Gazetteer | Nominatim, Field(discriminator="kind")]


class GaiaSamples(BaseModel):
    """Pictures that others have published with a text, to be told again.

    Attributes:
        kind: `gaia`.
        path: a JSON file of records, a folder of such, or a pattern; an array each, or JSON lines.
        pictures: `web` fetches them, `img2dataset` takes them out of what that has fetched.
        places: who finds the coordinates of a location's name where a record has none; null: nobody.
        size: the shorter side of a finished picture, in pixels; smaller ones are not enlarged.
        cell: side of the squares, in degrees, that no split divides.
        source: written into each sample, as are the next two.
        licence: of the pictures.
        attribution: of the collection; each picture's own credits come first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["gaia"]
    path: ConfigPath
    pictures: Annotated[WebPictures | TarPictures, Field(discriminator="kind")] = WebPictures()
    places: Places | None = Gazetteer()
    size: int = Field(default=512, ge=16, le=4096)
    cell: float = Field(default=1.0, gt=0, le=30)
    source: str = "GAIA"
    licence: str = ""
    attribution: str = ""

    def files(self) -> list[Path]:
        """The files, by name.

        Raises:
            PipelineError: there is none.
        """
        path = self.path
        if path.is_dir():
            found = [file for file in path.iterdir() if file.suffix in (".json", ".jsonl")]
        elif path.is_file():
            found = [path]
        else:
            found = [file for file in path.parent.glob(path.name) if file.is_file()]
        if not found:
            raise PipelineError(f"samples.path: {path} is no JSON file of records and holds none.")
        return sorted(found)
