"""The configuration: one YAML, whose objects are the components themselves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from annotation.checks.checks import Checks
from annotation.engines.grammar import GrammarEngine
from annotation.engines.openai import OpenAiEngine
from annotation.engines.vllm import VllmEngine
from annotation.tasks import Policy
from download.paths import ConfigPath
from download.scene import Bounds
from pipeline.errors import PipelineError
from pipeline.explain import explain
from pipeline.gaia_samples import GaiaSamples
from pipeline.grid import PatchGrid
from pipeline.object_samples import ObjectSamples
from pipeline.osm_maps import Osm
from pipeline.scene_imagery import Imagery
from pipeline.skyscript_samples import SkyScriptSamples
from pipeline.split import Split
from pipeline.tiles_samples import TilesSamples
from pipeline.writers.csv_titles import SkyScriptCsvWriter
from pipeline.writers.gaia_json import GaiaJsonWriter
from pipeline.writers.git10m import Git10mWriter
from pipeline.writers.webdataset import WebDatasetWriter

AnyEngine = Annotated[GrammarEngine | OpenAiEngine | VllmEngine, Field(discriminator="kind")]
Output = Annotated[GaiaJsonWriter | Git10mWriter | SkyScriptCsvWriter | WebDatasetWriter, Field(discriminator="kind")]

WebAddress = Annotated[str, Field(pattern="^https?://")]


class ConfigError(PipelineError):
    """The configuration is wrong; the message names the key and the way out."""


class GridSamples(BaseModel):
    """Patches cut from scenes, with the map under them.

    Attributes:
        kind: `grid`.
        imagery: where the scenes come from.
        osm: where the map comes from.
        as_of: `picture` tells only what surely stood when the picture was taken, `extract` what the map holds.
        patch: how patches are laid.
        overlaps: `drop` shows ground once that several scenes of a source and year hold, `keep` in each of them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["grid"]
    imagery: Imagery
    osm: Osm
    as_of: Literal["picture", "extract"] = "picture"
    patch: PatchGrid = PatchGrid()
    overlaps: Literal["drop", "keep"] = "drop"


class RunSamples(BaseModel):
    """Captioned samples of an earlier run, with their facts and pictures, to be captioned again.

    Attributes:
        kind: `run`.
        path: the earlier run's folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["run"]
    path: ConfigPath


class Revisions(BaseModel):
    """Captions rewritten from accepted ones.

    Attributes:
        mean: revisions of each caption; 1.5: one or two.
        engine: who rewrites; left out: any engine.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mean: float = Field(default=1.0, ge=0, le=20)
    engine: str | None = None


def _mean_of_revisions(given: Any) -> Any:
    """A bare number is the mean."""
    return {"mean": given} if isinstance(given, int | float) else given


class TaskWeights(BaseModel):
    """Weights of the tasks where several are possible, and the revisions that follow."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    area: float = Field(default=0.6, ge=0)
    non_area: float = Field(default=0.4, ge=0)
    scene: float = Field(default=0.0, ge=0)
    revision: Annotated[Revisions, BeforeValidator(_mean_of_revisions)] = Revisions()

    @model_validator(mode="after")
    def _something_to_do(self) -> "TaskWeights":
        if self.area + self.non_area + self.scene == 0:
            raise ValueError("area, non_area and scene are all 0, so nothing would be captioned")
        return self

    @property
    def weights(self) -> dict[str, float]:
        """By task; of revisions the mean number."""
        return {"area": self.area, "non_area": self.non_area, "scene": self.scene, "revision": self.revision.mean}


class Captions(BaseModel):
    """Which tasks, by which engines, under which checks.

    Attributes:
        tasks: weights of the tasks.
        policy: which elements are told.
        engines: who writes.
        assign: `free`: whoever is idle; `share`: by hash of the sample, the same on every run.
        drafts: captions asked for with each first request, each checked and revised for itself.
        checks: what is refused.
        retries: how often a rejected caption is asked again.
        max_error_rate: the run stops early when a larger share of recent requests fail.
        names: `keep` tells proper names, `drop` keeps them out of prompts.
        place: whether prompts say in which country, state, county and town a patch lies.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tasks: TaskWeights = TaskWeights()
    policy: Policy = Policy()
    engines: Annotated[tuple[AnyEngine, ...], Field(min_length=1)] = (GrammarEngine(kind="grammar"),)
    assign: Literal["free", "share"] = "free"
    drafts: int = Field(default=1, ge=1, le=20)
    checks: Checks = Checks()
    retries: int = Field(default=2, ge=0, le=20)
    max_error_rate: float = Field(default=0.5, gt=0, le=1)
    names: Literal["keep", "drop"] = "keep"
    place: bool = False

    @model_validator(mode="after")
    def _names_differ(self) -> "Captions":
        names = [engine.name for engine in self.engines]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two engines are called {name!r}; give each its own name")
        reviser = self.tasks.revision.engine
        if reviser is not None and reviser not in names:
            raise ValueError(f"tasks.revision.engine: no engine is called {reviser!r}; there are {', '.join(names)}")
        return self


