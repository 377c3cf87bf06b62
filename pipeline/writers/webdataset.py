"""RSTeller's format: WebDataset shards of a picture and a JSON for each patch."""

import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from pipeline.source import Encoded, Picture
from pipeline.writers.sample import Sample
from pipeline.writers.writer import Writer


class WebDatasetWriter(Writer):
    """Tar files that the published RSTeller loader reads unchanged.

    Attributes:
        kind: `webdataset`.
        samples_per_shard: pictures in a tar; RSTeller's 1,309,926 in 240 give 5,458.
        image: `jpg` as published, or `png`, whose pixels are the source's exactly.
        quality: of JPEG.
    """

    kind: Literal["webdataset"]
    samples_per_shard: int = Field(default=5458, ge=1)
    image: Literal["jpg", "png"] = "jpg"
    quality: int = Field(default=95, ge=1, le=100)

    @property
    def suffix(self) -> str:
        """Ending of a shard's file name."""
        return ".tar"

    def write(self, samples: Iterable[Sample], target: Path) -> list[dict[str, Any]]:
        """Writes one shard; the same samples give the same bytes.

        Returns:
            An index row for each sample: its patch id, image name, split, tasks, and where in the tar its picture lies.
        """
        import webdataset

        rows = []
        with (
            target.open("wb") as stream,
            webdataset.TarWriter(stream, encoder=False, mtime=0, user="", group="") as tar,
        ):
            for sample in samples:
                tar.write(
                    {
                        "__key__": str(sample.patch_id),
                        self.image: self._encode(sample.shown),
                        "json": _json(sample),
                    }
                )
                rows.append(
                    {
                        "patch_id": sample.patch_id,
                        "image_name": sample.metadata["image_name"],
                        "split": sample.metadata["split"],
                        "tasks": [annotation["task"] for annotation in sample.annotations],
                    }
                )
        with tarfile.open(target) as tar:
            places = {member.name: (member.offset_data, member.size) for member in tar}
        for row in rows:
            row["offset"], row["bytes"] = places[f"{row['patch_id']}.{self.image}"]
        return rows

    def _encode(self, picture: Picture) -> bytes:
        from PIL import Image

        if isinstance(picture, Encoded):
            if picture.suffix == self.image:
                return picture.content
            image = Image.open(io.BytesIO(picture.content)).convert("RGB")
        else:
            image = Image.fromarray(picture)
        buffer = io.BytesIO()
        if self.image == "png":
            image.save(buffer, "PNG", compress_level=6)
        else:
            image.save(buffer, "JPEG", quality=self.quality, subsampling=0)
        return buffer.getvalue()


def _json(sample: Sample) -> bytes:
    content = {"metadata": sample.metadata, "elements": sample.elements, "annotations": sample.annotations}
    return json.dumps(content, ensure_ascii=False, sort_keys=True).encode()
