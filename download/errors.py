"""Errors of what comes in."""


class DownloadError(Exception):
    """Imagery, a map or a record could not be had; the message says what, where and how to mend it."""


class MissingError(DownloadError):
    """What was asked for is not there, and asking again will not change that."""


class NoScenesError(DownloadError):
    """A source has no picture of the region."""


class RefusedError(DownloadError):
    """Credentials are missing, wrong or expired."""


class PassingError(DownloadError):
    """Asking again may help.

    Attributes:
        wait_s: how long the other side wants to be left alone, in seconds; None where it does not say.
    """

    def __init__(self, message: str, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.wait_s = wait_s
