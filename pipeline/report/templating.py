"""Templates of the report's page and of the comparison."""

from jinja2 import Environment, PackageLoader, StrictUndefined


def templates() -> Environment:
    """Templates of this package; what they show is data, and escaped for HTML."""
    return Environment(
        loader=PackageLoader("pipeline.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
