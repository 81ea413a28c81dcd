"""Reads a file as a Document: decides what kind it is, calls its reader, merges what is known."""

import errno
import hashlib
import re
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from corpus.builder import clean_text
from corpus.decoding import decode_text, is_binary
from corpus.errors import ReadError
from corpus.model import BlockKind, Document, Metadata, MetadataValue
from corpus.readers.base import Reader, Reading
from corpus.readers.catalogue import looks_like_catalogue, read_catalogue
from corpus.readers.front_matter import split_front_matter
from corpus.readers.html import read_html
from corpus.readers.markdown import read_markdown
from corpus.readers.text import read_text
from corpus.sources import SourceFile

DEFAULT_MAX_BYTES = 200 * 2**20
_SUPPORTED = "Footnote reads Markdown (.md), plain text (.txt), HTML (.html) and PDF (.pdf)"
_MARKDOWN = frozenset({".md", ".markdown", ".mdown"})
_TEXT = frozenset({".txt", ".text"})
_HTML = frozenset({".html", ".htm", ".xhtml"})
_CONTAINERS = (
    (b"PK\x03\x04", "a zip archive (.docx, .odt and .xlsx are some)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file (.doc, .xls or .ppt)"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"{\\rtf", "an RTF file"),
)
# Readers of PDF accept rubbish before the header, up to this many bytes.
_PDF_WITHIN = 1024
_LISTS = frozenset({"authors", "tags", "notices"})


def read_document(source: SourceFile, *, max_bytes: int = DEFAULT_MAX_BYTES) -> Document:
    """Read a file, whatever supported kind it is; the content decides before the name.

    Metadata comes from the file's row of shelf.csv, then from the file itself, then from its
    name. It always has source, title and file_type, and year where there is a date.

    Args:
        source: A file found by `discover_sources`.
        max_bytes: Larger files are refused.

    Raises:
        ReadError: The file cannot be opened, is empty, too large, of no supported kind or
            damaged, leads out of its shelf, or holds no text.
    """
    data = _read_bytes(source, max_bytes)
    file_type = _decide_type(data, source.path.suffix.lower())
    reading = _choose_reader(file_type)(data)
    if not reading.text.strip() or not reading.blocks:
        raise ReadError("the file holds no text", advice="check that it is complete")
    metadata = _merge_metadata(source, reading, file_type)
    notices = metadata.pop("notices", [])
    listed = notices if isinstance(notices, list) else [str(notices)]
    return Document(
        document_id=source.document_id,
        title=str(metadata["title"]),
        text=reading.text,
        source_sha256=hashlib.sha256(data).hexdigest(),
        blocks=reading.blocks,
        pages=reading.pages,
        metadata=metadata,
        notices=tuple(dict.fromkeys([*listed, *reading.notices])),
        warnings=reading.warnings,
    )


def _read_bytes(source: SourceFile, max_bytes: int) -> bytes:
    path = source.path
    try:
        if not path.resolve().is_relative_to(_find_shelf(source).resolve()):
            raise ReadError(
                "the link leads out of its shelf and is not followed",
                advice="put a copy of the file on the shelf, or name the file itself",
            )
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ReadError("this is not a regular file", advice="put the report itself there")
        if status.st_size > max_bytes:
            raise ReadError(
                f"the file has {status.st_size} bytes, more than the {max_bytes} allowed",
                advice="split it, or raise the limit",
            )
        data = path.read_bytes()
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
        raise _explain(error) from error
    if not data.strip():
        raise ReadError("the file is empty", advice="put the report there again")
    return data


def _find_shelf(source: SourceFile) -> Path:
    """Return the folder that a file's `source` is relative to."""
    parts = PurePosixPath(source.source).parts
    inside = source.path.parts[-len(parts) :] == parts
    return source.path.parents[len(parts) - 1] if inside else source.path.parent


def _explain(error: OSError | RuntimeError) -> ReadError:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    advice = "check that the file is still there and can be read"
    if getattr(error, "errno", None) == errno.EACCES:
        advice = "let the user that runs Footnote read it"
    return ReadError(f"the file cannot be opened ({reason})", advice=advice)


