"""What a run's captions depend on, as one digest; what they do not depend on stays out of it."""

import json
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

from pipeline.json_cells import to_sorted_json

PARTS_VERSION = 5
"""Raised when the same configuration and inputs would give other parts."""

_OF_IMAGERY = ("path", "concurrency", "user_agent", "key_from", "patience", "tokens")

NOT_CONTENT = (
    *(f"{imagery}.{key}" for imagery in ("samples.imagery", "samples.imagery.sources.*") for key in _OF_IMAGERY),
    "name",
    "workers",
    "region",
    "tags",
    "tag_wiki",
    "prompts",
    "output",
    "samples.osm.path",
    "samples.osm.url",
    "samples.osm.region",
    "samples.osm.index",
    "samples.osm.md5",
    "samples.osm.sha256",
    "samples.osm.patience",
    "samples.osm.servers",
    "samples.osm.cell",
    "samples.osm.max_cells",
    "samples.osm.timeout_s",
    "samples.osm.memory_mb",
    "samples.draw.weights.path",
    "samples.path",
    "captions.max_error_rate",
    "captions.checks.max_repeat",
    "captions.engines.*.replicas",
    "captions.engines.*.price",
    "captions.engines.*.gpus",
    "captions.engines.*.cpus",
    "captions.engines.*.connect_s",
    "captions.engines.*.concurrency",
    "captions.engines.*.max_num_seqs",
    "captions.engines.*.max_num_batched_tokens",
    "captions.engines.*.base_urls",
    "captions.engines.*.api_key_env",
    "captions.engines.*.timeout_s",
    "captions.engines.*.attempts",
    "captions.engines.*.max_tokens_field",
)
"""Keys of the configuration that change no caption: concurrency, places of files (their content counts instead),
and the output, which is a matter of the shards."""


def digest(content: Any) -> str:
    """Short digest of anything that JSON can hold; keys are sorted."""
    return blake2b(to_sorted_json(content).encode(), digest_size=12).hexdigest()


def content_of(config: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Flat table of all that captions depend on.

    Args:
        config: the configuration, ready for JSON.
        inputs: digests of what the configuration points to.
    """
    kept = {
        key: value for key, value in _flat(config, "") if not any(_matches(key, left_out) for left_out in NOT_CONTENT)
    }
    return {**kept, **{f"inputs.{key}": value for key, value in inputs.items()}, "parts": PARTS_VERSION}


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs between two such tables, a line each."""
    return [
        f"{key}: {_show(old, key)} -> {_show(new, key)}" for key in sorted({*old, *new}) if old.get(key) != new.get(key)
    ]


def _flat(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _flat(inner, f"{prefix}.{index}")
    else:
        yield prefix, value


def _matches(key: str, pattern: str) -> bool:
    parts, wanted = key.split("."), pattern.split(".")
    return len(parts) >= len(wanted) and all(want in ("*", part) for part, want in zip(parts, wanted, strict=False))


def _show(table: Mapping[str, Any], key: str) -> str:
    return json.dumps(table[key], ensure_ascii=False) if key in table else "nothing"
