"""What a route takes from the address: a parameter that is not known is refused, not ignored."""

from difflib import get_close_matches
from typing import Any

from fastapi import Depends
from starlette.requests import Request

from service.problems import RequestProblem, shorten


def accept_parameters(*names: str) -> Any:
    """Return a dependency that refuses every query parameter but these."""

    async def check(request: Request) -> None:
        for name in request.query_params:
            if name not in names:
                close = get_close_matches(name[:100], names, n=1)
                known = f"use {' and '.join(names)}" if names else "send fields in the JSON body"
                raise RequestProblem(
                    "unknown_field",
                    f"the query parameter {shorten(name)!r} is not known here",
                    advice=f"did you mean {close[0]!r}?" if close else known,
                    field=shorten(name),
                )

    return Depends(check)
