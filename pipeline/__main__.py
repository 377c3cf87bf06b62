"""`python -m pipeline` is `mapteller`."""

from pipeline.cli import main

main()
