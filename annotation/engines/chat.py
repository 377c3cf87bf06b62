"""Chats to token ids, by the model's own template."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import jinja2

from annotation.errors import AnnotationError
from annotation.request import Message

MARK = "zebra"
"""A word that no template brings by itself."""
PROBE: tuple[Message, ...] = (
    {"role": "system", "content": MARK},
    {"role": "user", "content": "one"},
    {"role": "assistant", "content": "two"},
    {"role": "user", "content": "three"},
)


REFUSALS = (jinja2.TemplateError, ValueError, TypeError, KeyError)
"""What templates raise about roles they do not know."""


@dataclass(frozen=True, slots=True)
class Chat:
    """The template and tokenizer of one model.

    Attributes:
        tokenizer: of `transformers`, or one with the same `apply_chat_template`.
        template: Jinja source; None: the tokenizer's own.
        folds: the model knows no system message, so it is put in front of the first question.
    """

    tokenizer: Any
    template: str | None
    folds: bool

    @classmethod
    def of(cls, tokenizer: Any, template: str | None = None) -> Self:
        """Tries out what the template can do.

        Raises:
            AnnotationError: there is no template, or it fails even without a system message.
        """
        if template is None and getattr(tokenizer, "chat_template", "own") is None:
            raise AnnotationError("the model has no chat template; name a Jinja file of one under chat_template")
        chat = cls(tokenizer, template, folds=False)
        if chat.knows_rules():
            return chat
        folding = cls(tokenizer, template, folds=True)
        try:
            folding.tokens(PROBE)
        except REFUSALS as error:
            raise AnnotationError(f"the model's chat template fails on questions and answers: {error}") from error
        return folding

    def knows_rules(self) -> bool:
        """Whether a system message gets through; some templates refuse it, some drop it."""
        try:
            return MARK in self.tokenizer.decode(self.tokens(PROBE))
        except REFUSALS:
            return False

    def tokens(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of a chat, up to where the answer begins."""
        turns = fold(messages) if self.folds else list(messages)
        ids = self.tokenizer.apply_chat_template(
            turns, chat_template=self.template, add_generation_prompt=True, tokenize=True, return_dict=False
        )
        return list(ids)


def fold(messages: Sequence[Message]) -> list[Message]:
    """The same chat without a system message: rules first, then the first question."""
    if messages[0]["role"] != "system":
        return list(messages)
    rules, question, *others = messages
    return [{"role": "user", "content": f"{rules['content']}\n\n{question['content']}"}, *others]
