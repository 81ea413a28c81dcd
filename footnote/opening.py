"""Settings and the open index, as a command needs them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from corpus.errors import FootnoteError
from footnote.console import print_note

if TYPE_CHECKING:
    from pydantic import ValidationError

    from indexer.open_index import OpenIndex
    from service.live_index import Snapshot
    from service.settings import ServiceSettings


class BadSettings(FootnoteError):
    """An option or a FOOTNOTE_… variable has a value that does not fit."""

    code = "bad_settings"


def load_settings(context: typer.Context, **changes: Any) -> "ServiceSettings":
    """Return the settings: options first, then FOOTNOTE_… variables, then defaults.

    Args:
        context: The command's; its object is --index-dir or None.
        changes: Settings by name; None leaves one as it is.

    Raises:
        BadSettings: A value does not fit.
    """
    from pydantic import ValidationError

    from service.settings import ServiceSettings

    given = {"index_dir": context.obj, **changes}
    try:
        return ServiceSettings(
            **{name: value for name, value in given.items() if value is not None}
        )
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        variable = f"FOOTNOTE_{name.upper()}"
        source = variable if given.get(name) is None and variable in os.environ else name
        raise BadSettings(
            f"the setting {source} does not fit: {first_problem(error)}",
            advice="'make help' and the README list what there is to set",
        ) from error


def first_problem(error: "ValidationError") -> str:
    """Return what pydantic found wrong first, in one line: field, reason, value."""
    problem = error.errors()[0]
    field = ".".join(str(part) for part in problem["loc"])
    return f"{field}: {problem['msg']}, not {problem['input']!r:.80}"


def require_index(folder: Path) -> None:
    """Make sure that something is published, before an encoder is loaded in vain.

    Raises:
        IndexNotFound: Nothing is.
    """
    from indexer.generations import IndexFolder

    IndexFolder(folder).current()


def open_index(settings: "ServiceSettings", *, encoder: str | None = None) -> "OpenIndex":
    """Open the current generation, or say on stderr why an older one stands in.

    Args:
        settings: Where the index is.
        encoder: Fingerprint that it must have been made with; None accepts any.

    Raises:
        IndexNotFound: Nothing has been published.
        IndexDamaged: No generation is whole.
        IndexMismatch: It was made with another encoder or format.
    """
    from indexer.open_index import open_current

    index = open_current(settings.index_dir, encoder=encoder)
    for problem in index.problems:
        print_note(f"warning: {problem}; generation {index.name} is used")
    return index


def open_snapshot(settings: "ServiceSettings") -> "Snapshot":
    """Open the current generation for searching and answering.

    Raises:
        EncoderUnavailable: The encoder cannot be loaded.
        FootnoteError: As in `open_index`.
    """
    require_index(settings.index_dir)
    from indexer.encoders import load_encoder
    from service.answerer import Answerer
    from service.live_index import Snapshot
    from service.retriever import Retriever

    encoder = load_encoder(
        settings.encoder, backend=settings.encoder_backend, threads=settings.query_threads
    )
    index = open_index(settings, encoder=encoder.fingerprint)
    retriever = Retriever(index, encoder, settings)
    return Snapshot(index, retriever, Answerer(retriever, settings))
