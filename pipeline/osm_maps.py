"""Where maps come from, as a configuration says it."""

from typing import Annotated

from pydantic import Field

from download.osm.extract import OsmExtract, OsmHistory
from download.osm.labels import LabelMap
from download.osm.overpass import OverpassMap

Osm = Annotated[OsmExtract | OsmHistory | OverpassMap | LabelMap, Field(discriminator="kind")]
