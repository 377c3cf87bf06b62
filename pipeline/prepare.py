"""Everything that is known before the first patch: scenes, map, tables, and the digest of it all."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import Any

from annotation.prompts import Prompts
from annotation.tagging.wiki import TagWiki
from annotation.tags import TagTable
from download.scene import Scene
from pipeline.config import Config
from pipeline.fingerprint import content_of, digest
from pipeline.grid import Block, blocks
from pipeline.region import check_overlap, load_region, scenes_inside


@dataclass(frozen=True, slots=True)
class Prepared:
    """A configuration whose inputs have been looked at.

    Attributes:
        config: the configuration.
        scenes: scenes of the region, by id.
        content: table of all that captions depend on, but for the scenes, which each unit knows for itself.
        fingerprint: digest of `content`.
    """

    config: Config
    scenes: Mapping[str, Scene]
    content: Mapping[str, Any]
    fingerprint: str

    @property
    def units(self) -> list[Block]:
        """The units of work, in order."""
        return list(blocks(list(self.scenes.values()), self.config.samples.patch))

    @property
    def map_digest(self) -> str:
        """Changes when the map or what is read from it does."""
        return digest([self.content["inputs.map"], self.content["inputs.tags"]])


def prepare(config: Config) -> Prepared:
    """Looks at everything a configuration points to, without working on it.

    Raises:
        PipelineError: imagery, map and region do not fit together.
        DownloadError: imagery or map cannot be used.
        AnnotationError: tag table or prompts cannot be used.
    """
    samples = config.samples
    samples.osm.check(history=samples.as_of == "picture")
    region = load_region(config.region)
    scenes = scenes_inside(samples.imagery.scenes(), region)
    known = samples.osm.bounds()
    if known:
        check_overlap(scenes, known)
    for scene in scenes:
        samples.patch.window_size(scene)
    inputs = {
        "map": samples.osm.digest(),
        "region": "" if region is None else digest(region.wkt),
        "tags": tag_table(config.tags).digest,
        "prompts": prompts(config.prompts).digest,
        "tag_wiki": _digest_of(config.tag_wiki),
    }
    content = content_of(config.model_dump(mode="json"), inputs)
    return Prepared(config, {scene.id: scene for scene in scenes}, content, digest(content))


@lru_cache(maxsize=4)
def tag_table(overlay: Path | None) -> TagTable:
    """The tag table, read once a process."""
    return TagTable.load(overlay)


@lru_cache(maxsize=4)
def tag_wiki(path: Path | None) -> TagWiki | None:
    """The wiki's definitions of tags, opened once a process; None where none is configured."""
    return TagWiki(path) if path else None


def _digest_of(wiki: Path | None) -> str:
    """Of the whole file, after a look whether it can be used."""
    if not tag_wiki(wiki) or not wiki:
        return ""
    with wiki.open("rb") as content:
        return file_digest(content, lambda: blake2b(digest_size=12)).hexdigest()


@lru_cache(maxsize=4)
def prompts(folder: Path | None) -> Prompts:
    """The prompt templates, read once a process."""
    return Prompts.load(folder)