def _decide_type(data: bytes, suffix: str) -> str:
    """Return the kind of a file: markdown, catalogue, text, html or pdf."""
    if _is_pdf(data, suffix):
        return "pdf"
    for magic, name in _CONTAINERS:
        if data.startswith(magic):
            raise ReadError(f"the file is {name}", advice=f"{_SUPPORTED}; save it as one of these")
    if is_binary(data):
        raise ReadError("the file is binary, of no kind that is known", advice=_SUPPORTED)
    if suffix == ".pdf":
        raise ReadError(
            "the file is named .pdf but has no PDF header",
            advice="download it again; what came may be an error page",
        )
    if suffix in _MARKDOWN:
        return "markdown"
    if suffix in _HTML:
        return "html"
    if suffix in _TEXT:
        return _decide_text(data)
    name = f"of kind {suffix!r}" if suffix else "without a suffix in its name"
    raise ReadError(f"the file is {name}", advice=f"{_SUPPORTED}; save it as one of these")


def _is_pdf(data: bytes, suffix: str) -> bool:
    at = data.find(b"%PDF-", 0, _PDF_WITHIN)
    if at < 0:
        return False
    # A page about PDF may hold the words; only a file that is not named as text may hide them.
    return suffix not in (_MARKDOWN | _TEXT | _HTML) or not data[:at].strip()


def _decide_text(data: bytes) -> str:
    if re.match(rb"\s*(?:<!doctype html|<html[\s>])", data[:_PDF_WITHIN], re.IGNORECASE):
        return "html"
    text, _ = decode_text(data)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if split_front_matter(text)[0] is not None:
        return "markdown"
    return "catalogue" if looks_like_catalogue(text) else "text"


def _choose_reader(file_type: str) -> Reader:
    if file_type == "pdf":
        from corpus.readers.pdf import read_pdf  # here, so that PDFium is loaded only for a PDF

        return read_pdf
    readers: Mapping[str, Reader] = {
        "markdown": read_markdown,
        "catalogue": read_catalogue,
        "html": read_html,
        "text": read_text,
    }
    return readers[file_type]


def _merge_metadata(
    source: SourceFile, reading: Reading, file_type: str
) -> dict[str, MetadataValue]:
    known = {name: _shelf_value(name, value) for name, value in source.known.items()}
    metadata: dict[str, MetadataValue] = {**reading.metadata, **known}
    title = str(metadata.get("title", "")).strip()
    metadata["title"] = title or _find_heading(reading, file_type) or _name_title(source.path)
    metadata["source"] = source.source
    metadata["file_type"] = file_type
    year = _find_year(known) or _find_year(reading.metadata)
    if year:
        metadata["year"] = year
    return metadata


def _shelf_value(name: str, value: MetadataValue) -> MetadataValue:
    if name in _LISTS and isinstance(value, str):
        return [part.strip() for part in value.split(";") if part.strip()]
    return clean_text(value) if isinstance(value, str) else value


def _find_year(metadata: Metadata) -> int | None:
    """Return the year that metadata give, or that of the date; None if they have neither."""
    for name in ("year", "date"):
        match = re.match(r"\d{4}(?!\d)", str(metadata.get(name, "")))
        if match is not None:
            return int(match[0])
    return None


def _find_heading(reading: Reading, file_type: str) -> str:
    """Return the first heading of the top level; "" if there is none to be trusted.

    In plain text and PDF a heading is a guess, trusted only where it opens the document.
    """
    guessed = file_type in ("text", "pdf")
    for block in reading.blocks[:1] if guessed else reading.blocks:
        if block.kind is BlockKind.HEADING and (block.level == 1 or guessed):
            return " ".join(reading.text[block.start : block.end].split())
    return ""


def _name_title(path: Path) -> str:
    return " ".join(re.sub(r"[_-]+", " ", path.stem).split()) or path.name
