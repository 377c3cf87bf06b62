"""Map tiles as samples: what a configuration says of them."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from download.imagery.tiles.scheme import DEEPEST
from download.imagery.xyz import XyzImagery
from pipeline.osm_maps import Osm
from pipeline.tile_draw import Draw


class TilesSamples(BaseModel):
    """Whole map tiles, each a picture, with the map under them.

    Attributes:
        kind: `tiles`.
        imagery: where the tiles come from; `zooms` says which.
        osm: where the map comes from.
        zooms: of the tiles.
        draw: tiles by lot; left out: all of the region.
        as_of: `picture` tells only what surely stood when the picture was taken, `extract` what the map holds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["tiles"]
    imagery: XyzImagery
    osm: Osm
    zooms: Annotated[tuple[Annotated[int, Field(ge=0, le=DEEPEST)], ...], Field(min_length=1)]
    draw: Draw | None = None
    as_of: Literal["picture", "extract"] = "picture"

    @model_validator(mode="before")
    @classmethod
    def _imagery_has_the_zooms(cls, given: Any) -> Any:
        """Imagery has to be told its first and its last zoom."""
        if not isinstance(given, dict) or not isinstance(given.get("imagery"), dict):
            return given
        zooms = given.get("zooms")
        if not isinstance(zooms, list | tuple) or not zooms or not all(isinstance(zoom, int) for zoom in zooms):
            return given
        span = (min(zooms), max(zooms))
        said = given["imagery"].get("zoom", span)
        if (tuple(said) if isinstance(said, list | tuple) else said) != span:
            raise ValueError("imagery.zoom is said by zooms here; leave it out")
        return {**given, "imagery": {**given["imagery"], "zoom": span}}

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.zooms)) < len(self.zooms):
            raise ValueError(f"zooms: {list(self.zooms)} names a zoom twice")
        return self

    @property
    def origin(self) -> dict[str, Any]:
        """What dataset cards say of pictures and map."""
        said = self.model_dump(mode="json", include={"imagery", "osm", "as_of", "zooms", "draw"})
        patch = {"size": self.imagery.tile_size, "gsd": None, "stride": 1.0, "keep": 1.0}
        return {"kind": self.kind, **said, "patch": patch}
