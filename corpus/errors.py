"""The errors a caller of Footnote can handle, from the lowest layer up."""


class FootnoteError(Exception):
    """Base of every error raised on purpose.

    Attributes:
        code: Stable machine-readable name; the HTTP layer sends it as `code`.
        advice: What the user can do about it, one sentence; may be empty.
    """

    code = "footnote_error"

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}; {self.advice}" if self.advice else message


class ReadError(FootnoteError):
    """A file could not be read as a report; the message is one line that says why."""

    code = "unreadable_document"


class BadPermalink(FootnoteError):
    """A permalink is malformed or names a slice that does not exist."""

    code = "bad_permalink"
