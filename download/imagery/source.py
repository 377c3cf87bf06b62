"""What every source of imagery can do."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from shapely.geometry.base import BaseGeometry

from download.scene import Scene, Window


class ImagerySource(BaseModel, ABC):
    """Lists scenes and reads their pixels; the configuration is the component.

    Objects travel to the machines of a cluster: whatever is open belongs to the process, not to them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    def check(self) -> None:
        """Looks at settings and credentials; nothing is fetched.

        Raises:
            DownloadError: nothing could be had this way; the message says how to mend it.
        """

    @abstractmethod
    def scenes(self, area: BaseGeometry | None = None) -> list[Scene]:
        """Scenes, sorted by id; metadata only.

        Args:
            area: in degrees (EPSG:4326); sources that have too much list only what touches it.

        Raises:
            DownloadError: they cannot be listed.
        """

    def notices(self, scenes: Sequence[Scene]) -> list[str]:  # noqa: ARG002 - most have none
        """What the user should know of scenes; few lines."""
        return []

    @abstractmethod
    def complete(self, scene: Scene, windows: Sequence[Window]) -> NDArray[np.bool_]:
        """Which windows hold no missing pixel (nodata, transparent, never taken).

        Raises:
            DownloadError: it cannot be found out.
        """

    def prefetch(self, scene: Scene, windows: Sequence[Window]) -> None:
        """Fetches windows that will be read, in as few requests as it takes.

        Raises:
            DownloadError: some cannot be had; those that can are there nevertheless.
        """

    @abstractmethod
    def read(self, scene: Scene, window: Window, size: int) -> NDArray[np.uint8]:
        """The pixels of a window, as a patch of (size, size, 3).

        Raises:
            DownloadError: they cannot be had.
        """
