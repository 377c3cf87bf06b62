"""Scenes of several sources side by side, such as the ten collections of SkyScript."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StringConstraints, model_validator
from shapely.geometry.base import BaseGeometry

from download.errors import DownloadError, NoScenesError
from download.imagery.earth_engine import EarthEngineImagery
from download.imagery.local import LocalImagery
from download.imagery.source import ImagerySource
from download.imagery.stac import StacImagery
from download.imagery.xyz import XyzImagery
from download.scene import Scene, Window

OneImagery = Annotated[EarthEngineImagery | LocalImagery | StacImagery | XyzImagery, Field(discriminator="kind")]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]+$")]

_TO_ID: Final = "-"
"""Between the code of a source and the id of its scene."""


class SeveralImagery(ImagerySource):
    """Sources by code; a scene's id begins with the code of its source, `CH-...`.

    Attributes:
        kind: `several`.
        sources: each as it would be configured alone, and each of another name (`source`, or its collection), which is
            what samples tell of it. Those without a picture of the region are passed over, and told.
    """

    kind: Literal["several"]
    sources: Mapping[Code, OneImagery] = Field(min_length=1)

    @model_validator(mode="after")
    def _of_different_names(self) -> Self:
        codes: defaultdict[str, list[str]] = defaultdict(list)
        for code, source in self.sources.items():
            codes[source.source or getattr(source, "collection", "")].append(code)
        for name, same in codes.items():
            if len(same) > 1:
                raise ValueError(f"{', '.join(same)} are all called {name!r}. Give each a `source` of its own")
        return self

    def check(self) -> None:
        """Looks at settings and credentials of each; nothing is fetched.

        Raises:
            DownloadError: nothing could be had from one of them this way.
        """
        for code, source in self.sources.items():
            with _told_of(code):
                source.check()

    def scenes(self, area: BaseGeometry | None = None) -> list[Scene]:
        """Scenes of all sources, sorted by id; metadata only.

        Args:
            area: in degrees (EPSG:4326).

        Raises:
            DownloadError: the scenes of a source cannot be listed.
            NoScenesError: none of the sources has a scene there.
        """
        found: list[Scene] = []
        empty: list[str] = []
        for code, source in self.sources.items():
            try:
                with _told_of(code):
                    scenes = source.scenes(area)
            except NoScenesError as error:
                empty.append(str(error))
                continue
            found += [scene.model_copy(update={"id": f"{code}{_TO_ID}{scene.id}"}) for scene in scenes]
        if not found:
            raise NoScenesError("\n".join(empty) or "No source has a picture there. Correct region or samples.imagery.")
        return sorted(found, key=lambda scene: scene.id)

    def notices(self, scenes: Sequence[Scene]) -> list[str]:
        """What the user should know of scenes, and which sources have none."""
        told = []
        for code, source in self.sources.items():
            own = [scene for scene in scenes if code_of(scene.id) == code]
            none = f"{code} has no picture there; if it should, look at all of samples.imagery.sources.{code}."
            told += [f"{code}: {line}" for line in source.notices(own)] if own else [none]
        return told

    def complete(self, scene: Scene, windows: Sequence[Window]) -> NDArray[np.bool_]:
        """Which windows hold no missing pixel.

        Raises:
            DownloadError: it cannot be found out.
        """
        code = code_of(scene.id)
        with _told_of(code):
            return self.sources[code].complete(scene, windows)

    def prefetch(self, scene: Scene, windows: Sequence[Window]) -> None:
        """Fetches windows that will be read.

        Raises:
            DownloadError: some cannot be had.
        """
        code = code_of(scene.id)
        with _told_of(code):
            self.sources[code].prefetch(scene, windows)

    def read(self, scene: Scene, window: Window, size: int) -> NDArray[np.uint8]:
        """The pixels of a window, as a patch of (size, size, 3).

        Raises:
            DownloadError: they cannot be had.
        """
        code = code_of(scene.id)
        with _told_of(code):
            return self.sources[code].read(scene, window, size)


def code_of(scene_id: str) -> str:
    """The source that a scene comes from."""
    return scene_id.partition(_TO_ID)[0]


@contextmanager
def _told_of(code: str) -> Iterator[None]:
    """Says of which source an error tells, and where its keys stand."""
    own, told = "samples.imagery.", f"samples.imagery.sources.{code}"
    try:
        yield
    except DownloadError as error:
        text = str(error)
        raise type(error)(text.replace(own, f"{told}.") if own in text else f"{told}: {text}") from error