class Config(BaseModel):
    """A dataset: samples x captions x output.

    Attributes:
        name: of the dataset.
        seed: every random choice comes from it.
        region: GeoJSON file or [west, south, east, north] in degrees; left out: the imagery's own footprint.
        samples: pictures and what is known of them.
        captions: who says what.
        output: what is written.
        split: shares of train, validation and test.
        tags: a CSV laid over the tag table.
        tag_wiki: taginfo's wiki database (SQLite), for definitions of tags that the table lacks; a file, or the
            address of `taginfo-wiki.db.bz2`.
        prompts: a folder of templates instead of the shipped ones.
        workers: units worked on at once; left out: one for each CPU.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    seed: int = Field(default=0, ge=0)
    region: Bounds | ConfigPath | None = None
    samples: Annotated[
        GaiaSamples | GridSamples | ObjectSamples | RunSamples | SkyScriptSamples | TilesSamples,
        Field(discriminator="kind"),
    ]
    captions: Captions = Captions()
    output: Output
    split: Split = Split()
    tags: ConfigPath | None = None
    tag_wiki: Annotated[WebAddress | ConfigPath | None, Field(union_mode="left_to_right")] = None
    prompts: ConfigPath | None = None
    workers: int | None = Field(default=None, ge=1)


def load_config(path: Path, overrides: Sequence[str] = ()) -> Config:
    """Reads a configuration.

    Args:
        path: YAML file.
        overrides: `a.b.0.c=value` each; the value is YAML.

    Raises:
        ConfigError: the file is missing, no YAML, or says something that is not understood.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}. `mapteller init` writes a configuration to start from."
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is no YAML: {error}") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{path} holds no keys. `mapteller init` writes a configuration to start from.")
    override(raw, overrides)
    try:
        return Config.model_validate(raw, context={"base": path.resolve().parent})
    except ValidationError as error:
        explanations = list(explain(error, Config))
        lines = [f"{path}: {len(explanations)} thing(s) to mend"]
        lines += [f"  {line}" for line in explanations]
        raise ConfigError("\n".join(lines)) from error


def override(raw: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Sets keys of a configuration as it was read, and returns it.

    Args:
        raw: is changed.
        overrides: `a.b.0.c=value` each; the value is YAML.

    Raises:
        ConfigError: an override is none, or leads nowhere.
    """
    for each in overrides:
        _set(raw, each)
    return raw


def _set(raw: dict[str, Any], said: str) -> None:
    key, separator, text = said.partition("=")
    if not separator or not key:
        raise ConfigError(f"--set {said}: write key=value, such as --set samples.patch.size=224")
    *parents, last = key.split(".")
    place: Any = raw
    for part in parents:
        place = _enter(place, part, key)
    value = yaml.safe_load(text)
    if isinstance(place, list):
        if not last.isdigit() or int(last) >= len(place):
            raise ConfigError(f"--set {key}: {last} is no item of a list of {len(place)}")
        place[int(last)] = value
    else:
        place[last] = value


def _enter(place: Any, part: str, key: str) -> Any:
    if isinstance(place, list):
        if part.isdigit() and int(part) < len(place):
            return place[int(part)]
        raise ConfigError(f"--set {key}: {part} is no item of a list of {len(place)}")
    inner = place.setdefault(part, {})
    if not isinstance(inner, dict | list):
        raise ConfigError(f"--set {key}: {part} is a plain value and holds no keys")
    return inner
