"""The real engine over a tiny model."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from annotation.engines.chat import Chat
from annotation.engines.vllm import VllmEngine
from annotation.errors import AnnotationError, EngineDead
from annotation.prompts import Prompts
from annotation.request import TASKS, Completion, ElementFacts, Message, Request
from pipeline.bench.tiny_model import CHAT, CHAT_WITHOUT_RULES, WINDOW, make_tiny_model, tiny_engine
from tests.need import need_vllm

need_vllm()

pytestmark = pytest.mark.usefixtures("one_thread_engines")

PATCHES = 512
FEW = 8
RULES: tuple[Message, Message, Message, Message] = (
    {"role": "system", "content": "Write a caption."},
    {"role": "user", "content": "What: pond"},
    {"role": "assistant", "content": "A pond lies in a meadow."},
    {"role": "user", "content": "What: mill"},
)


@dataclass
class Live:
    """A running engine and the loop it runs in."""

    engine: VllmEngine
    runner: asyncio.Runner

    def ask(self, *requests: Request) -> list[Completion]:
        async def answers() -> list[Completion]:
            return [completion async for completion in self.engine.generate(requests)]

        return self.runner.run(answers())

    def common(self, first: Sequence[Message], second: Sequence[Message]) -> int:
        """How many tokens two chats begin with in common."""
        pairs = zip(self.engine._chat.tokens(first), self.engine._chat.tokens(second), strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def request(number: int, **changes: Any) -> Request:
    question: Message = {"role": "user", "content": f"What: mill {number}"}
    messages = (*RULES[:-1], question)
    seed = number * 7_919 + 2**63
    asked = Request(f"k{number}", "area", messages, (), gsd=0.6, seed=seed, prompt="area@0", max_tokens=12)
    return replace(asked, **changes)


def meadow(number: int) -> ElementFacts:
    facts = {
        "noun": "meadow", "plural": "meadows", "name": f"Riet {number}", "share": 0.0001 * number,
        "area_m2": 90.5 * number, "position": ["left"], "edges": [], "shape": "irregular",
    }  # fmt: skip
    return ElementFacts(f"way/{number}", "area", {"landuse": "meadow"}, facts)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def live(model: Path) -> Iterator[Live]:
    engine = VllmEngine.model_validate(tiny_engine(model))
    with asyncio.Runner() as runner:
        runner.run(engine.start())
        yield Live(engine, runner)
        runner.run(engine.stop())


def test_every_request_is_answered_once(live: Live) -> None:
    answers = live.ask(*(request(number) for number in range(100)))
    assert sorted(answer.key for answer in answers) == sorted(f"k{number}" for number in range(100))
    assert len({answer.text for answer in answers}) > 90
    for answer in answers:
        assert answer.annotator == "tiny"
        assert not answer.error
        assert answer.finish_reason == ("length" if answer.completion_tokens == 12 else "stop")
        assert answer.prompt_tokens > 20


def test_the_same_seed_says_the_same(live: Live) -> None:
    first, second = ({each.key: each.text for each in live.ask(*map(request, range(FEW)))} for _ in range(2))
    assert first == second
    (other,) = live.ask(request(0, seed=5))
    assert other.text != first["k0"]


def test_drafts_come_together_and_the_prompt_counts_once(live: Live) -> None:
    answers = live.ask(*(request(number, n=3) for number in range(FEW)))
    assert [answer.key for answer in answers[::3]] == [answer.key for answer in answers[1::3]]
    assert Counter(answer.draft for answer in answers) == {0: FEW, 1: FEW, 2: FEW}
    assert len({answer.text for answer in answers}) == 3 * FEW
    assert all((answer.prompt_tokens > 0) == (answer.draft == 0) for answer in answers)


def test_an_endless_answer_ends(live: Live) -> None:
    answers = live.ask(*(request(number, max_tokens=1, temperature=0) for number in range(FEW)))
    assert {(answer.finish_reason, answer.completion_tokens) for answer in answers} == {("length", 1)}


def test_a_prompt_beyond_the_window_fails_alone(live: Live) -> None:
    long = request(1, messages=(*RULES[:-1], {"role": "user", "content": "field " * 3_000}))
    answers = {answer.key: answer for answer in live.ask(request(0), long, request(2))}
    assert [key for key, answer in answers.items() if answer.error] == ["k1"]
    assert answers["k1"].lasting
    assert "do not fit into 2048" in answers["k1"].error
    (nearly,) = live.ask(request(0, max_tokens=2_048))
    assert nearly.lasting, "the answer needs its room too"


def test_what_vllm_refuses_fails_alone(live: Live) -> None:
    answers = {answer.key: answer for answer in live.ask(request(0), request(1, temperature=-1.0))}
    assert answers["k1"].lasting
    assert "temperature" in answers["k1"].error
    assert not answers["k0"].error


def test_what_the_template_refuses_fails_alone(live: Live) -> None:
    answers = {answer.key: answer for answer in live.ask(request(0), request(1, messages=(RULES[0], RULES[2])))}
    assert answers["k1"].lasting
    assert "take turns" in answers["k1"].error
    assert not answers["k0"].error


@pytest.mark.parametrize("task", TASKS)
def test_the_fixed_prefix_comes_from_the_cache(live: Live, task: str) -> None:
    prompts = Prompts.load()
    block = live.engine._llm.vllm_config.cache_config.block_size
    asked = []
    fixed: dict[tuple[str, ...], int] = {}
    wanted = 0
    for number in range(PATCHES):
        chat, other = (
            prompts.render(task, [meadow(told), meadow(told + 1)], 0.6, f"Draft {told}.", seed=number)[0]
            for told in (number, number + 1_000)
        )
        beginning = tuple(message["content"] for message in chat[:-1])
        if beginning not in fixed:
            fixed[beginning] = live.common(chat, other) // block * block
        wanted += fixed[beginning]
        asked.append(request(number, messages=chat, max_tokens=1))
    cached = sum(answer.cached_tokens for answer in live.ask(*asked))
    assert wanted >= PATCHES * 3 * block
    assert cached >= 0.95 * wanted


def test_leaving_early_leaves_nothing_behind(live: Live) -> None:
    async def first() -> Completion:
        answers = live.engine.generate([request(0, max_tokens=1), request(1, max_tokens=1_500)])
        async for answer in answers:
            await answers.aclose()  # type: ignore[attr-defined]
            return answer
        raise AssertionError

    assert live.runner.run(first()).key == "k0"
    assert live.engine._llm.output_processor.get_num_unfinished_requests() == 0


def test_a_killed_process_is_the_end_of_the_engine(live: Live) -> None:
    """Comes last: nothing answers after it."""
    import psutil

    processes = {process: process.name() for process in psutil.Process().children(recursive=True)}
    (core,) = (process for process, name in processes.items() if "EngineCore" in name)
    assert any("Worker" in name for name in processes.values())

    async def kill_at_the_first_answer() -> None:
        async for _ in live.engine.generate([request(0, max_tokens=1), request(1, max_tokens=1_900)]):
            core.kill()

    with pytest.raises(EngineDead, match="engine tiny: vLLM's process died"):
        live.runner.run(kill_at_the_first_answer())
    with pytest.raises(EngineDead):
        live.ask(request(2))
    live.runner.run(live.engine.stop())
    _, alive = psutil.wait_procs([process for process, name in processes.items() if "VLLM" in name], timeout=0)
    assert not alive
    with pytest.raises(EngineDead, match="start it"):
        live.ask(request(3))


def test_too_little_memory_is_explained(model: Path) -> None:
    window = 800_000
    engine = VllmEngine.model_validate(
        tiny_engine(
            model,
            max_model_len=window,
            max_num_batched_tokens=window,
            engine={
                "enforce_eager": True, "dtype": "float32", "hf_overrides": {"max_position_embeddings": window},
            },
        )
    )  # fmt: skip
    with pytest.raises(AnnotationError) as caught:
        asyncio.run(engine.start())
    told = str(caught.value)
    assert "not enough memory" in told
    assert "1.53 GiB of cache for one prompt and answer of 800000 tokens" in told
    assert "1 GiB for the cache (VLLM_CPU_KVCACHE_SPACE)" in told
    assert "smaller max_model_len (now 800000)" in told


def test_a_window_beyond_the_models_is_explained(model: Path) -> None:
    engine = VllmEngine.model_validate(tiny_engine(model, max_model_len=2 * WINDOW, max_num_batched_tokens=2 * WINDOW))
    with pytest.raises(AnnotationError, match=rf"could not load .*max_model_len \({2 * WINDOW}\).*{WINDOW}"):
        asyncio.run(engine.start())


@pytest.mark.parametrize(
    ("gone", "named"),
    [
        ("config.json", "config.json: missing"),
        ("tokenizer.json", "tokenizer.json: missing"),
        ("model.safetensors", r"no weights \(\*\.safetensors\)"),
        ("chat_template.jinja", "chat_template.jinja: missing"),
    ],
)
def test_missing_files_are_named(tmp_path: Path, gone: str, named: str) -> None:
    folder = make_tiny_model(tmp_path / "tiny")
    (folder / gone).unlink()
    with pytest.raises(AnnotationError, match=f"engine tiny: .*{named}"):
        VllmEngine(model=str(folder)).check()


def test_a_template_may_stand_in_the_tokenizers_settings(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "tiny", chat_template=None)
    settings = folder / "tokenizer_config.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "chat_template": CHAT}))
    VllmEngine(model=str(folder)).check()
    settings.write_text("<html>")
    with pytest.raises(AnnotationError, match=r"tokenizer_config\.json: is not JSON"):
        VllmEngine(model=str(folder)).check()


def test_a_template_may_be_given(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "tiny", chat_template=None)
    own = tmp_path / "own.jinja"
    with pytest.raises(AnnotationError, match="no such file"):
        VllmEngine(model=str(folder), chat_template=own).check()
    own.write_text(CHAT)
    VllmEngine(model=str(folder), chat_template=own).check()


@pytest.mark.parametrize("model", ["./gone", "/gone/too", "deep/er/gone", "no-owner", "a b/c"])
def test_a_model_that_is_nowhere_is_refused(model: str) -> None:
    with pytest.raises(AnnotationError, match="no such folder"):
        VllmEngine(model=model).check()


def test_names_on_the_hub_are_taken_as_they_are() -> None:
    engine = VllmEngine(model="mistralai/Mistral-Nemo-Instruct-2407")
    engine.check()
    assert engine.name == "mistralai/Mistral-Nemo-Instruct-2407"
    assert engine.in_flight == 768


def test_unknown_arguments_name_their_neighbour(model: Path) -> None:
    engine = VllmEngine.model_validate(tiny_engine(model, engine={"quantisation": "fp8"}))
    with pytest.raises(AnnotationError, match=r"engine\.quantisation: .* did you mean quantization"):
        engine.check()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"engine": {"trust_remote_code": True}}, "trust_remote_code is refused"),
        ({"engine": {"max_num_seqs": 3}}, "set by max_num_seqs"),
        ({"engine": {"tensor_parallel_size": 2}}, "set by gpus"),
        ({"gpus": 1.5}, "whole GPUs"),
        ({"max_num_batched_tokens": 8}, "max_num_batched_tokens has to be"),
        ({"max_model_len": 8_192}, "takes prompts whole"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        VllmEngine.model_validate(tiny_engine(Path("any"), **changes))


def test_gpus_split_a_model_or_share_one() -> None:
    whole, two, half = (VllmEngine(model="a/b", gpus=gpus).arguments for gpus in (1, 2, 0.5))
    assert whole["tensor_parallel_size"] == 1
    assert two["tensor_parallel_size"] == 2
    assert half["gpu_memory_utilization"] == pytest.approx(0.46)
    assert "gpu_memory_utilization" not in whole


def test_rules_go_into_the_first_question_where_a_model_knows_no_system(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    told: list[object] = []
    for template in (CHAT, CHAT_WITHOUT_RULES):
        tokenizer = AutoTokenizer.from_pretrained(make_tiny_model(tmp_path / "tiny", chat_template=template))
        chat = Chat.of(tokenizer)
        told.append(tokenizer.decode(chat.tokens(RULES)))
        assert chat.folds == (template is CHAT_WITHOUT_RULES)
    expected = "<s>[INST] Write a caption.\n\nWhat: pond[/INST] A pond lies in a meadow.</s>[INST] What: mill[/INST]"
    assert told == [expected, expected]


def test_a_template_that_drops_rules_gets_them_too(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    drops = '{% for turn in messages if turn.role != "system" %}[{{ turn.content }}]{% endfor %}'
    tokenizer = AutoTokenizer.from_pretrained(make_tiny_model(tmp_path / "tiny", chat_template=drops))
    assert str(tokenizer.decode(Chat.of(tokenizer).tokens(RULES))).startswith("[Write a caption.\n\nWhat: pond]")
    with pytest.raises(AnnotationError, match="fails on questions and answers"):
        Chat.of(tokenizer, '{{ raise_exception("never") }}')
    tokenizer.chat_template = None
    with pytest.raises(AnnotationError, match="no chat template"):
        Chat.of(tokenizer)
