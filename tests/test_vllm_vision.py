"""The real engine over a tiny model that sees."""

import asyncio
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from annotation.engines.chat import Chat
from annotation.engines.vision import need_place, that_reads_text
from annotation.engines.vllm import VllmEngine
from annotation.engines.vllm_start import explain
from annotation.errors import AnnotationError
from annotation.request import Completion, Message, Request
from pipeline.bench.tiny_model import CHAT, make_tiny_model, tiny_engine
from tests import seeing_model
from tests.need import need_vllm
from tests.seeing_model import PICTURE_TOKENS, make_seeing_model

need_vllm()

pytestmark = pytest.mark.usefixtures("one_thread_engines")

Ask = Callable[..., dict[str, Completion]]

CHAT_OF_BOTH: tuple[Message, ...] = (
    {"role": "system", "content": "Write a caption."},
    {"role": "user", "content": "What: pond"},
    {"role": "assistant", "content": "A pond lies in a meadow."},
    {"role": "user", "content": "What: mill"},
)
ASKED = Request("plain", "area", CHAT_OF_BOTH, (), gsd=0.6, seed=1, prompt="area@0", max_tokens=12, temperature=0)
SHAPE = {
    "type": "object", "required": ["resolution"], "additionalProperties": False,
    "properties": {"resolution": {"type": "string", "enum": ["Low", "High"]}},
}  # fmt: skip
OF_EITHER = """\
{%- for turn in messages -%}
  {%- if turn.content is string -%}
    {{- turn.content -}}
  {%- else -%}
    {%- for part in turn.content -%}{{- part.text or "<image>" -}}{%- endfor -%}
  {%- endif -%}
{%- endfor -%}
"""
WRITES_ALL = "{% for turn in messages %}{{ turn.content }}|{% endfor %}"
DROPS_PARTS = "{% for turn in messages %}{{ turn.content if turn.content is string }}|{% endfor %}"


def file(pixels: "np.ndarray[Any, np.dtype[np.uint8]]", kind: str = "PNG") -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, kind)
    return content.getvalue()


