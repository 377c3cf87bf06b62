"""The demo: a county made on the spot, captioned by the whole pipeline."""

from importlib.resources import files
from pathlib import Path

from rich.console import Console

from pipeline.atomic import write_text
from pipeline.errors import PipelineError


def run_demo(folder: Path, seed: int, console: Console) -> bool:
    """Makes the county where it is not there yet, runs `configs/demo.yaml` over it, and says where everything is.

    Returns:
        Whether every patch ended as a caption, a rejection or a counted skip.
    """
    from download.sample import make_county
    from pipeline.config import load_config
    from pipeline.report import write_report
    from pipeline.run import run
    from pipeline.store import RunFolder

    county, out = folder / f"county-{seed}", folder / f"run-{seed}"
    config = county / "demo.yaml"
    if not config.exists():
        console.print(f"Making a county in {county} …", markup=False, highlight=False)
        make_county(county, seed)
        write_text(config, files("configs").joinpath("demo.yaml").read_text(encoding="utf-8"))
    whole = run(load_config(config, [f"seed={seed}"]), out, console=console)
    page = write_report(RunFolder(out))
    lines = (
        f"imagery and map  {county}",
        f"configuration    {config}",
        f"shards           {out / 'shards'}",
        f"what happened    {out / 'run.json'}",
        f"look at it       {page}",
    )
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return whole


def write_starter(target: Path) -> None:
    """Writes a configuration to start from.

    Raises:
        PipelineError: the file is there already or cannot be written.
    """
    if target.exists():
        raise PipelineError(f"{target} is there already. Name another file, or move it away.")
    try:
        write_text(target, files("configs").joinpath("local.yaml").read_text(encoding="utf-8"))
    except OSError as error:
        raise PipelineError(f"{target} cannot be written: {error.strerror}.") from error
