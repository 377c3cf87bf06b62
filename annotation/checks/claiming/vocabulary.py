"""Words by their use in a sentence, from `vocabulary.toml`."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files

_TABLES = tomllib.loads((files("annotation.checks.claiming") / "vocabulary.toml").read_text(encoding="utf-8"))

WORDS: Mapping[str, frozenset[str]] = {
    f"{module}.{name}": frozenset(words.split()) for module, table in _TABLES.items() for name, words in table.items()
}
"""Sets of words by module and name: `binding.finite`."""
