"""The commands."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from annotation.errors import AnnotationError
from download.errors import DownloadError
from pipeline.errors import PipelineError

app = typer.Typer(
    name="mapteller",
    help="Tells what the map knows about a picture taken from above.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
bench = typer.Typer(help="Measure how fast a part is on this machine.", no_args_is_help=True)
app.add_typer(bench, name="bench")

ConfigFile = Annotated[Path, typer.Argument(help="Configuration, a YAML file.", show_default=False)]
RunDir = Annotated[Path, typer.Argument(help="Folder of a run.", show_default=False)]
Out = Annotated[Path, typer.Option("--out", help="Folder for everything the run makes.", show_default=False)]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key: samples.patch.size=224."),
]
RayAddress = Annotated[str | None, typer.Option("--ray-address", help="Join this Ray cluster instead of starting one.")]
AsJson = Annotated[bool, typer.Option("--json", help="End with one line of JSON.")]


def main() -> None:
    """Runs the command line; exit code 0: all is well, 2: a wrong call, 1: anything else."""
    app()


def _console() -> Console:
    return Console(soft_wrap=True) if not sys.stdout.isatty() else Console()


@contextmanager
def _told_to_people(again: str = "") -> Iterator[None]:
    """Turns our errors into a message and an exit code."""
    errors = Console(stderr=True, soft_wrap=True)
    try:
        yield
    except (PipelineError, DownloadError, AnnotationError) as error:
        errors.print(f"Error: {error}", markup=False, highlight=False, style="red")
        raise typer.Exit(2 if type(error).__name__ == "ConfigError" else 1) from None
    except OSError as error:
        errors.print(f"Error: {error}. What is finished is kept.", markup=False, highlight=False, style="red")
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        errors.print(f"Stopped. {again}".strip(), markup=False, highlight=False)
        raise typer.Exit(1) from None


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the county and its dataset.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Another seed, another county.")] = 7,
) -> None:
    """Make a small synthetic county on the spot and caption it: nothing is downloaded, no model, no GPU."""
    from pipeline.demo import run_demo

    with _told_to_people("Run `mapteller demo` again to go on."):
        whole = run_demo(out, seed, _console())
    raise typer.Exit(0 if whole else 1)


@app.command()
def init(
    target: Annotated[Path, typer.Argument(help="File to write.")] = Path("mapteller.yaml"),
) -> None:
    """Write a configuration to start from, each option with a comment."""
    from pipeline.demo import write_starter

    with _told_to_people():
        write_starter(target)
    _console().print(
        f"Wrote {target}. Fill in the paths, then: mapteller validate {target}", markup=False, highlight=False
    )


@app.command()
def validate(config: ConfigFile, set_: Set = None) -> None:
    """Check a configuration and everything it points to, without running it."""
    from pipeline.config import load_config
    from pipeline.prepare import prepare

    with _told_to_people():
        prepared = prepare(load_config(config, set_ or ()))
    console = _console()
    console.print(f"{config} is in order.", markup=False, highlight=False)
    console.print(prepared.source.summary, markup=False, highlight=False)


@app.command()
def preview(
    config: ConfigFile,
    number: Annotated[int, typer.Option("-n", min=1, help="Patches to show.")] = 5,
    tokenizer: Annotated[Path | None, typer.Option(help="Hugging Face tokenizer folder to count tokens with.")] = None,
    set_: Set = None,
) -> None:
    """Show facts, prompt and caption of a few patches, in the terminal."""
    from pipeline.config import load_config
    from pipeline.preview import show_preview

    with _told_to_people():
        show_preview(load_config(config, set_ or ()), number, tokenizer, _console())


@app.command()
def run(
    config: ConfigFile,
    out: Out,
    resume: Annotated[
        Literal["auto", "never", "always"],
        typer.Option(
            help="auto: go on with the same configuration; never: throw an earlier run away; always: insist on one."
        ),
    ] = "auto",
    set_: Set = None,
    ray_address: RayAddress = None,
) -> None:
    """Make a dataset; the same command goes on where an earlier one stopped."""
    from pipeline.config import load_config
    from pipeline.report import write_report
    from pipeline.run import run as run_config
    from pipeline.store import RunFolder

    console = _console()
    with _told_to_people(f"Go on with: mapteller run {config} --out {out}"):
        whole = run_config(
            load_config(config, set_ or ()), out, resume=resume, ray_address=ray_address, console=console
        )
        write_report(RunFolder(out))
    console.print(f"{'Done' if whole else 'Ended with failures, see run.json'}: {out}", markup=False, highlight=False)
    raise typer.Exit(0 if whole else 1)


@app.command()
def status(folder: RunDir) -> None:
    """Tell what is done, rejected, failed and left, how fast it goes and how long it will take."""
    from pipeline.status import show_status

    with _told_to_people():
        show_status(folder, _console())


@app.command()
def report(folder: RunDir) -> None:
    """Write report/index.html and the dataset card README.md anew."""
    from pipeline.report import write_report
    from pipeline.store import RunFolder

    with _told_to_people():
        page = write_report(RunFolder(folder))
    _console().print(str(page), markup=False, highlight=False)


@app.command()
def check(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.jsonl", help="A caption a line, or - for stdin.", show_default=False)
    ],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Strictness of a check: names=count.")
    ] = None,
) -> None:
    """Hold captions of any origin against the facts they were made from; one line of JSON for each."""
    from pipeline.check_file import check_file, checks_of

    with _told_to_people():
        readable = check_file(file, checks_of(set_ or ()), sys.stdout, sys.stderr)
    raise typer.Exit(0 if readable else 1)


@app.command()
def compare(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR DIR…", help="Folders of runs.", show_default=False)],
    page: Annotated[
        Path | None, typer.Option("--page", help="Write a page with the same patches side by side.")
    ] = None,
    *,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables as Markdown.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare runs on the samples they share: hallucination, refusals, diversity, lengths, speed and cost."""
    from pipeline.commands_compare import compare_runs

    with _told_to_people():
        compare_runs(folders, _console(), page=page, as_markdown=as_markdown, as_json=as_json)


