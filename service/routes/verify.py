"""Checking an answer that somebody saved."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BeforeValidator
from starlette.responses import Response

from service.routes.parameters import accept_parameters
from service.schemas import SavedAnswer, VerifyResponse, check_json
from service.state import State, respond
from service.verify import verify_answer

router = APIRouter(tags=["verify"], dependencies=[accept_parameters()])


@router.post("/v1/verify", response_model=VerifyResponse)
async def verify(
    body: Annotated[SavedAnswer, BeforeValidator(check_json)], state: State
) -> Response:
    """Check a saved answer, as /v1/ask gave it, against the texts it quotes.

    Each citation and sentence is told valid or not, with the reason; one changed character in
    any of them makes the answer invalid.
    """
    index = state.live.snapshot().index
    return await respond(state, lambda: verify_answer(body, index))
