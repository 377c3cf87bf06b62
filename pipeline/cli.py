"""The commands."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.bench.cli import bench
from pipeline.terminal import AsJson, open_console, print_figures, told_to_people

app = typer.Typer(
    name="mapteller",
    help="Tells what the map knows about a picture taken from above.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(bench, name="bench")

ConfigFile = Annotated[Path, typer.Argument(help="Configuration, a YAML file.", show_default=False)]
RunDir = Annotated[Path, typer.Argument(help="Folder of a run.", show_default=False)]
Out = Annotated[Path, typer.Option("--out", help="Folder for everything the run makes.", show_default=False)]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key: samples.patch.size=224."),
]
RayAddress = Annotated[str | None, typer.Option("--ray-address", help="Join this Ray cluster instead of starting one.")]
OpenClip = Annotated[
    str | None, typer.Option("--open-clip", metavar="ARCHITECTURE", help="The model is an open_clip checkpoint.")
]


def main() -> None:
    """Runs the command line; exit code 0: all is well, 2: a wrong call, 1: anything else."""
    app()


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the county and its dataset.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Another seed, another county.")] = 7,
) -> None:
    """Make a small synthetic county on the spot and caption it: nothing is downloaded, no model, no GPU."""
    from pipeline.demo import run_demo

    with told_to_people("Run `mapteller demo` again to go on."):
        whole = run_demo(out, seed, open_console())
    raise typer.Exit(0 if whole else 1)


@app.command()
def init(
    target: Annotated[Path, typer.Argument(help="File to write.")] = Path("mapteller.yaml"),
) -> None:
    """Write a configuration to start from, each option with a comment."""
    from pipeline.demo import write_starter

    with told_to_people():
        write_starter(target)
    open_console().print(
        f"Wrote {target}. Fill in the paths, then: mapteller validate {target}", markup=False, highlight=False
    )


@app.command()
def validate(config: ConfigFile, set_: Set = None) -> None:
    """Check a configuration and everything it points to, without running it."""
    from pipeline.config import load_config
    from pipeline.prepare import prepare

    with told_to_people():
        prepared = prepare(load_config(config, set_ or ()))
    console = open_console()
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

    with told_to_people():
        show_preview(load_config(config, set_ or ()), number, tokenizer, open_console())


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

    console = open_console()
    with told_to_people(f"Go on with: mapteller run {config} --out {out}"):
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

    with told_to_people():
        show_status(folder, open_console())


@app.command()
def report(folder: RunDir) -> None:
    """Write report/index.html and the dataset card README.md anew."""
    from pipeline.report import write_report
    from pipeline.store import RunFolder

    with told_to_people():
        page = write_report(RunFolder(folder))
    open_console().print(str(page), markup=False, highlight=False)


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

    with told_to_people():
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

    with told_to_people():
        compare_runs(folders, open_console(), page=page, as_markdown=as_markdown, as_json=as_json)


@app.command(name="filter")
def filter_(  # noqa: PLR0913 - options of a command
    pairs: Annotated[Path, typer.Argument(metavar="PAIRS.csv", help="Columns filepath and texts.", show_default=False)],
    images: Annotated[Path, typer.Option(help="Folder that filepath starts from, or that holds the zip parts.")],
    model: Annotated[Path, typer.Option(help="Folder of a CLIP or SigLIP model.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the CSVs.")],
    *,
    keep: Annotated[list[int] | None, typer.Option(help="Percents to keep: 20, 30 and 50 if left out.")] = None,
    by: Annotated[Literal["class", "all"], typer.Option(help="The best of each class, or of all.")] = "class",
    text: Annotated[str, typer.Option(help="Column that is compared with the picture.")] = "title",
    architecture: OpenClip = None,
    gpus: Annotated[float, typer.Option(min=0, help="GPUs of a worker.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Copies of the model.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Keep the pairs whose text and picture fit best, by a CLIP or SigLIP model, as SkyScript's published subsets."""
    from pipeline.clip_filter import ClipFilter
    from pipeline.embed import embedding_model

    with told_to_people():
        chosen = ClipFilter(
            pairs=pairs, images=images, model=embedding_model(model, architecture), text=text, by=by, gpus=gpus,
            keep=tuple(keep or (20, 30, 50)), workers=workers,
        )  # fmt: skip
        print_figures(chosen.run(out), as_json=as_json)


@app.command()
def evaluate(
    root: Annotated[Path, typer.Argument(help="Folder of benchmarks, laid out as SkyScript's.", show_default=False)],
    model: Annotated[Path, typer.Option(help="Folder of a CLIP or SigLIP model.")],
    name: Annotated[list[str] | None, typer.Option(help="Only these benchmarks.")] = None,
    architecture: OpenClip = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Measure zero-shot classification and retrieval with a CLIP or SigLIP model."""
    from pipeline.embed import embedding_model
    from pipeline.evaluate import run as run_evaluation

    with told_to_people():
        print_figures(run_evaluation(root, embedding_model(model, architecture).load(), names=name), as_json=as_json)


@app.command()
def doctor() -> None:
    """Print versions, GPU, Ray, vLLM and credentials, and what each missing piece would enable."""
    from pipeline.doctor import examine

    with told_to_people():
        examine(open_console())