@app.command()
def doctor() -> None:
    """Print versions, GPU, Ray, vLLM and credentials, and what each missing piece would enable."""
    from pipeline.doctor import examine

    with _told_to_people():
        examine(_console())


@bench.command()
def elements(
    extract: Annotated[Path, typer.Argument(help="OSM extract.", show_default=False)],
    times: Annotated[int, typer.Option(min=1, help="Use an extract of this many shifted copies.")] = 1,
    *,
    as_json: AsJson = False,
) -> None:
    """Read, decide and write a map extract, against a bare pyosmium pass."""
    from pipeline.bench.elements import run as run_bench

    with _told_to_people():
        _figures(run_bench(extract, times=times), as_json=as_json)


@bench.command()
def facts(
    extract: Annotated[Path, typer.Argument(help="OSM extract.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Lay 268.8 m patches over an extract and make all their facts and prompts, on one core."""
    from pipeline.bench.facts import run as run_bench

    with _told_to_people():
        _figures(run_bench(extract), as_json=as_json)


@bench.command()
def tags(
    extract: Annotated[Path, typer.Argument(help="OSM extract.", show_default=False)],
    overlay: Annotated[Path | None, typer.Option(help="A CSV laid over the tag table.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Print the share of an extract's ways and areas that the tag table knows, and the commonest gaps."""
    from pipeline.bench.tags import run as run_bench

    with _told_to_people():
        _figures(run_bench(extract, overlay), as_json=as_json)


@bench.command()
def checks(
    extract: Annotated[Path | None, typer.Argument(help="OSM extract; left out: a synthetic county.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Check captions of the grammar engine claim by claim, on one core."""
    from pipeline.bench.checks import run as run_bench

    with _told_to_people():
        _figures(run_bench(extract), as_json=as_json)


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

    with _told_to_people():
        settings = override({}, set_ or ())
        figures = run_bench(
            model, prompts=prompts, alone=alone, output_tokens=output_tokens, gpus=gpus, load_format=load_format,
            settings=settings,
        )  # fmt: skip
        _figures(figures, as_json=as_json)


def _figures(figures: dict[str, object], *, as_json: bool) -> None:
    import json

    console = _console()
    for name, value in figures.items():
        console.print(f"{name}: {value}", markup=False, highlight=False)
    if as_json:
        sys.stdout.write(json.dumps(figures, sort_keys=True) + "\n")
