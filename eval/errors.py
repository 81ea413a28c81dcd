"""What can go wrong in an evaluation."""

from corpus.errors import FootnoteError


class EvalError(FootnoteError):
    """A collection is missing, does not fit its files, or was not indexed whole."""

    code = "eval_failed"
