"""`footnote index` and `footnote corpus list`: from files to an index, and what is in it."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from footnote.console import ExitCode, console, print_json, print_note, printable
from footnote.opening import load_settings, open_index

if TYPE_CHECKING:
    from rich.table import Table

    from indexer.build import IndexReport

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def index_reports(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]…", help="Folders or files; by default FOOTNOTE_SHELVES."),
    ] = None,
    *,
    strict: Annotated[
        bool, typer.Option("--strict", help="Publish nothing if a file cannot be read.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Read and encode everything anew, reuse nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read reports and publish an index of them.

    Only what changed is read and encoded again. A running service takes the new index up by
    itself. A file that cannot be read is named with its reason and left out; the exit code is
    then 1.

    Examples:
      footnote index
      footnote index ~/reports
      footnote index corpus/reports ~/reports/new.pdf --strict
    """
    from corpus.sources import unmatched_rows
    from indexer.build import build_index
    from indexer.encoders import load_encoder
    from indexer.progress import show_progress

    settings = load_settings(context)
    encoder = load_encoder(
        settings.encoder, backend=settings.encoder_backend, threads=settings.encoder_threads
    )
    with show_progress() as progress:
        report = build_index(
            settings, encoder, paths=paths or None, progress=progress, strict=strict, full=full
        )
    for line in unmatched_rows(paths or settings.shelves):
        print_note(f"warning: {line}")
    if as_json:
        print_json(asdict(report))
    else:
        if report.failed:
            console().print(_failures(report))
        console().print(_summary(report))
    if report.failed:
        raise typer.Exit(ExitCode.PROBLEMS)


def list_documents(context: typer.Context, *, as_json: Json = False) -> None:
    """List the documents of the index.

    Examples:
      footnote corpus list
      footnote --index-dir /srv/index corpus list --json
    """
    import numpy as np
    from rich.table import Table

    index = open_index(load_settings(context))
    counts = np.bincount(index.passages.numbers[:, 0], minlength=len(index.documents.records))
    rows = [
        {
            "document_id": record.document_id,
            "title": record.title,
            "date": str(record.metadata.get("date", "")),
            "pages": len(record.pages),
            "passages": int(count),
            "source": str(record.metadata["source"]),
            "warnings": list(record.warnings),
        }
        for record, count in zip(index.documents.records, counts, strict=True)
    ]
    if as_json:
        print_json({"index_generation": index.name, "documents": rows})
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("id", no_wrap=True)
    table.add_column("title", overflow="fold")
    table.add_column("date", no_wrap=True)
    table.add_column("pages", justify="right")
    table.add_column("passages", justify="right")
    for row in rows:
        shown = (printable(str(row[name])) for name in ("document_id", "title", "date"))
        table.add_row(*shown, str(row["pages"] or "–"), str(row["passages"]))
    console().print(table)
    console().print(f"{_count(len(rows), 'document')}, generation {index.name}")


def _failures(report: "IndexReport") -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("not indexed", overflow="fold")
    table.add_column("reason", overflow="fold")
    for outcome in report.failed:
        table.add_row(printable(outcome.source), printable(outcome.reason))
    return table


def _summary(report: "IndexReport") -> str:
    changes = []
    for status in ("added", "changed", "removed", "failed"):
        number = sum(outcome.status == status for outcome in report.outcomes)
        if number:
            changes.append(f"{number} {status}")
    state = "published" if report.published else "is up to date"
    return (
        f"generation {report.generation} {state}: {_count(report.documents, 'document')}, "
        f"{_count(report.passages, 'passage')} ({report.encoded:,} encoded); "
        f"{', '.join(changes) or 'nothing changed'}; {report.elapsed_s:.1f} s"
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
