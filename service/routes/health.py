"""Whether the process lives, whether it can answer, and what Prometheus collects."""

from anyio import to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from service.metrics import CONTENT_TYPE, ServiceMetrics
from service.routes.parameters import accept_parameters
from service.schemas import Liveness, Readiness
from service.state import State

router = APIRouter(tags=["health"], dependencies=[accept_parameters()])


@router.get("/healthz")
async def healthz() -> Liveness:
    """Answer 200 whenever the process runs."""
    return Liveness(status="ok")


@router.get("/readyz")
async def readyz(state: State) -> Readiness:
    """Answer 200 if questions can be answered, else 503 with the reason."""
    index = state.live.snapshot().index
    return Readiness(
        status="ready",
        index_generation=index.name,
        documents=index.manifest.documents,
        passages=index.manifest.passages,
        problems=list(state.live.problems),
    )


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Return metrics in Prometheus' text format."""
    collected: ServiceMetrics = request.app.state.metrics
    body = await to_thread.run_sync(collected.render)
    return Response(body, headers={"Content-Type": CONTENT_TYPE})
