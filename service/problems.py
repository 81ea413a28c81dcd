"""What goes wrong, as RFC 9457 problem details: what was given, what was wanted, what to do."""

import logging
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request

from corpus.errors import FootnoteError

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger(__name__)
_MOST_ERRORS = 20
_MOST_CHARS = 200

# Code → status and title. A FootnoteError that is not named here is the service's own fault.
_KINDS: dict[str, tuple[int, str]] = {
    "bad_filter": (422, "The filter is not understood"),
    "bad_query": (422, "The question cannot be searched"),
    "question_too_long": (422, "The question is too long"),
    "invalid_request": (422, "The request is not valid"),
    "unknown_field": (422, "The request has a field that is not known"),
    "out_of_range": (422, "The range is not within the text"),
    "path_not_on_shelf": (422, "The path is not on a shelf"),
    "source_not_found": (422, "The path does not exist"),
    "bad_permalink": (400, "This is not a permalink"),
    "malformed_json": (400, "The body is not JSON"),
    "permalink_not_found": (404, "The permalink names nothing that is kept"),
    "document_not_found": (404, "There is no such document"),
    "run_not_found": (404, "There is no such index run"),
    "not_found": (404, "There is nothing at this address"),
    "method_not_allowed": (405, "The method is not allowed here"),
    "index_busy": (409, "The index is being written"),
    "too_many_runs": (429, "Too many index runs are waiting"),
    "body_too_large": (413, "The request is too large"),
    "unsupported_media_type": (415, "The body is not declared as JSON"),
    "index_not_ready": (503, "There is no index yet"),
    "index_damaged": (503, "The index is damaged"),
    "index_mismatch": (503, "The index does not fit the service"),
    "encoder_unavailable": (503, "The encoder is not available"),
    "internal_error": (500, "The service failed"),
}
# The state of the index is logged when it changes, not at each request.
_SAID_BEFORE = frozenset({"index_not_ready", "index_mismatch"})


class Problem(BaseModel):
    """A problem (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="A URN made from the code.")
    title: str = Field(description="What kind of problem it is; the same for every such problem.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What is wrong this time.")
    code: str = Field(description="Stable name of the kind, for programs.")
    advice: str = Field(description="What to do about it; may be empty.")
    errors: list[dict[str, str]] = Field(
        default=[], description="Each wrong part of the request: its field and what is wrong."
    )


class RequestProblem(FootnoteError):
    """A request that cannot be carried out; `code` is one of those above."""

    def __init__(self, code: str, message: str, *, advice: str = "", field: str = "") -> None:
        super().__init__(message, advice=advice)
        self.code = code
        self.field = field


def describe_problem(error: FootnoteError) -> Problem:
    """Return a FootnoteError as a problem."""
    field = getattr(error, "field", "")
    detail = str(error.args[0])
    errors = [{"field": field, "message": detail}] if field else []
    problem = make_problem(error.code, detail, advice=error.advice, errors=errors)
    if not problem.advice and problem.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return problem.model_copy(update={"advice": _SEE_OPENAPI})
    return problem


def make_problem(
    code: str, detail: str, *, advice: str = "", errors: Sequence[Mapping[str, str]] = ()
) -> Problem:
    """Return a problem; a code that is not known counts as the service's fault."""
    status, title = _KINDS.get(code, _KINDS["internal_error"])
    return Problem(
        type=f"urn:footnote:problem:{code}",
        title=title,
        status=status,
        detail=detail,
        code=code,
        advice=advice,
        errors=[dict(error) for error in errors],
    )


