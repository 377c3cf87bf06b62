"""Errors of what is said."""


class AnnotationError(Exception):
    """Facts, prompts or captions could not be made; the message says what, where and how to mend it."""
