"""`footnote serve`: the HTTP service in this process."""

import errno
import json
import logging
import shlex
import socket
import sys
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from corpus.errors import FootnoteError
from footnote.console import ExitCode, PortBusy, print_json, print_note
from footnote.opening import BadSettings, load_settings
from indexer.errors import IndexNotFound

if TYPE_CHECKING:
    from indexer.documents import DocumentTable
    from indexer.texts import TextStore
    from service.settings import ServiceSettings

_BACKLOG = 128
_GRACE_S = 10


def serve(
    context: typer.Context,
    *,
    host: Annotated[str | None, typer.Option(metavar="HOST", help="Address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", help="Port; 0 takes a free one.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the address as JSON, once it is bound.")
    ] = False,
) -> None:
    """Serve the index over HTTP until it is interrupted.

    A new index is taken up as soon as it is published. Without one, requests are answered with
    the command that makes it.

    Examples:
      footnote serve
      footnote serve --host 0.0.0.0 --port 80
    """
    settings = load_settings(context, host=host, port=port)
    listener = bind(settings.host, settings.port)
    address = describe_address(listener)
    if as_json:
        print_json({"url": address})
    # Before the service is imported: the line is there while that and the encoder load.
    print_note(f"Footnote serves at {address}  (Ctrl-C ends it)")
    print_note(_suggest(settings, address))
    import uvicorn

    from indexer.encoders import load_encoder
    from service.app import create_app

    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    encoder = load_encoder(
        settings.encoder, backend=settings.encoder_backend, threads=settings.query_threads
    )
    config = uvicorn.Config(
        create_app(settings, encoder=encoder),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = uvicorn.Server(config)
    # uvicorn shuts down in order, then passes the interrupt on; it is how this command ends.
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    if not server.started:
        raise typer.Exit(ExitCode.PROBLEMS)


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens; clients that come early wait until the service is ready.

    Raises:
        PortBusy: Another process has the port.
        BadSettings: The address is not one of this machine's.
    """
    try:
        [family, *_, address], *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        with ExitStack() as on_failure:
            listener = on_failure.enter_context(socket.socket(family, socket.SOCK_STREAM))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
            on_failure.pop_all()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortBusy(
                f"port {port} of {host} is taken",
                advice=f"end the process that has it, or take another: --port {port + 1}",
            ) from error
        raise BadSettings(
            f"cannot listen on port {port} of {host}: {error.strerror}",
            advice="127.0.0.1 is this machine alone, 0.0.0.0 all of its addresses",
        ) from error
    return listener


def describe_address(listener: socket.socket) -> str:
    """Return the URL that a socket of this machine answers at."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 (compared with, not bound to)
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def suggest_question(documents: "DocumentTable", texts: "TextStore") -> str:
    """Return a question in the words of the shelf: a heading of its first report that has some."""
    from corpus.model import BlockKind

    for record in documents.records:
        text = texts.get(record.text_sha256)
        headings = [
            " ".join(text[block.start : block.end].split())
            for block in documents.blocks(record)
            if block.kind is BlockKind.HEADING
        ]
        # The first is mostly the title; one of several words says what it stands over.
        for heading in headings[1:]:
            # An apostrophe would make the line to paste into a shell hard to read.
            if 2 <= len(heading.split()) <= 12 and not set(record.title + heading) & set("'’\""):
                return f"What does {record.title} say about {heading}?"
    return "What do these reports say?"


def _suggest(settings: "ServiceSettings", address: str) -> str:
    """Return a line to try: a question that the shelf answers, or how to make an index."""
    from indexer.documents import DocumentTable
    from indexer.generations import IndexFolder
    from indexer.texts import TextStore

    folder = IndexFolder(settings.index_dir)
    try:
        documents = DocumentTable.load(folder.folder(folder.current()))
        question = suggest_question(documents, TextStore(folder.texts))
    except IndexNotFound as error:
        return f"There is nothing to ask yet: {error}"
    except (FootnoteError, OSError, ValueError):
        return "The current index is damaged; the log says what serves instead."
    body = shlex.quote(json.dumps({"question": question}, ensure_ascii=False))
    return f"Try: curl -s {address}/v1/ask -H 'content-type: application/json' -d {body}"
