"""Searching and asking."""

import logging
import time
from collections.abc import AsyncIterator
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator
from starlette.responses import Response, StreamingResponse

from corpus.errors import FootnoteError
from service.live_index import Snapshot
from service.problems import RequestProblem, describe_problem, unexpected_problem
from service.rendering import render_answer, render_search
from service.retriever import SearchQuery, SearchResult
from service.routes.parameters import accept_parameters
from service.schemas import (
    AskRequest,
    AskResponse,
    SearchFields,
    SearchRequest,
    SearchResponse,
    check_json,
)
from service.settings import ServiceSettings
from service.state import ServiceState, State, respond

_log = logging.getLogger(__name__)
router = APIRouter(tags=["search"], dependencies=[accept_parameters()])


@router.post("/v1/search", response_model=SearchResponse)
async def search(
    body: Annotated[SearchRequest, BeforeValidator(check_json)], state: State
) -> Response:
    """Find passages, best first."""
    query = make_query(body.query, body, state.settings, field="query")
    snapshot = state.live.snapshot()

    def work() -> BaseModel:
        result = snapshot.retriever.search(query)
        return render_search(snapshot, result, _stale(state, snapshot), explain=body.explain)

    return await respond(state, work)


@router.post(
    "/v1/ask",
    response_model=AskResponse,
    responses={
        200: {
            "content": {
                "text/event-stream": {
                    "schema": {"type": "string"},
                    "example": 'event: sentence\ndata: {"text": "…", "citation_ids": [1]}\n\n',
                }
            }
        }
    },
)
async def ask(body: Annotated[AskRequest, BeforeValidator(check_json)], state: State) -> Response:
    """Answer a question by quoting the reports, each sentence with its footnote.

    With `stream` the answer comes as server-sent events: `search_results` (as /v1/search gives
    them), then a `sentence` and the `citation`s it is the first to use, in turn, `final_answer`
    (as without `stream`) and `done`; or `error` (a problem) and `done`.
    """
    query = make_query(body.question, body, state.settings, field="question")
    snapshot = state.live.snapshot()
    if not body.stream:
        return await respond(state, lambda: _answer(state, snapshot, query, body.explain))
    # Searched before the stream begins: a bad filter is then a 422 as it is without `stream`.
    result = await to_thread.run_sync(snapshot.retriever.search, query, limiter=state.limiter)
    return StreamingResponse(
        _stream(state, snapshot, result, body.explain),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def make_query(
    text: str, fields: SearchFields, settings: ServiceSettings, *, field: str
) -> SearchQuery:
    """Return what to search for.

    Raises:
        RequestProblem: The text is too long, or too many passages are asked for.
    """
    if len(text) > settings.max_question_chars:
        raise RequestProblem(
            "question_too_long",
            f"the {field} has {len(text)} characters, more than {settings.max_question_chars}",
            advice="shorten it, or raise FOOTNOTE_MAX_QUESTION_CHARS",
            field=field,
        )
    if fields.top_k > settings.max_top_k:
        raise RequestProblem(
            "invalid_request",
            f"top_k is {fields.top_k}, more than {settings.max_top_k}",
            advice="ask for fewer, or raise FOOTNOTE_MAX_TOP_K",
            field="top_k",
        )
    return SearchQuery(
        text,
        mode=fields.mode,
        top_k=fields.top_k,
        filters=fields.filters,
        as_of=fields.as_of,
        rerank=fields.rerank,
        max_passages_per_document=fields.max_passages_per_document,
        passage_types=fields.passage_types,
    )


def _stale(state: ServiceState, snapshot: Snapshot) -> list[str]:
    return state.staleness.check(snapshot.index).document_ids


def _answer(
    state: ServiceState,
    snapshot: Snapshot,
    query: SearchQuery,
    explain: bool,
    *,
    found: SearchResult | None = None,
) -> AskResponse:
    began = time.perf_counter()
    answer = snapshot.answerer.answer(query, found=found)
    elapsed_ms = round((time.perf_counter() - began) * 1000, 3)
    stale = _stale(state, snapshot)
    return render_answer(snapshot, answer, stale, elapsed_ms=elapsed_ms, explain=explain)


async def _stream(
    state: ServiceState, snapshot: Snapshot, result: SearchResult, explain: bool
) -> AsyncIterator[str]:
    """Yield the events of an answer; an error becomes one too, for the status is out."""
    try:
        found = await to_thread.run_sync(
            lambda: render_search(
                snapshot, result, _stale(state, snapshot), explain=explain
            ).model_dump_json(),
            limiter=state.limiter,
        )
        yield _event("search_results", found)
        answer, text = await to_thread.run_sync(
            lambda: _dump(_answer(state, snapshot, result.query, explain, found=result)),
            limiter=state.limiter,
        )
        citations = {citation.id: citation for citation in answer.citations}
        for sentence in answer.sentences:
            yield _event("sentence", sentence.model_dump_json())
            for number in sentence.citation_ids:
                if number in citations:
                    yield _event("citation", citations.pop(number).model_dump_json())
        yield _event("final_answer", text)
    except FootnoteError as error:
        yield _event("error", describe_problem(error).model_dump_json())
    except Exception:
        _log.exception("an answer broke off while it was streamed")
        yield _event("error", unexpected_problem().model_dump_json())
    yield _event("done", "{}")


def _dump(answer: AskResponse) -> tuple[AskResponse, str]:
    return answer, answer.model_dump_json()


def _event(name: str, data: str) -> str:
    """Return a server-sent event; JSON holds no line end, so one data line is enough."""
    return f"event: {name}\ndata: {data}\n\n"
