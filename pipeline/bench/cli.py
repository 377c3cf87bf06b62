"""The commands that measure."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.terminal import AsJson, print_figures, told_to_people

bench = typer.Typer(help="Measure how fast a part is on this machine.", no_args_is_help=True)


@bench.command()
def elements(
    extract: Annotated[Path, typer.Argument(help="OSM extract.", show_default=False)],
    times: Annotated[int, typer.Option(min=1, help="Use an extract of this many shifted copies.")] = 1,
    *,
    as_json: AsJson = False,
) -> None:
    """Read, decide and write a map extract, against a bare pyosmium pass."""
    from pipeline.bench.elements import run as run_bench

    with told_to_people():
        print_figures(run_bench(extract, times=times), as_json=as_json)


@bench.command()
def facts(
    extract: Annotated[Path, typer.Argument(help="OSM extract.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Lay 268.8 m patches over an extract and make all their facts and prompts, on one core."""
    from pipeline.bench.facts import run as run_bench

    with told_to_people():
        print_figures(run_bench(extract), as_json=as_json)


@bench.command()
def tags(
    extract: Annotated[Path, typer.Argument(help="OSM extract.", show_default=False)],
    overlay: Annotated[Path | None, typer.Option(help="A CSV laid over the tag table.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Print the share of an extract's ways and areas that the tag table knows, and the commonest gaps."""
    from pipeline.bench.tags import run as run_bench

    with told_to_people():
        print_figures(run_bench(extract, overlay), as_json=as_json)


@bench.command()
def checks(
    extract: Annotated[Path | None, typer.Argument(help="OSM extract; left out: a synthetic county.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Check captions of the grammar engine claim by claim, on one core."""
    from pipeline.bench.checks import run as run_bench

    with told_to_people():
        print_figures(run_bench(extract), as_json=as_json)


@bench.command()
def imagery(
    raster: Annotated[Path | None, typer.Argument(help="A cloud-optimised GeoTIFF; left out: one made here.")] = None,
    patches: Annotated[int, typer.Option(min=1, help="Adjoining patches.")] = 500,
    *,
    as_json: AsJson = False,
) -> None:
    """Read windows of a COG over HTTP on this machine: requests and bytes, beside plain rasterio."""
    from pipeline.bench.imagery import run as run_bench

    with told_to_people():
        print_figures(run_bench(raster, patches=patches), as_json=as_json)


@bench.command()
def records(
    entries: Annotated[int, typer.Option(min=1000, help="Synthetic entries; a tenth is run first.")] = 200_000,
    *,
    as_json: AsJson = False,
) -> None:
    """Stream SkyScript-like zips through a whole run with the grammar engine: entries a second, and memory."""
    from pipeline.bench.records import run as run_bench

    with told_to_people():
        print_figures(run_bench(entries=entries), as_json=as_json)


@bench.command()
def engines(
    model: Annotated[str | None, typer.Option(help="Hub name or folder; left out: a tiny random one.")] = None,
    prompts: Annotated[int, typer.Option(min=16, help="Prompts, all different.")] = 512,
    output_tokens: Annotated[int, typer.Option(min=1, help="Length of every answer.")] = 60,
    gpus: Annotated[float, typer.Option(min=0, help="GPUs of the replica; 0: the CPU.")] = 0,
    load_format: Annotated[str, typer.Option(help="dummy: random weights for a model's configuration.")] = "auto",
    alone: Annotated[int, typer.Option(min=1, help="Prompts that are also asked one at a time.")] = 64,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Setting of the vllm engine.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Ask one at a time, in vLLM's own batch, and through the dispatch; see how much of the prefixes is cached."""
    from pipeline.bench.engines import run as run_bench
    from pipeline.config import override

    with told_to_people():
        settings = override({}, set_ or ())
        figures = run_bench(
            model, prompts=prompts, alone=alone, output_tokens=output_tokens, gpus=gpus, load_format=load_format,
            settings=settings,
        )  # fmt: skip
        print_figures(figures, as_json=as_json)
