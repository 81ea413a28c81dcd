"""The HTTP service, put together: routes, problems, limits, and what runs behind them."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI

from indexer.encoders import Encoder
from service.metrics import ServiceMetrics
from service.middleware import LimitBody, Observe
from service.problems import MEDIA_TYPE, Problem, install_problem_handlers
from service.routes import documents, health, index, search, verify
from service.settings import ServiceSettings
from service.state import start_service

_DESCRIPTION = """\
Footnote answers questions from a shelf of reports. Every sentence of an answer is followed by a
footnote, and every footnote is an exact slice of a report that anyone can check.

Texts are counted in characters (Unicode code points), start included, end excluded. Errors are
problems (RFC 9457) with a stable `code` and an `advice`; a field that is not known is an error.
"""
_PROBLEM: dict[str, Any] = {
    "description": "A problem: what is wrong and what to do.",
    "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
}


def create_app(
    settings: ServiceSettings | None = None, *, encoder: Encoder | None = None
) -> FastAPI:
    """Return the service as an ASGI app; it opens the index when it is started.

    Args:
        settings: None to read them from the environment.
        encoder: None to load the one that settings name.
    """
    chosen = settings or ServiceSettings()
    metrics = ServiceMetrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Twice the cores: while one request waits for the disk another computes.
        limiter = CapacityLimiter(2 * (os.cpu_count() or 1))
        state = await to_thread.run_sync(partial(start_service, chosen, encoder, limiter))
        metrics.watch(state.live)
        app.state.service = state
        try:
            yield
        finally:
            await to_thread.run_sync(state.close)

    app = FastAPI(
        title="Footnote",
        version=version("footnote"),
        summary="Ask a shelf of reports; every sentence of the answer can be checked.",
        description=_DESCRIPTION,
        lifespan=lifespan,
        responses={"4XX": _PROBLEM, "5XX": _PROBLEM},
        generate_unique_id_function=lambda route: route.name,
        # Both pages load scripts from another site; a service without a network must not.
        docs_url=None,
        redoc_url=None,
    )
    app.state.metrics = metrics
    install_problem_handlers(app)
    app.add_middleware(LimitBody, max_bytes=chosen.max_body_bytes)
    app.add_middleware(Observe, metrics=metrics)
    for module in (search, documents, index, verify, health):
        app.include_router(module.router)
    return app
