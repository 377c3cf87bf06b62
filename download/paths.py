"""Paths in a configuration are relative to the file they stand in."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo


def _beside_the_configuration(path: Path, info: ValidationInfo) -> Path:
    base = (info.context or {}).get("base")
    path = path.expanduser()
    return path if base is None or path.is_absolute() else Path(base) / path


ConfigPath = Annotated[Path, AfterValidator(_beside_the_configuration)]
"""A path; a relative one is taken from the folder of the configuration (validation context `base`)."""
