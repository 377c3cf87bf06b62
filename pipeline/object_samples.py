"""Objects of a map as samples, as SkyScript takes them: what a configuration says of them."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from download.scene import Scene
from pipeline.grid import PatchGrid
from pipeline.osm_maps import Osm
from pipeline.scene_imagery import Imagery
from pipeline.skyscript_draw import TwoStages, Windows


class ObjectSamples(BaseModel):
    """Pictures around objects of a map, one for each that is drawn, with the map under them.

    Attributes:
        kind: `objects`.
        imagery: where the scenes come from.
        osm: where the map comes from.
        as_of: `picture` tells only what surely stood when the picture was taken, `extract` what the map holds.
        draw: which objects.
        window: how much ground is shown around each, in pixels of its scene. SkyScript's pictures have about 100 to
            1,000 a side, of any number; here they have 128, 160, …, 768, so that pictures of a size are made together.
        size: pixels of a side of all finished pictures; left out: each keeps the pixels of its window. Nothing is
            enlarged, so it is no more than `window.least`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["objects"]
    imagery: Imagery
    osm: Osm
    as_of: Literal["picture", "extract"] = "picture"
    draw: TwoStages = TwoStages()
    window: Windows = Windows(step=32)
    size: int | None = Field(default=None, ge=16)

    @model_validator(mode="after")
    def _nothing_enlarged(self) -> Self:
        if self.size is not None and self.size > self.window.least:
            raise ValueError(
                f"size ({self.size}) is more than window.least ({self.window.least}), so small windows would be "
                "enlarged. Raise window.least or lower size"
            )
        return self

    def picture(self, scene: Scene, side: int) -> PatchGrid:
        """Size and GSD of the picture of a window.

        Args:
            scene: where it lies.
            side: of the window, in pixels of the scene; where these are not square, in the longer of their sides.
        """
        size = self.size or side
        return PatchGrid(size=size, gsd=max(scene.gsd) * side / size)
