"""The reports, their texts, and the slices that permalinks name."""

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from starlette.responses import Response

from corpus.permalinks import parse_permalink
from indexer.documents import DocumentRecord
from indexer.open_index import OpenIndex
from service.contents import list_sections
from service.editions import OpenedSlice, find_in_current, find_row, locate_slice, open_slice
from service.live_index import Snapshot
from service.problems import RequestProblem
from service.rendering import render_location
from service.routes.parameters import accept_parameters
from service.schemas import (
    DocumentDetail,
    DocumentList,
    DocumentSummary,
    PageModel,
    PassageResponse,
    TextResponse,
)
from service.state import ServiceState, State, respond

router = APIRouter(tags=["documents"])
_MOST_LISTED = 1000


@router.get(
    "/v1/documents",
    response_model=DocumentList,
    dependencies=[accept_parameters("offset", "limit")],
)
async def list_documents(
    state: State,
    offset: Annotated[int, Query(ge=0, description="Skip this many.")] = 0,
    limit: Annotated[int, Query(ge=1, le=_MOST_LISTED, description="List at most this many.")] = (
        _MOST_LISTED
    ),
) -> Response:
    """List the reports in order of their ids."""
    snapshot = state.live.snapshot()

    def work() -> DocumentList:
        index = snapshot.index
        stale = state.staleness.check(index).document_ids
        counts = np.bincount(index.passages.numbers[:, 0], minlength=len(index.documents.records))
        listed = list(enumerate(index.documents.records))[offset : offset + limit]
        return DocumentList(
            index_generation=index.name,
            total=len(index.documents.records),
            offset=offset,
            documents=[_summarise(one, int(counts[at]), stale) for at, one in listed],
            stale_documents=stale,
        )

    return await respond(state, work)


@router.get(
    "/v1/documents/{document_id}",
    response_model=DocumentDetail,
    dependencies=[accept_parameters()],
)
async def get_document(document_id: str, state: State) -> Response:
    """Describe a report: what is known of it, its contents and its pages."""
    snapshot = state.live.snapshot()
    record = _find_document(snapshot.index, document_id)
    return await respond(state, lambda: _describe(state, snapshot, record))


@router.get(
    "/v1/documents/{document_id}/text",
    response_model=TextResponse,
    dependencies=[accept_parameters("start", "end")],
)
async def get_text(
    document_id: str,
    state: State,
    start: Annotated[int, Query(ge=0, description="First character.")] = 0,
    end: Annotated[
        int | None, Query(ge=0, description="One past the last; without it, to the end.")
    ] = None,
) -> Response:
    """Return a slice of a report's canonical text: what every quote of it must be equal to."""
    index = state.live.snapshot().index
    record = _find_document(index, document_id)
    stop = record.characters if end is None else end
    if not start <= stop <= record.characters:
        raise RequestProblem(
            "out_of_range",
            f"start {start} and end {stop} do not lie in the text",
            advice=f"0 ≤ start ≤ end ≤ {record.characters} must hold",
        )
    return await respond(
        state,
        lambda: TextResponse(
            document_id=document_id,
            index_generation=index.name,
            text_sha256=record.text_sha256,
            start=start,
            end=stop,
            characters=record.characters,
            text=index.texts.get(record.text_sha256)[start:stop],
        ),
    )


@router.get(
    "/v1/passages/{permalink:path}",
    response_model=PassageResponse,
    dependencies=[accept_parameters()],
)
async def get_passage(permalink: str, state: State) -> Response:
    """Open a permalink, of an older edition too."""
    index = state.live.snapshot().index
    parsed = parse_permalink(permalink)

    def work() -> PassageResponse:
        opened = open_slice(index, parsed)
        if opened is None:
            raise RequestProblem(
                "permalink_not_found",
                f"{permalink:.200} names no slice of a text that is kept",
                advice="copy the permalink of a search result or a citation as it is",
            )
        return _render_slice(index, opened)

    return await respond(state, work)


def _find_document(index: OpenIndex, document_id: str) -> DocumentRecord:
    record = index.documents.get(document_id)
    if record is None:
        raise RequestProblem(
            "document_not_found",
            f"there is no document {document_id[:100]!r}",
            advice="/v1/documents lists them",
        )
    return record


def _summarise(record: DocumentRecord, passages: int, stale: list[str]) -> DocumentSummary:
    return DocumentSummary(
        document_id=record.document_id,
        title=record.title,
        text_sha256=record.text_sha256,
        source_sha256=record.stamp.sha256,
        characters=record.characters,
        page_count=len(record.pages),
        passage_count=passages,
        metadata=dict(record.metadata),
        notices=list(record.notices),
        stale=record.document_id in stale,
    )


def _describe(state: ServiceState, snapshot: Snapshot, record: DocumentRecord) -> DocumentDetail:
    index = snapshot.index
    stale = state.staleness.check(index).document_ids
    position = index.documents.position(record.document_id)
    passages = int((index.passages.numbers[:, 0] == position).sum())
    return DocumentDetail(
        **dict(_summarise(record, passages, stale)),
        index_generation=index.name,
        pages=[
            PageModel(number=page.number, label=page.label, start=page.start, end=page.end)
            for page in record.pages
        ],
        contents=list_sections(index, record),
        warnings=list(record.warnings),
        stale_documents=stale,
    )


def _render_slice(index: OpenIndex, opened: OpenedSlice) -> PassageResponse:
    permalink, record = opened.permalink, opened.record
    location, row = locate_slice(index, opened), find_row(index, opened)
    same = find_in_current(index, opened)
    passage = None if row is None else index.passages.get(row)
    metadata = passage.metadata if passage else record.metadata if record else {}
    return PassageResponse(
        permalink=str(permalink),
        index_generation=index.name,
        document_id=permalink.document_id,
        text_sha256=opened.text_sha256,
        start=permalink.start,
        end=permalink.end,
        text=opened.text,
        current=opened.current,
        document_title=record.title if record else "",
        location=render_location(location) if location else None,
        passage_type=passage.passage_type if passage else None,
        metadata=dict(metadata),
        notices=list(record.notices) if record else [],
        current_permalink=str(same) if same else None,
    )
