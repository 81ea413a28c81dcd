"""`footnote search`, `ask` and `verify`: the same requests and responses as over HTTP."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from footnote.console import ExitCode, print_json, print_note
from footnote.opening import BadSettings, first_problem, load_settings, open_index, open_snapshot

if TYPE_CHECKING:
    from service.live_index import Snapshot
    from service.schemas import SavedAnswer, SearchFields

Fields = TypeVar("Fields", bound="SearchFields")

Mode = Annotated[str, typer.Option(metavar="MODE", help="hybrid, semantic, lexical or phrase.")]
Filter = Annotated[
    str | None,
    typer.Option("--filter", metavar="JSON", help="Only passages whose metadata fits."),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        metavar="DATE", help="Only documents dated on or before 2024, 2024-05, 2024-05-31."
    ),
]
PerDocument = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Most passages of one document.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the response as JSON, as over HTTP.")]


def search_passages(
    context: typer.Context,
    query: Annotated[
        str, typer.Argument(help='Free words; "quoted phrases" must occur and -words must not.')
    ],
    *,
    mode: Mode = "hybrid",
    top_k: Annotated[
        int, typer.Option("--top-k", "-k", metavar="N", min=1, help="How many passages to show.")
    ] = 5,
    filters: Filter = None,
    as_of: AsOf = None,
    max_per_document: PerDocument = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also show each passage's scores.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Find the passages that fit a query best. Finding none is no error.

    A query that begins with a minus goes after --.

    Examples:
      footnote search "risk tolerance"
      footnote search incidents --filter '{"publisher": "NIST", "year": {"$gte": 2023}}'
      footnote search '"serious incident" -medical' --mode lexical --top-k 20 --json
    """
    from footnote.printing import print_passages
    from service.rendering import render_search
    from service.routes.search import make_query
    from service.schemas import SearchRequest

    request = _check(
        SearchRequest,
        query=query,
        mode=mode,
        top_k=top_k,
        filters=_parse_filter(filters),
        as_of=as_of,
        max_passages_per_document=max_per_document,
        explain=explain,
    )
    settings = load_settings(context)
    snapshot = open_snapshot(settings)
    result = snapshot.retriever.search(make_query(request.query, request, settings, field="query"))
    response = render_search(snapshot, result, _stale(snapshot), explain=explain)
    if as_json:
        print_json(response.model_dump(mode="json"))
    else:
        print_passages(response.results, explain=explain)


def ask_question(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="A question in plain words.")],
    *,
    mode: Mode = "hybrid",
    filters: Filter = None,
    as_of: AsOf = None,
    max_per_document: PerDocument = None,
    as_json: Json = False,
) -> None:
    """Answer a question in sentences of the reports, each with its footnote.

    A question that the reports do not answer is declined, with the passages that come closest;
    that is no error.

    Examples:
      footnote ask "What is risk tolerance?"
      footnote ask "Who must report serious incidents?" --as-of 2025-12 --json > answer.json
    """
    from footnote.printing import print_answer
    from service.rendering import render_answer
    from service.routes.search import make_query
    from service.schemas import AskRequest

    request = _check(
        AskRequest,
        question=question,
        mode=mode,
        filters=_parse_filter(filters),
        as_of=as_of,
        max_passages_per_document=max_per_document,
    )
    settings = load_settings(context)
    snapshot = open_snapshot(settings)
    query = make_query(request.question, request, settings, field="question")
    began = time.perf_counter()
    answer = snapshot.answerer.answer(query)
    elapsed_ms = round((time.perf_counter() - began) * 1000, 3)
    response = render_answer(
        snapshot, answer, _stale(snapshot), elapsed_ms=elapsed_ms, explain=False
    )
    if as_json:
        print_json(response.model_dump(mode="json"))
    else:
        print_answer(response)


def verify_answer(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="An answer as JSON; - reads it from stdin.")
    ],
    *,
    as_json: Json = False,
) -> None:
    """Check a saved answer against the texts it quotes; one changed character fails.

    The exit code is 0 if all of it holds and 1 if not.

    Examples:
      footnote verify answer.json
      footnote ask "What is risk tolerance?" --json | footnote verify -
    """
    from footnote.printing import print_verdict
    from service.verify import verify_answer as verify

    settings = load_settings(context)
    saved = _read_answer(file)
    response = verify(saved, open_index(settings))
    if as_json:
        print_json(response.model_dump(mode="json"))
    else:
        print_verdict(response)
    if not response.valid:
        raise typer.Exit(ExitCode.PROBLEMS)


def _parse_filter(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        value = json.loads(text)
    except ValueError as error:
        raise BadSettings(
            f"--filter is not JSON: {text!r:.80}",
            advice="""write it like --filter '{"publisher": "NIST"}'""",
        ) from error
    if not isinstance(value, dict):
        raise BadSettings(f"--filter takes a JSON object, not {text!r:.80}")
    return value


def _check(kind: "type[Fields]", **fields: Any) -> "Fields":
    """Make a request, refusing what the HTTP service refuses."""
    from pydantic import ValidationError

    from service.schemas import check_json

    try:
        return kind(**check_json(fields))
    except ValidationError as error:
        raise BadSettings(first_problem(error)) from error
    except ValueError as error:
        raise BadSettings(
            f"the request cannot be written as JSON: {error}",
            advice="check the characters and numbers in the query and in --filter",
        ) from error


def _stale(snapshot: "Snapshot") -> list[str]:
    """Return the ids of documents whose sources have changed, after saying so on stderr."""
    from service.staleness import StalenessCheck

    stale = StalenessCheck().check(snapshot.index).document_ids
    if stale:
        print_note(
            f"note: {len(stale)} of the sources changed since they were indexed "
            f"({', '.join(stale[:3])}{'…' if len(stale) > 3 else ''}); 'footnote index' reads them"
        )
    return stale


def _read_answer(file: Path) -> "SavedAnswer":
    from pydantic import ValidationError

    from service.schemas import SavedAnswer

    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise BadSettings(
            f"{file} cannot be read: {error.strerror}", advice="name a saved answer, or - for stdin"
        ) from error
    try:
        return SavedAnswer.model_validate_json(data)
    except ValidationError as error:
        raise BadSettings(
            f"{file} is not an answer as 'footnote ask --json' prints it: {first_problem(error)}"
        ) from error
