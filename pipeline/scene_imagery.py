"""Where scenes come from, as a configuration says it."""

from typing import Annotated

from pydantic import Field

from download.imagery.earth_engine import EarthEngineImagery
from download.imagery.local import LocalImagery
from download.imagery.several import SeveralImagery
from download.imagery.stac import StacImagery
from download.imagery.xyz import XyzImagery

Imagery = Annotated[
    EarthEngineImagery | LocalImagery | SeveralImagery | StacImagery | XyzImagery, Field(discriminator="kind")
]
