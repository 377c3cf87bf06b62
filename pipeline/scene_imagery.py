"""Where scenes come from, as a configuration says it."""

from typing import Annotated

from pydantic import Field

from download.imagery.several import OneImagery, SeveralImagery

Imagery = Annotated[OneImagery | SeveralImagery, Field(discriminator="kind")]
