"""Errors of what is said."""


class AnnotationError(Exception):
    """Facts, prompts or captions could not be made; the message says what, where and how to mend it."""


class EngineDead(AnnotationError):  # noqa: N818 - says what it is
    """A copy of an engine will never answer again; another may."""
