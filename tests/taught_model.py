"""A tiny model that has learnt a few captions by heart: real weights, real answers, whatever it is asked."""

from pathlib import Path
from typing import Any

from pipeline.bench.tiny_model import make_tiny_model

STEPS = 1_000
LEARNT = 0.001
"""Loss of the worst token: every word follows the one before for certain; the first is anybody's guess."""


def make_taught_model(folder: Path, *, seed: int, captions: tuple[str, ...]) -> Path:
    """Teaches a tiny model what to answer.

    Its attention is silenced (what it would add to the stream is zero), so that each token depends on the one before
    alone and the lesson needs no prompts: the captions must therefore hold no word twice. At temperature 1 it is the
    request's seed that chooses among them.

    Args:
        folder: is made.
        seed: of weights and lessons.
        captions: the answers to everything; all end with a full stop.

    Returns:
        The folder.

    Raises:
        ValueError: a token stands twice in the captions, or they were not learnt.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)  # where others work as well, two threads wait for each other
    try:
        _teach(folder, seed, captions)
    finally:
        torch.set_num_threads(before)
    return folder


def _teach(folder: Path, seed: int, captions: tuple[str, ...]) -> None:
    import torch
    import transformers

    make_tiny_model(folder, seed=seed, words=" ".join(captions))
    library: Any = transformers
    tokenizer = library.AutoTokenizer.from_pretrained(folder)
    model = library.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    for layer in model.model.layers:
        layer.self_attn.o_proj.weight.data.zero_()
        layer.self_attn.o_proj.weight.requires_grad_(False)
    texts = [tokenizer(f" {caption}", add_special_tokens=False)["input_ids"] for caption in captions]
    tokens = [token for text in texts for token in text[:-1]]
    if len(set(tokens)) < len(tokens):
        raise ValueError(f"a token stands twice in {captions}: {tokenizer.convert_ids_to_tokens(tokens)}")
    asked = tokenizer.convert_tokens_to_ids("[/INST]")
    lessons = [torch.tensor([[asked, *text, tokenizer.eos_token_id]]) for text in texts]
    optimiser = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=2e-3)
    for _ in range(STEPS):
        losses = [_surprise(model, lesson) for lesson in lessons]
        torch.autograd.backward(torch.cat(losses).mean())
        optimiser.step()
        optimiser.zero_grad()
        worst = max(loss.detach()[1:].max().item() for loss in losses)
        if worst < LEARNT:
            model.save_pretrained(folder)
            return
    raise ValueError(f"{captions} were not learnt: loss {worst:.4f}")


def _surprise(model: Any, lesson: Any) -> Any:
    """Loss of each token after the first."""
    import torch

    return torch.nn.functional.cross_entropy(model(input_ids=lesson).logits[0, :-1], lesson[0, 1:], reduction="none")
