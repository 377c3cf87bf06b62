"""What a record is refused for; everything downloaded is somebody else's, and one bad entry ends no run."""


class Refused(Exception):  # noqa: N818 - it says what became of the record
    """A record cannot be used.

    Attributes:
        reason: one of a few short phrases, for counting.
        detail: what exactly, for people; may be empty.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason
