"""What can be wrong with a request."""

from corpus.errors import FootnoteError


class BadFilter(FootnoteError):
    """A filter is not understood; the message names the part."""

    code = "bad_filter"


class BadQuery(FootnoteError):
    """A query or question is empty or too long."""

    code = "bad_query"
