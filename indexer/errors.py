"""What can go wrong between documents and an open index."""

from corpus.errors import FootnoteError


class IndexNotFound(FootnoteError):
    """There is no published generation."""

    code = "index_not_ready"


class IndexDamaged(FootnoteError):
    """A file of a generation is missing, short or altered; the message names it."""

    code = "index_damaged"


class IndexMismatch(FootnoteError):
    """An index was made with another encoder or format than the one in use."""

    code = "index_mismatch"


class IndexBusy(FootnoteError):
    """Another process is writing to this index."""

    code = "index_busy"


class EncoderUnavailable(FootnoteError):
    """The encoder's weights or library are missing or not the ones expected."""

    code = "encoder_unavailable"


class NothingIndexed(FootnoteError):
    """No file could be read, or a strict run met a bad file; nothing was published."""

    code = "nothing_indexed"