def respond_with(problem: Problem, *, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the HTTP response that carries a problem."""
    return JSONResponse(
        problem.model_dump(), problem.status, headers=headers, media_type=MEDIA_TYPE
    )


def shorten(text: str) -> str:
    """Return what a client sent as it is sent back: two million characters name no field."""
    return text[:_MOST_CHARS]


def unexpected_problem() -> Problem:
    """Return what is said of an error nobody foresaw: nothing of its inside."""
    return make_problem(
        "internal_error",
        "something failed that should not have",
        advice="the service's log says more; please report it",
    )


def install_problem_handlers(app: FastAPI) -> None:
    """Make every error of an app come back as a problem."""
    app.add_exception_handler(FootnoteError, _handle_footnote_error)
    app.add_exception_handler(RequestValidationError, _handle_validation_error)
    app.add_exception_handler(HTTPException, _handle_http_exception)


async def _handle_footnote_error(_: Request, error: Exception) -> JSONResponse:
    problem = describe_problem(_as(FootnoteError, error))
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR and problem.code not in _SAID_BEFORE:
        _log.error("%s: %s", problem.code, error)
    return respond_with(problem)


async def _handle_http_exception(request: Request, error: Exception) -> JSONResponse:
    failure = _as(HTTPException, error)
    code, detail, advice = {
        400: ("malformed_json", "the body cannot be read as JSON", "send one JSON object"),
        404: ("not_found", f"there is nothing at {request.url.path:.200}", _SEE_OPENAPI),
        405: (
            "method_not_allowed",
            f"{request.method} is not understood at {request.url.path:.200}",
            f"use {(failure.headers or {}).get('Allow', 'another method')}",
        ),
        413: ("body_too_large", failure.detail, "send less at a time"),
    }.get(failure.status_code, ("internal_error", failure.detail, ""))
    return respond_with(make_problem(code, detail, advice=advice), headers=failure.headers)


async def _handle_validation_error(request: Request, error: Exception) -> JSONResponse:
    errors = _as(RequestValidationError, error).errors()[:_MOST_ERRORS]
    first = errors[0]
    if first["type"] == "json_invalid":
        at = first["loc"][-1]
        detail = f"the body is not JSON: {first['ctx']['error']} at character {at}"
        return respond_with(make_problem("malformed_json", detail, advice="mend it there"))
    if first["loc"] == ("body",) and first["type"] != "value_error":
        return respond_with(_describe_body(request, missing=first["type"] == "missing"))
    described = [{"field": shorten(_name(one["loc"])), "message": _explain(one)} for one in errors]
    unknown = first["type"] == "extra_forbidden"
    advice = _suggest(request, str(first["loc"][-1])) if unknown else _SEE_OPENAPI
    problem = make_problem(
        "unknown_field" if unknown else "invalid_request",
        "; ".join(f"{one['field']}: {one['message']}" for one in described[:3]),
        advice=advice,
        errors=described,
    )
    return respond_with(problem)


_SEE_OPENAPI = "see /openapi.json for what is understood"


def _describe_body(request: Request, *, missing: bool) -> Problem:
    if missing:
        return make_problem(
            "invalid_request", "the request has no body", advice="send a JSON object"
        )
    if "json" not in request.headers.get("content-type", ""):
        return make_problem(
            "unsupported_media_type",
            f"the body's type is {request.headers.get('content-type', 'not given')!r:.80}",
            advice="send the header 'Content-Type: application/json'",
        )
    return make_problem(
        "invalid_request", "the body is JSON but not an object", advice="send {…} with named fields"
    )


def _explain(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "this field is not known"
    message = str(error["msg"]).removeprefix("Value error, ")
    # Said of JSON, not of Python.
    message = message.replace("valid dictionary", "JSON object").replace("Frozenset", "List")
    return message[:1].lower() + message[1:_MOST_CHARS]


def _name(location: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in location[1:]) or str(location[0])


def _suggest(request: Request, name: str) -> str:
    """Return advice on an unknown field, with the known one that was probably meant."""
    body = getattr(request.scope.get("route"), "body_field", None)
    model = getattr(getattr(body, "field_info", None), "annotation", None)
    known = list(getattr(model, "model_fields", ()))
    close = get_close_matches(name[:_MOST_CHARS], known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"the fields are {', '.join(known)}" if known else _SEE_OPENAPI


def _as(kind: type[Any], error: Exception) -> Any:
    if not isinstance(error, kind):
        raise error
    return error
