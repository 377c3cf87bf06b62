"""Pictures that a CSV names, read from folders or straight out of the zip parts they came in."""

import warnings
from functools import lru_cache
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile

import numpy as np

from pipeline.embed.embedder import Pixels


class NoPictureError(Exception):
    """A picture cannot be read; the message says why."""


def read_picture(root: Path, filepath: str) -> Pixels:
    """RGB pixels of `root/filepath`; where there is no such file, of the member `filepath` of `root/FIRST_PART.zip`.

    Args:
        root: folder that the CSV's paths start from.
        filepath: as the CSV has it, such as `images2/a198234555_CH_19.jpg`.

    Raises:
        NoPictureError: there is none, it is damaged or too large, or the path leads out of the folder.
    """
    from PIL import Image, UnidentifiedImageError

    place = PurePosixPath(filepath)
    if place.is_absolute() or ".." in place.parts or not place.parts or "\0" in filepath:
        raise NoPictureError("the path leads out of the folder")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            file = root / place
            if file.is_file():
                with Image.open(file) as image:
                    return np.array(image.convert("RGB"))
            with _zip(root / f"{place.parts[0]}.zip").open(str(place)) as member, Image.open(member) as image:
                return np.array(image.convert("RGB"))
    except (FileNotFoundError, KeyError):
        raise NoPictureError("there is no such picture") from None
    except UnidentifiedImageError:
        raise NoPictureError("it is no picture") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise NoPictureError(f"it has more than {Image.MAX_IMAGE_PIXELS:,} pixels") from None
    except (OSError, ValueError, SyntaxError, EOFError, BadZipFile, NotImplementedError) as error:
        raise NoPictureError(f"it is damaged: {error}") from error


@lru_cache(maxsize=16)
def _zip(file: Path) -> ZipFile:
    """Kept open: its directory lists a million members."""
    return ZipFile(file)
