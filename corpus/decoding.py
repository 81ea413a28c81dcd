"""Bytes to text: which encoding a text file is in, and which files are not text at all."""

import codecs

from corpus.errors import ReadError

# UTF-32 first: its little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def find_mark(data: bytes) -> tuple[str, int] | None:
    """Return the encoding that a byte order mark names and the mark's length, or None."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding, len(mark)
    return None


def is_binary(data: bytes) -> bool:
    """Whether the bytes cannot be text: they hold a NUL and no mark says UTF-16 or UTF-32."""
    return find_mark(data) is None and b"\x00" in data


def decode_text(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the text of a file and what there is to warn about.

    A byte order mark decides; without one it is UTF-8, else Windows-1252 with a warning.

    Raises:
        ReadError: The bytes are binary, or break the encoding that their mark names.
    """
    if is_binary(data):
        raise ReadError(
            "the file is binary (it holds NUL bytes), not text",
            advice="save the report as Markdown, plain text, HTML or PDF",
        )
    mark = find_mark(data)
    if mark is not None:
        encoding, length = mark
        try:
            return data[length:].decode(encoding), ()
        except UnicodeDecodeError as error:
            raise ReadError(
                f"the file is marked as {encoding} but breaks it at byte {error.start + length}",
                advice="save it again as UTF-8",
            ) from error
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError as error:
        return _decode_windows(data, error.start)


def _decode_windows(data: bytes, broken_at: int) -> tuple[str, tuple[str, ...]]:
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise ReadError(
            f"the text is neither UTF-8 (byte {broken_at}) nor Windows-1252 (byte {error.start})",
            advice="save it again as UTF-8",
        ) from error
    return text, (f"not UTF-8 (byte {broken_at}); read as Windows-1252",)
