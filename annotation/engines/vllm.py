"""Language models in this cluster: vLLM, one engine in each replica."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator

from annotation.engines.chat import REFUSALS, Chat, fold
from annotation.engines.engine import Engine, as_finished
from annotation.engines.model_folder import as_folder, check_model
from annotation.engines.vision import IMAGE, decoded, need_place, that_reads_text, with_part
from annotation.engines.vllm_causes import Causes
from annotation.engines.vllm_start import OURS, check_keys, end, load, need_vllm
from annotation.errors import AnnotationError, EngineDead
from annotation.request import Completion, Request

SEEDS = 2**62
"""vLLM keeps seeds in 64 bits with a sign, and adds to them."""
BROKEN = ("abort", "error")
"""How an answer ends that is none."""
GPU_SHARE = 0.92
"""What vLLM takes of a GPU's memory unless told otherwise."""


class VllmEngine(Engine):
    """A chat model that vLLM loads.

    Attributes:
        kind: `vllm`.
        name: what `annotator` says of a caption; the model's name if none is given.
        model: name on the Hugging Face hub, or a folder.
        gpus: GPUs of one replica; several split the model (tensor parallel), a part shares a GPU, 0 is a CPU.
        max_num_seqs: answers that are written at once.
        max_num_batched_tokens: tokens that are worked on in one step.
        max_model_len: longest prompt and answer together, in tokens.
        concurrency: requests that a replica holds, in units of `max_num_seqs`, so that none of its places stays empty.
        temperature: of sampling; None: what the task says.
        top_p: sampling among the likeliest tokens that together have this probability.
        max_tokens: longest answer; None: what the task says.
        min_tokens: shortest answer, for measuring.
        chat_template: a Jinja file; None: the model's own.
        vision: the model sees: pictures of requests are shown to it.
        engine: further arguments of vLLM's `AsyncEngineArgs`, such as `quantization`.
    """

    kind: Literal["vllm"] = "vllm"
    model: str = Field(min_length=1)
    gpus: float = Field(default=1, ge=0)
    max_num_seqs: int = Field(default=512, ge=1)
    max_num_batched_tokens: int = Field(default=16_384, ge=1)
    max_model_len: int = Field(default=4_096, ge=1)
    concurrency: float = Field(default=1.5, ge=1, le=4)
    temperature: float | None = Field(default=None, ge=0)
    top_p: float = Field(default=1, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    min_tokens: int = Field(default=0, ge=0)
    chat_template: Path | None = None
    vision: bool = False
    engine: dict[str, Any] = Field(default_factory=dict)

    _llm: Any = PrivateAttr(None)
    _processes: Any = PrivateAttr(None)
    _chat: Any = PrivateAttr(None)
    _causes: Causes | None = PrivateAttr(None)
    _tokenising: Any = PrivateAttr(None)

    @model_validator(mode="before")
    @classmethod
    def _named_after_model(cls, values: Any) -> Any:
        if isinstance(values, dict) and not values.get("name") and isinstance(model := values.get("model"), str):
            return {**values, "name": model if as_folder(model) is None else Path(model).name}
        return values

    @field_validator("gpus")
    @classmethod
    def _whole_above_one(cls, gpus: float) -> float:
        if gpus > 1 and gpus != int(gpus):
            raise ValueError("a model is split over 2, 4 or 8 whole GPUs, or shares one (0.5)")
        return gpus

    @field_validator("engine")
    @classmethod
    def _not_ours(cls, engine: dict[str, Any]) -> dict[str, Any]:
        for key in engine:
            if key in OURS:
                raise ValueError(f"engine.{key} {OURS[key]}")
        return engine

    @model_validator(mode="after")
    def _steps_are_wide_enough(self) -> Self:
        if self.max_num_batched_tokens < self.max_num_seqs:
            raise ValueError("max_num_batched_tokens has to be max_num_seqs or more: each answer takes a token a step")
        if self.gpus == 0 and self.max_num_batched_tokens < self.max_model_len:
            raise ValueError(
                "max_num_batched_tokens has to be max_model_len or more on a CPU, which takes prompts whole"
            )
        return self

    @property
    def in_flight(self) -> int:
        """Requests that a replica works on or holds ready."""
        return math.ceil(self.concurrency * self.max_num_seqs)

    @property
    def arguments(self) -> dict[str, Any]:
        """All arguments of `AsyncEngineArgs`."""
        split = max(1, int(self.gpus))
        defaults: dict[str, Any] = {"disable_log_stats": True}
        if split > 1:
            defaults["distributed_executor_backend"] = "mp"
        if 0 < self.gpus < 1:
            defaults["gpu_memory_utilization"] = GPU_SHARE * self.gpus
        if self.gpus == 0:
            # vLLM 0.32 turns a seed's generator back after part of a prompt; a CPU's generator cannot, and vLLM dies
            defaults["enable_chunked_prefill"] = False
        return {
            **defaults,
            **self.engine,
            "model": self.model,
            "max_num_seqs": self.max_num_seqs,
            "max_num_batched_tokens": self.max_num_batched_tokens,
            "max_model_len": self.max_model_len,
            "tensor_parallel_size": split,
            "enable_prefix_caching": True,
        }

    def check(self) -> None:
        """Looks for vLLM, the model's files and unknown arguments."""
        need_vllm()
        own_template = self.chat_template is not None or self.engine.get("tokenizer_mode") == "mistral"
        with self._named():
            check_model(
                self.model,
                weights=self.engine.get("load_format") != "dummy",
                template=not own_template and "tokenizer" not in self.engine,
            )
            check_keys(self.engine)
            if self.chat_template is not None and not self.chat_template.is_file():
                raise AnnotationError(f"chat_template: {self.chat_template}: no such file")

    async def start(self) -> None:
        """Loads the model, after all others that load on this machine."""
        await asyncio.to_thread(self.check)
        template = self.chat_template.read_text(encoding="utf-8") if self.chat_template else None
        self._causes = Causes.open()
        self._tokenising = ThreadPoolExecutor(1, "tokenising")
        try:
            with self._named():
                self._llm, self._processes = await asyncio.to_thread(
                    load, self.arguments, self._causes, sees=self.vision
                )
                self._chat = Chat.of(that_reads_text(self._llm.get_tokenizer(), template), template)
                if self.vision:
                    need_place(self._chat)
        except BaseException:
            await self.stop()
            raise

    async def generate(self, requests: Sequence[Request]) -> AsyncIterator[Completion]:
        """Sends all requests at once; answers come as they are finished."""
        async with aclosing(as_finished(self._answer(request) for request in requests)) as answers:
            async for completion in answers:
                yield completion

    async def stop(self) -> None:
        """Ends vLLM's processes."""
        if self._llm is not None:
            await asyncio.to_thread(end, self._llm, self._processes)
        if self._tokenising is not None:
            self._tokenising.shutdown()
        if self._causes is not None:
            self._causes.close()
        self._llm = self._processes = self._chat = self._causes = self._tokenising = None

    async def _answer(self, request: Request) -> list[Completion]:
        """All answers to a request, or one completion that says why there are none."""
        from vllm.exceptions import VLLMClientError, VLLMError

        if self._llm is None:
            raise EngineDead(f"engine {self.name}: is not running; start it first")
        loop = asyncio.get_running_loop()
        try:
            prompt = await loop.run_in_executor(self._tokenising, self._chat.tokens, self._messages(request))
        except REFUSALS as error:
            return [self._failed(request, f"the model's chat template fails: {error}", lasting=True)]
        longest = self.max_tokens or request.max_tokens
        if len(prompt) + longest > self.max_model_len:
            told = f"prompt of {len(prompt)} tokens and answer of up to {longest} do not fit into {self.max_model_len}"
            return [self._failed(request, f"{told} (max_model_len)", lasting=True)]
        try:
            return await self._ask(request, prompt, longest)
        except (VLLMClientError, ValueError, TypeError) as error:
            return [self._failed(request, str(error), lasting=True)]
        except VLLMError as error:
            if self._llm is None or self._llm.errored:
                raise EngineDead(self._obituary()) from None  # shared by all requests; its traceback grows with each
            return [self._failed(request, f"{type(error).__name__}: {error.__cause__ or error}")]

    async def _ask(self, request: Request, prompt: list[int], longest: int) -> list[Completion]:
        from vllm.sampling_params import RequestOutputKind, SamplingParams, StructuredOutputsParams

        sampling = SamplingParams(
            n=request.n,
            seed=request.seed % SEEDS,
            temperature=request.temperature if self.temperature is None else self.temperature,
            top_p=self.top_p,
            max_tokens=longest,
            min_tokens=min(self.min_tokens, longest),
            output_kind=RequestOutputKind.FINAL_ONLY,
            structured_outputs=StructuredOutputsParams(json=dict(request.schema)) if request.schema else None,
        )
        rendered = await self._rendered(request, prompt)
        (final,) = [output async for output in self._llm.generate(rendered, sampling, request.key)]
        if any(answer.finish_reason in BROKEN for answer in final.outputs):
            return [self._failed(request, "vLLM broke the answer off")]
        return [
            Completion(
                request.key,
                answer.text.strip(),
                self.name,
                finish_reason=answer.finish_reason or "stop",
                prompt_tokens=len(final.prompt_token_ids or prompt) if draft == 0 else 0,
                completion_tokens=len(answer.token_ids),
                cached_tokens=(final.num_cached_tokens or 0) if draft == 0 else 0,
                draft=draft,
            )
            for draft, answer in enumerate(sorted(final.outputs, key=lambda answer: answer.index))
        ]

    def _shown(self, request: Request) -> bool:
        return self.vision and request.picture is not None

    def _messages(self, request: Request) -> Sequence[Any]:
        """The chat; rules are folded while texts are texts, before a picture joins the last."""
        if not self._shown(request):
            return request.messages
        turns = fold(request.messages) if self._chat.folds else request.messages
        return with_part(turns, IMAGE)

    async def _rendered(self, request: Request, prompt: list[int]) -> dict[str, Any]:
        """What vLLM's own renderer hands over; with a picture, what it is given."""
        if not self._shown(request):
            return {"type": "token", "prompt_token_ids": prompt}
        picture = await asyncio.to_thread(decoded, request.picture or b"")
        return {"prompt_token_ids": prompt, "multi_modal_data": {"image": picture}}

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Errors say of which engine."""
        try:
            yield
        except AnnotationError as error:
            raise AnnotationError(f"engine {self.name}: {error}") from error

    def _failed(self, request: Request, reason: str, *, lasting: bool = False) -> Completion:
        return Completion(request.key, "", self.name, error=reason, lasting=lasting)

    def _obituary(self) -> str:
        cause = self._causes.first() if self._causes else ""
        return f"engine {self.name}: vLLM's process died{f': {cause}' if cause else ' (killed, or out of memory)'}"
