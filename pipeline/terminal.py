"""How commands speak: the console, errors for people, figures."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console

from annotation.errors import AnnotationError
from download.errors import DownloadError
from pipeline.errors import PipelineError

AsJson = Annotated[bool, typer.Option("--json", help="End with one line of JSON.")]


def open_console() -> Console:
    """A console that leaves long lines whole where it is no terminal."""
    return Console(soft_wrap=True) if not sys.stdout.isatty() else Console()


@contextmanager
def told_to_people(again: str = "") -> Iterator[None]:
    """Turns our errors into a message and an exit code."""
    errors = Console(stderr=True, soft_wrap=True)
    try:
        yield
    except (PipelineError, DownloadError, AnnotationError) as error:
        errors.print(f"Error: {error}", markup=False, highlight=False, style="red")
        raise typer.Exit(2 if type(error).__name__ == "ConfigError" else 1) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read has read enough: `… | head`
        raise typer.Exit(0) from None
    except OSError as error:
        errors.print(f"Error: {error}. What is finished is kept.", markup=False, highlight=False, style="red")
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        errors.print(f"Stopped. {again}".strip(), markup=False, highlight=False)
        raise typer.Exit(1) from None


def print_figures(figures: dict[str, object], *, as_json: bool) -> None:
    """Prints what a measurement found, a line each, and all of it as JSON if wished."""
    console = open_console()
    for name, value in figures.items():
        console.print(f"{name}: {value}", markup=False, highlight=False)
    if as_json:
        sys.stdout.write(json.dumps(figures, sort_keys=True) + "\n")
