"""The dataset card: what a run made, of what, and by which rules."""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.atomic import read_json, write_text
from pipeline.errors import PipelineError
from pipeline.store import RunFolder

CARD_COUNTS = ("captioned", "captions", "kept", "rejected", "nodata", "nothing", "newer")


def write_card(folder: RunFolder) -> Path:
    """Writes README.md of a run.

    Raises:
        PipelineError: the folder holds no finished shards.
    """
    info, listed = folder.info(), folder.shards / "dataset.json"
    if info is None or not listed.exists():
        raise PipelineError(f"{folder.path} holds no finished shards to describe.")
    names = [Path(line["file"]).stem for line in read_json(listed)["shards"]] or ["Patches0000"]
    environment = Environment(
        loader=PackageLoader("pipeline.report"),
        autoescape=False,  # noqa: S701 - Markdown, and nothing in it comes from the map
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    config = info["config"]
    text = environment.get_template("card.md.j2").render(
        info=info,
        config=config,
        counts={key: info["counts"].get(key, 0) for key in CARD_COUNTS},
        imagery=(info.get("origin") or config["samples"])["imagery"],
        origin=info.get("origin") or config["samples"],
        policy=config["captions"]["policy"],
        tasks=config["captions"]["tasks"],
        first=f"{names[0][:-4]}{{{names[0][-4:]}",
        last=f"{names[-1][-4:]}}}",
    )
    card = folder.path / "README.md"
    write_text(card, text)
    return card
