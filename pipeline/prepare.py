"""Everything that is known before the first sample: samples, tables, engines, and the digest of it all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.config import Config, GridSamples
from pipeline.fingerprint import content_of, digest
from pipeline.gaia_samples import GaiaSamples
from pipeline.gaia_source import GaiaSource
from pipeline.grid_source import GridSource
from pipeline.object_samples import ObjectSamples
from pipeline.object_source import ObjectSource
from pipeline.run_source import RunSource
from pipeline.skyscript_samples import SkyScriptSamples
from pipeline.skyscript_source import SkyScriptSource
from pipeline.source import Source
from pipeline.tables import prompts, tag_table, wiki_digest
from pipeline.tiles_samples import TilesSamples
from pipeline.tiles_source import TilesSource


@dataclass(frozen=True, slots=True)
class Prepared:
    """A configuration whose inputs have been looked at.

    Attributes:
        config: the configuration.
        source: its samples.
        content: table of all that captions depend on, but for what each unit knows for itself.
        fingerprint: digest of `content`.
    """

    config: Config
    source: Source
    content: Mapping[str, Any]
    fingerprint: str


def prepare(config: Config) -> Prepared:
    """Looks at everything a configuration points to, without working on it.

    Raises:
        PipelineError: samples of this kind cannot be had from what is there.
        DownloadError: imagery or map cannot be used.
        AnnotationError: tag table, prompts or engines cannot be used.
    """
    source = source_of(config)
    for engine in config.captions.engines:
        engine.check()
    inputs = {
        **source.inputs,
        "tags": tag_table(config.tags).digest,
        "prompts": prompts(config.prompts).digest,
        "tag_wiki": wiki_digest(config.tag_wiki),
    }
    content = content_of(config.model_dump(mode="json"), inputs)
    return Prepared(config, source, content, digest(content))


def source_of(config: Config) -> Source:
    """The samples of a configuration, looked at."""
    samples = config.samples
    if isinstance(samples, GridSamples):
        return GridSource.of(config, samples)
    if isinstance(samples, GaiaSamples):
        return GaiaSource.of(config, samples)
    if isinstance(samples, ObjectSamples):
        return ObjectSource.of(config, samples)
    if isinstance(samples, SkyScriptSamples):
        return SkyScriptSource.of(config, samples)
    if isinstance(samples, TilesSamples):
        return TilesSource.of(config, samples)
    return RunSource.of(config, samples)