def noise(seed: int, height: int = 40, width: int = 40) -> bytes:
    return file(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


WINDOW = 2_048
BLACK = file(np.zeros((40, 40, 3), np.uint8))


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Asks one running engine; answers by key."""
    model = make_seeing_model(tmp_path_factory.mktemp("models") / "seeing")
    engine = VllmEngine.model_validate(tiny_engine(model, vision=True, max_model_len=WINDOW))

    async def answers(requests: Sequence[Request]) -> dict[str, Completion]:
        return {completion.key: completion async for completion in engine.generate(requests)}

    with asyncio.Runner() as runner:
        runner.run(engine.start())
        try:
            yield lambda *requests: runner.run(answers(requests))
        finally:
            runner.run(engine.stop())


def shown(key: str, picture: bytes, **changes: Any) -> Request:
    return replace(ASKED, key=key, picture=picture, **changes)


@pytest.mark.parametrize("messages", [CHAT_OF_BOTH, (CHAT_OF_BOTH[0], CHAT_OF_BOTH[-1])])
def test_a_picture_joins_the_prompt(ask: Ask, messages: tuple[Message, ...]) -> None:
    answers = ask(replace(ASKED, messages=messages), shown("seen", BLACK, messages=messages))
    assert not any(answer.error for answer in answers.values())
    assert answers["seen"].completion_tokens == 12
    assert answers["plain"].prompt_tokens > 12
    assert answers["seen"].prompt_tokens == answers["plain"].prompt_tokens + PICTURE_TOKENS


def test_what_is_said_hangs_on_what_is_seen(ask: Ask) -> None:
    pictures = [BLACK, *(noise(seed) for seed in range(3))]
    requests = [shown(f"{number}", picture) for number, picture in enumerate(pictures)]
    first, second = ask(*requests), ask(*requests)
    assert len({answer.text for answer in first.values()}) == len(pictures)
    assert {key: answer.text for key, answer in first.items()} == {key: answer.text for key, answer in second.items()}


def test_a_picture_of_another_kind_and_shape_is_seen_as_well(ask: Ask) -> None:
    grey = file(np.zeros((31, 97), np.uint8), "JPEG")
    answers = ask(shown("jpeg", grey), shown("webp", file(np.zeros((97, 31, 4), np.uint8), "WEBP")))
    assert [answer.error for answer in answers.values()] == ["", ""]


@pytest.mark.parametrize(
    ("picture", "told"),
    [
        (b"junk", "the picture is neither JPEG nor PNG nor WebP"),
        (b"", "the picture is neither JPEG nor PNG nor WebP"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "the picture is neither JPEG nor PNG nor WebP"),
        (noise(0)[:2_000], "the picture is damaged"),
    ],
)
def test_a_broken_picture_fails_alone(ask: Ask, picture: bytes, told: str) -> None:
    answers = ask(shown("broken", picture), shown("whole", BLACK))
    assert told in answers["broken"].error
    assert answers["broken"].lasting
    assert not answers["whole"].error


def test_a_prompt_that_only_its_picture_brings_beyond_the_window_fails_alone(ask: Ask) -> None:
    def said(times: int, **changes: Any) -> Request:
        messages: tuple[Message] = ({"role": "user", "content": "mill " * times},)
        return replace(ASKED, key=f"{times}", messages=messages, max_tokens=1, **changes)

    few, more = (ask(said(times))[f"{times}"].prompt_tokens for times in (100, 200))
    longest = 100 + (WINDOW - 2 - few) // ((more - few) // 100)
    answers = ask(said(longest, picture=BLACK), said(100, picture=BLACK))
    assert answers[f"{longest}"].lasting
    assert str(WINDOW) in answers[f"{longest}"].error
    assert not answers["100"].error


def test_a_picture_and_a_shape_go_together(ask: Ask) -> None:
    requests = [
        shown(f"{seed}", BLACK, seed=seed, schema=SHAPE, max_tokens=60, temperature=1.0, n=2) for seed in range(4)
    ]
    answers = [answer for answer in ask(*requests).values() if answer.finish_reason == "stop"]
    assert answers
    for answer in answers:
        assert json.loads(answer.text)["resolution"] in ("Low", "High")


def test_a_model_that_reads_only_says_so_before_it_is_loaded(tmp_path: Path) -> None:
    engine = VllmEngine.model_validate(tiny_engine(make_tiny_model(tmp_path / "blind"), vision=True))
    with pytest.raises(AnnotationError, match=r"engine blind: .*blind cannot see: MistralForCausalLM reads text only"):
        asyncio.run(engine.start())


def test_a_missing_package_is_named() -> None:
    traceback = "RuntimeError: Error raised in subprocess: Traceback ... ModuleNotFoundError: No module named 'timm'"
    told = explain({"model": "a/b"}, ValueError("could not be inspected"), traceback)
    assert told == "vLLM could not load a/b: its kind of model needs timm, which is not installed here"


@pytest.mark.parametrize(
    ("template", "has_place"),
    [(seeing_model.CHAT, True), (OF_EITHER, True), (CHAT, False), (WRITES_ALL, False), (DROPS_PARTS, False)],
)
def test_texts_come_through_any_template_and_pictures_where_there_is_a_place(
    tmp_path: Path, template: str, *, has_place: bool
) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(make_tiny_model(tmp_path / "tiny", chat_template=template))
    chat = Chat.of(that_reads_text(tokenizer))
    written = str(tokenizer.decode(chat.tokens(CHAT_OF_BOTH)))
    assert all(turn["content"] in written for turn in CHAT_OF_BOTH)
    if has_place:
        need_place(chat)
    else:
        with pytest.raises(AnnotationError, match="no place for pictures"):
            need_place(chat)
