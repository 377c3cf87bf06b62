"""How long a prompt is to a language model, with any Hugging Face tokenizer folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from annotation.request import Message
from pipeline.errors import PipelineError


class TokenCounter:
    """Counts the tokens of chats.

    Args:
        folder: with `tokenizer.json` or the like, and a chat template; nothing is downloaded, no code of it is run.

    Raises:
        PipelineError: transformers is missing, or the folder holds no tokenizer or chat template.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from transformers import AutoTokenizer
        except ImportError as error:
            raise PipelineError("Counting tokens needs transformers: pip install 'mapteller[tokens]'.") from error
        if not folder.is_dir():
            raise PipelineError(f"--tokenizer {folder} is no folder. Name one with tokenizer.json in it.")
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        except (OSError, ValueError) as error:
            raise PipelineError(f"--tokenizer {folder} holds no tokenizer: {error}") from error
        if not self._tokenizer.chat_template:
            raise PipelineError(f"{folder} holds no chat template. Add chat_template.jinja to it.")

    def prompt(self, messages: Sequence[Message]) -> int:
        """Tokens of the whole prompt."""
        return self._count(list(messages), answer_follows=True)

    def prefix(self, messages: Sequence[Message]) -> int:
        """Tokens before the last message: the part that is the same for every sample of a template."""
        return self._count(list(messages[:-1]), answer_follows=False)

    def _count(self, chat: list[Message], *, answer_follows: bool) -> int:
        text = self._tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=answer_follows)
        return len(self._tokenizer.encode(text, add_special_tokens=False))
