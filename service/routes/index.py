"""The index that serves, and runs that bring it up to date."""

from pathlib import Path
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter
from pydantic import BeforeValidator
from starlette.responses import Response

from corpus.errors import FootnoteError
from indexer.open_index import OpenIndex
from service.problems import RequestProblem
from service.rendering import render_run
from service.routes.parameters import accept_parameters
from service.runs import Run
from service.schemas import IndexResponse, RunDetail, RunList, RunRequest, RunSummary, check_json
from service.staleness import find_new_sources
from service.state import ServiceState, State, respond

router = APIRouter(tags=["index"], dependencies=[accept_parameters()])
# Where the service is and what its machine looks like is nobody's business.
_PRIVATE = {"index_dir", "shelves", "host", "port"}


@router.get("/v1/index", response_model=IndexResponse)
async def describe_index(state: State) -> Response:
    """Describe the generation that serves and what has changed since it was made."""
    index = state.live.snapshot().index
    return await respond(state, lambda: _describe(state, index))


@router.post("/v1/index/runs", response_model=RunDetail, status_code=202)
async def start_run(
    state: State, body: Annotated[RunRequest | None, BeforeValidator(check_json)] = None
) -> Response:
    """Bring the index up to date; follow the run at the address in `Location`."""
    request = body or RunRequest()

    def submit() -> Run:
        shelves = _shelves(state)
        own = [shelf.resolve() for shelf in state.settings.shelves if shelf.exists()]
        allowed = list(dict.fromkeys([*shelves, *own]))
        paths = [_find_on_shelf(path, allowed) for path in request.paths or []]
        return state.runs.submit(paths or shelves, full=request.full, strict=request.strict)

    run = await to_thread.run_sync(submit, limiter=state.limiter)
    headers = {"Location": f"/v1/index/runs/{run.run_id}"}
    return await respond(state, lambda: render_run(run), status=202, headers=headers)


@router.get("/v1/index/runs", response_model=RunList)
async def list_runs(state: State) -> Response:
    """List the runs since the service started, newest first."""

    def work() -> RunList:
        names = set(RunSummary.model_fields)
        described = [render_run(run) for run in state.runs.recent()]
        return RunList(runs=[RunSummary(**one.model_dump(include=names)) for one in described])

    return await respond(state, work)


@router.get("/v1/index/runs/{run_id}", response_model=RunDetail)
async def get_run(run_id: str, state: State) -> Response:
    """Tell how far a run is and what became of each file."""
    return await respond(state, lambda: render_run(state.runs.get(run_id)))


def _shelves(state: ServiceState) -> list[Path]:
    """Return the shelves of the generation that serves; those of the settings without one."""
    try:
        return [Path(shelf) for shelf in state.live.snapshot().index.manifest.shelves]
    except FootnoteError:
        return [shelf.resolve() for shelf in state.settings.shelves]


def _find_on_shelf(named: str, shelves: list[Path]) -> Path:
    """Return a path that a client names, absolute or relative to a shelf.

    Links are followed before anything else, so what is returned is on a shelf itself.

    Raises:
        RequestProblem: It is outside all shelves, or there is nothing there.
    """
    inside: list[Path] = []
    for shelf in shelves:
        try:
            path = (shelf / named).resolve()
        except (OSError, ValueError, RuntimeError):  # a zero byte, a link to itself
            continue
        if path.is_relative_to(shelf):
            inside.append(path)
    for path in inside:
        if path.exists():
            return path
    if inside:
        raise RequestProblem(
            "source_not_found",
            f"there is nothing at {named:.200} on any shelf",
            advice="put the reports there first, or name another folder of the shelf",
            field="paths",
        )
    raise RequestProblem(
        "path_not_on_shelf",
        f"{named!r:.200} is on none of the shelves",
        advice=f"name a folder or file within {', '.join(map(str, shelves))}",
        field="paths",
    )


def _describe(state: ServiceState, index: OpenIndex) -> IndexResponse:
    manifest, settings = index.manifest, state.settings
    staleness = state.staleness.check(index)
    problems = list(state.live.problems)
    try:
        new = find_new_sources(index)
    except FootnoteError as error:
        new = []
        problems.append(str(error))
    public = settings.model_dump(mode="json", exclude=_PRIVATE)
    return IndexResponse(
        index_generation=index.name,
        created=manifest.created,
        documents=manifest.documents,
        passages=manifest.passages,
        encoder=manifest.encoder,
        encoder_backend=manifest.encoder_backend,
        footnote_version=manifest.footnote_version,
        shelves=manifest.shelves,
        settings={**public, **manifest.settings},
        stale_documents=staleness.document_ids,
        changed=list(staleness.changed),
        missing=list(staleness.missing),
        new=new,
        problems=problems,
    )
