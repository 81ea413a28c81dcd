"""What every request passes through: it is counted, its size is limited, its failure is told."""

import logging
import time

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.metrics import ServiceMetrics
from service.problems import make_problem, respond_with, unexpected_problem

_log = logging.getLogger(__name__)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Observe:
    """Counts and times requests; an error nobody foresaw is logged and becomes a problem."""

    def __init__(self, app: ASGIApp, *, metrics: ServiceMetrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception:
            _log.exception("%s %s failed", scope["method"], scope["path"])
            if status:
                raise  # Half a response is out: only breaking the connection says so.
            await respond_with(unexpected_problem())(scope, receive, watch)
        finally:
            self.metrics.observe(
                method=scope["method"] if scope["method"] in _METHODS else "other",
                route=getattr(scope.get("route"), "path", "(none)"),
                status=status or 499,  # nginx's number for a client that went away
                elapsed_s=time.perf_counter() - began,
            )


class LimitBody:
    """Refuses a body that says it is too large before reading it, and another while reading."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        detail = f"the body has more than the {self.max_bytes} bytes allowed"
        declared = Headers(scope=scope).get("content-length", "0")
        # The header's digits may be of any number; so many are too large without being counted.
        if not declared.isdecimal() or len(declared) > 18 or int(declared) > self.max_bytes:
            problem = make_problem("body_too_large", detail, advice="send less at a time")
            await respond_with(problem)(scope, receive, send)
            return
        received = 0

        async def count() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > self.max_bytes:
                    raise HTTPException(413, detail)
            return message

        await self.app(scope, count, send)
