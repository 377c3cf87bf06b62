"""A tiny model that has learnt one sentence for captions and one for revisions by heart: real weights, real answers."""

import random
from pathlib import Path

from annotation.prompts import Prompts
from annotation.request import ElementFacts
from pipeline.bench.tiny_model import make_tiny_model

STEPS = 120
IGNORED = -100


def make_taught_model(folder: Path, *, seed: int, caption: str, revision: str) -> Path:
    """Teaches a tiny model what to answer.

    Args:
        folder: is made.
        seed: of weights and lessons.
        caption: the answer to first requests.
        revision: the answer to requests to rewrite.

    Returns:
        The folder.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    make_tiny_model(folder, seed=seed)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    torch.manual_seed(seed)
    draw = random.Random(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for step in range(STEPS):
        task = ("revision", "area", "revision", "non_area")[step % 4]
        answer = revision if task == "revision" else caption
        question = tokenizer.apply_chat_template(
            _chat(task, draw, caption),
            add_generation_prompt=True,
            tokenize=True,
            return_dict=False,
        )
        told = tokenizer(f" {answer}", add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
        ids = torch.tensor([[*question, *told]])
        labels = torch.tensor([[IGNORED] * len(question) + told])
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
    model.save_pretrained(folder)
    return folder


def _chat(task: str, draw: random.Random, caption: str) -> list[dict[str, str]]:
    noun, plural = draw.choice([("street", "streets"), ("park", "parks"), ("pier", "piers"), ("meadow", "meadows")])
    facts = {"noun": noun, "plural": plural, "position": [draw.choice(["left", "top", "center", "bottom-right"])]}
    size = {"length_m": draw.uniform(20, 300)} if task == "non_area" else {"share": draw.uniform(0.05, 0.9)}
    element = ElementFacts("way/1", "line" if task == "non_area" else "area", {}, {**facts, **size})
    draft = caption if task == "revision" else ""
    messages, _ = Prompts.load().render(task, [element], 1.4648, draft=draft, seed=draw.randrange(100))
    return [{"role": message["role"], "content": message["content"]} for message in messages]
