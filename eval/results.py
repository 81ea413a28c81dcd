"""Result files: figures as JSON, with what they were measured on, and rankings for trec_eval."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from eval.errors import EvalError
from eval.metrics import MEASURES
from eval.retrieval import Ranking

_UNSAFE = re.compile(r"[\s%]")


class ArmFigures(BaseModel):
    """Means of one arm.

    Attributes:
        label: What the arm is called in tables.
        means: Measure → mean over all judged queries.
        by_kind: Kind of question → measure → mean, and "queries", how many there are.
        p50_ms: Median time of a search for ten passages, in process.
        p95_ms: The same at the 95th percentile.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str
    means: dict[str, float]
    by_kind: dict[str, dict[str, float]]
    p50_ms: float
    p95_ms: float


class ResultFile(BaseModel):
    """What `eval/results/<collection>.json` says.

    Attributes:
        unsearchable: Documents that no search can find.
        queries: How many are judged.
        arms: Arm → its means.
        measures: What the numbers in `per_query` are, in order.
        per_query: Arm → query id → a value for each measure.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    collection: str
    unit: str
    date: str
    commit: str
    machine: str
    corpus_sha256: str
    encoder: str
    encoder_backend: str
    reader_version: str
    settings: dict[str, str | int | float | bool]
    documents: int
    passages: int
    unsearchable: list[str]
    queries: int
    arms: dict[str, ArmFigures]
    measures: list[str]
    per_query: dict[str, dict[str, list[float]]]


def write_result(result: ResultFile, path: Path) -> None:
    """Write a result file; scores of a query stand on one line, to be compared by eye and diff."""
    data = result.model_dump()
    arms = data.pop("per_query")
    head = json.dumps(_rounded(data), indent=1, ensure_ascii=False)
    blocks = []
    for arm, queries in arms.items():
        lines = [
            f"   {json.dumps(query_id)}: {json.dumps([round(one, 4) for one in scores])}"
            for query_id, scores in queries.items()
        ]
        blocks.append(f"  {json.dumps(arm)}: {{\n" + ",\n".join(lines) + "\n  }")
    body = ',\n "per_query": {\n' + ",\n".join(blocks) + "\n }\n}\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(head.removesuffix("\n}") + body, encoding="utf-8")


def read_result(path: Path) -> ResultFile:
    """Read a result file.

    Raises:
        EvalError: It is missing or not a result file.
    """
    try:
        return ResultFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise EvalError(
            f"{path}: {error.strerror}", advice="make it with 'footnote eval run'"
        ) from error
    except ValidationError as error:
        raise EvalError(f"{path} is not a result file: {error.errors()[0]['msg']}") from error


def write_run(ranked: Mapping[str, Ranking], path: Path, *, tag: str) -> None:
    """Write rankings in TREC's format: query, Q0, target, rank from 1, score, tag.

    White space and percent signs in ids are percent-encoded, for the format parts fields by
    white space.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for query_id, ranking in ranked.items():
            for place, (target, score) in enumerate(ranking, 1):
                fields = (escape_id(query_id), "Q0", escape_id(target), place, f"{score:.7f}", tag)
                file.write(" ".join(map(str, fields)) + "\n")


def escape_id(name: str) -> str:
    """Return an id with white space and percent signs percent-encoded."""
    return _UNSAFE.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), name)


def _rounded(value: object) -> object:
    """Round the floats of nested dicts to what they can tell."""
    if isinstance(value, dict):
        return {
            key: round(one, 4) if key in MEASURES else _rounded(one) for key, one in value.items()
        }
    return value
