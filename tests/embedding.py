"""Tiny CLIP and SigLIP models made on the spot, and an embedder whose vectors are made by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.embed.embedder import Pixels, Vectors, unit

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,;:'- "
SIZE = 32


class ByHand:
    """Vectors looked up: of a picture by the red value of its first pixel, of a text by the text."""

    def __init__(self, pictures: Mapping[int, Sequence[float]], texts: Mapping[str, Sequence[float]]) -> None:
        self._pictures, self._texts = pictures, texts

    def images(self, pictures: Sequence[Pixels]) -> Vectors:
        return unit(np.array([self._pictures[int(picture[0, 0, 0])] for picture in pictures]))

    def texts(self, texts: Sequence[str]) -> Vectors:
        return unit(np.array([self._texts[text] for text in texts]))


def make_clip(folder: Path, seed: int = 0) -> Path:
    """A CLIP of 16 dimensions with random weights and a tokenizer of letters."""
    import torch
    import transformers

    library: Any = transformers
    vocabulary = ["<|startoftext|>", "<|endoftext|>", *LETTERS, *(f"{letter}</w>" for letter in LETTERS)]
    tokenizer = library.CLIPTokenizer(vocab={word: number for number, word in enumerate(vocabulary)}, merges=[])
    tokenizer.save_pretrained(folder)
    library.CLIPImageProcessorPil(
        size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE}
    ).save_pretrained(folder)
    layers = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    torch.manual_seed(seed)
    config = library.CLIPConfig(
        text_config={
            **layers, "vocab_size": len(vocabulary), "max_position_embeddings": 40, "bos_token_id": 0,
            "eos_token_id": 1, "pad_token_id": 1,
        },
        vision_config={**layers, "image_size": SIZE, "patch_size": 16},
        projection_dim=16,
    )  # fmt: skip
    library.CLIPModel(config).save_pretrained(folder)
    return folder


def make_siglip(folder: Path, seed: int = 0) -> Path:
    """A SigLIP of 16 dimensions; it reads texts with a tokenizer of words, for SentencePiece cannot be made here."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    library: Any = transformers
    vocabulary = ["<pad>", "</s>", "<unk>", *LETTERS]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(vocabulary)}, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    library.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>",
        model_input_names=["input_ids"],
    ).save_pretrained(folder)  # fmt: skip
    library.SiglipImageProcessorPil(size={"height": SIZE, "width": SIZE}).save_pretrained(folder)
    layers = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    torch.manual_seed(seed)
    config = library.SiglipConfig(
        text_config={**layers, "vocab_size": len(vocabulary), "max_position_embeddings": 32, "projection_size": 16},
        vision_config={**layers, "image_size": SIZE, "patch_size": 16},
    )
    library.SiglipModel(config).save_pretrained(folder)
    return folder
