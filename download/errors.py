"""Errors of what comes in."""


class DownloadError(Exception):
    """Imagery, a map or a record could not be had; the message says what, where and how to mend it."""
