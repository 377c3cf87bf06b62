"""Figures of the engines: how fast they are, how busy, and what they cost."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from annotation.engines.engine import Engine
from pipeline.dispatch import Copy, Dispatch

SUMS = ("requests", "answers", "errors", "deaths", "prompt_tokens", "completion_tokens", "cached_tokens")


def tally(dispatch: Dispatch) -> dict[str, Any]:
    """What the engines have done so far, ready for JSON."""
    engines: dict[str, dict[str, Any]] = {}
    for copy in dispatch.copies.values():
        sums = engines.setdefault(copy.engine, dict.fromkeys((*SUMS, "running", "copies", "alive"), 0))
        for key in SUMS:
            sums[key] += getattr(copy, key)
        sums["running"] += len(copy.leases)
        sums["copies"] += 1
        sums["alive"] += copy.alive
    for name, sums in engines.items():
        sums["waiting"] = dispatch.waiting(name)
    return {
        "engines": engines,
        "waiting": dispatch.waiting(None),
        "retries": dispatch.retries,
        "trouble": dispatch.trouble,
        "gone": dispatch.gone,
        "busy_s": time.monotonic() - dispatch.ready_at if dispatch.ready_at else 0.0,
    }


def tally_here(engines: Sequence[Engine], done: Mapping[str, Copy], started: float) -> dict[str, Any]:
    """The same of engines that answer in the processes that ask.

    Args:
        engines: of the configuration.
        done: what finished units have booked, by engine.
        started: seconds of a steady clock.
    """
    idle = {"running": 0, "waiting": 0}
    return {
        "engines": {
            engine.name: {
                **{key: getattr(done[engine.name], key) if engine.name in done else 0 for key in SUMS},
                **idle,
                "copies": engine.replicas,
                "alive": engine.replicas,
            }
            for engine in engines
        },
        "waiting": 0,
        "retries": 0,
        "trouble": "",
        "gone": {},
        "busy_s": time.monotonic() - started,
    }


def rates(tallied: Mapping[str, Any], seconds: float, engines: Sequence[Engine], captions: int) -> dict[str, Any]:
    """The same with what follows from it.

    Args:
        tallied: from `tally`.
        seconds: since the engines were asked for; their rates count from when the first was loaded.
        engines: of the configuration.
        captions: accepted in this time.

    Returns:
        `engines` with rates a second, cached share and cost; `waiting`, `retries`; and over all engines
        `requests_per_s`, `gpu_hours`, and `cost_per_1000_captions` if any engine has a price.
    """
    told, busy = {}, tallied["busy_s"]
    for engine in engines:
        sums = tallied["engines"][engine.name]
        gpu_hours = engine.gpus * engine.replicas * seconds / 3600
        told[engine.name] = {
            **sums,
            "requests_per_s": _per(sums["requests"], busy),
            "prompt_tokens_per_s": _per(sums["prompt_tokens"], busy),
            "completion_tokens_per_s": _per(sums["completion_tokens"], busy),
            "cached_share": _per(sums["cached_tokens"], sums["prompt_tokens"], 4),
            "gpu_hours": round(gpu_hours, 4),
            "cost": _cost(engine, sums, gpu_hours),
        }
    costs = [each["cost"] for each in told.values() if each["cost"] is not None]
    cost = round(1000 * sum(costs) / captions, 4) if costs and captions else None
    return {
        "engines": told,
        "waiting": tallied["waiting"],
        "retries": tallied["retries"],
        "gone": tallied["gone"],
        "seconds": round(seconds, 1),
        "requests_per_s": _per(sum(each["requests"] for each in told.values()), busy),
        "gpu_hours": round(sum(each["gpu_hours"] for each in told.values()), 4),
        "cost_per_1000_captions": cost,
    }


def _cost(engine: Engine, sums: Mapping[str, int], gpu_hours: float) -> float | None:
    price = engine.price
    if price is None:
        return None
    tokens = sums["prompt_tokens"] * price.million_prompt + sums["completion_tokens"] * price.million_output
    return round(gpu_hours * price.gpu_hour + tokens / 1e6, 4)


def _per(amount: float, of: float, digits: int = 1) -> float:
    return round(amount / of, digits) if of else 0.0
