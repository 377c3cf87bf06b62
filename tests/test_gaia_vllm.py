"""Structured output of the real vLLM over a tiny model: words of chance, in the shape that was asked for."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from annotation import gaia
from annotation.engines.vllm import VllmEngine
from annotation.request import Completion, ElementFacts, Request
from pipeline.bench.tiny_model import make_tiny_model, tiny_engine
from tests.need import need_vllm

need_vllm()

SHAPE = {
    "type": "object", "required": ["resolution", "tags"], "additionalProperties": False,
    "properties": {
        "resolution": {"type": "string", "enum": ["Low", "High"]},
        "tags": {"type": "array", "minItems": 5, "maxItems": 5, "items": {"type": "string", "enum": ["a", "b"]}},
    },
}  # fmt: skip


@pytest.mark.usefixtures("one_thread_engines")
def test_answers_have_the_shape_that_was_asked_for(tmp_path: Path) -> None:
    record = ElementFacts("record/1", "record", {}, {"alt": "Etna"})
    plain = Request("", "gaia", ({"role": "user", "content": "Etna"},), (record,), 0, 1, "gaia@0", max_tokens=60)
    shaped = [
        Request(f"{n}/gaia/0", "gaia", plain.messages, (record,), 0, n, "gaia@0", max_tokens=200, schema=SHAPE)
        for n in range(4)
    ]
    whole = Request("4/gaia/0", "gaia", plain.messages, (record,), 0, 4, "gaia@0", max_tokens=60, schema=gaia.schema())
    answers = asyncio.run(_answers(make_tiny_model(tmp_path / "tiny"), [*shaped, whole]))
    assert not any(answer.error for answer in answers.values())
    for request in shaped:
        answer = answers[request.key]
        if answer.finish_reason == "stop":
            said = json.loads(answer.text)
            assert set(said) == {"resolution", "tags"}
            assert len(said["tags"]) == 5
    assert any(answers[request.key].finish_reason == "stop" for request in shaped)
    assert answers[whole.key].text.lstrip().startswith("{")


async def _answers(model: Path, requests: Sequence[Request]) -> dict[str, Completion]:
    engine = VllmEngine.model_validate(tiny_engine(model))
    await engine.start()
    try:
        return {completion.key: completion async for completion in engine.generate(requests)}
    finally:
        await engine.stop()
