"""What a running service consists of, and how a route gets at it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, cast

from anyio import CapacityLimiter, to_thread
from fastapi import Depends
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from indexer.encoders import Encoder, load_encoder
from service.live_index import LiveIndex
from service.runs import RunQueue
from service.settings import ServiceSettings
from service.staleness import StalenessCheck


@dataclass(frozen=True, slots=True)
class ServiceState:
    """The parts of a running service.

    Attributes:
        settings: What it was told.
        live: The index that serves.
        runs: Index runs.
        staleness: Which sources have changed.
        limiter: How many requests may work at once; the others wait their turn.
    """

    settings: ServiceSettings
    live: LiveIndex
    runs: RunQueue
    staleness: StalenessCheck
    limiter: CapacityLimiter

    def close(self) -> None:
        """Stop what runs in the background, a run's process included."""
        self.runs.close()
        self.live.close()


def start_service(
    settings: ServiceSettings, encoder: Encoder | None, limiter: CapacityLimiter
) -> ServiceState:
    """Load the encoder, open the index and start what runs in the background.

    Raises:
        EncoderUnavailable: The encoder cannot be loaded.
    """
    if encoder is None:
        encoder = load_encoder(
            settings.encoder, backend=settings.encoder_backend, threads=settings.query_threads
        )
    live = LiveIndex(settings, encoder)
    runs = RunQueue(settings, finished=live.nudge)
    return ServiceState(settings, live, runs, StalenessCheck(), limiter)


def get_state(request: Request) -> ServiceState:
    """Return the service that a request has come to."""
    return cast("ServiceState", request.app.state.service)


State = Annotated[ServiceState, Depends(get_state)]


async def respond(
    state: ServiceState,
    make: Callable[[], BaseModel],
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    """Make a response's body and its JSON in a worker thread, never on the event loop."""
    body = await to_thread.run_sync(lambda: make().model_dump_json(), limiter=state.limiter)
    return Response(body, status, headers, media_type="application/json")
