"""Errors of how it runs."""


class PipelineError(Exception):
    """A run could not be started or finished; the message says what, where and how to mend it."""
