"""The real reports, indexed whole and asked every question of evalset over HTTP; CI runs it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from indexer.build import build_index
from indexer.encoders import Encoder
from service.app import create_app
from service.settings import ServiceSettings

pytestmark = [pytest.mark.shared, pytest.mark.slow]


@pytest.fixture(scope="module")
def questions(shared: Path) -> list[dict[str, Any]]:
    files = sorted((shared / "evalset").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.fixture(scope="module")
def client(
    tmp_path_factory: pytest.TempPathFactory, shared: Path, encoder: Encoder
) -> Iterator[TestClient]:
    settings = ServiceSettings(
        index_dir=tmp_path_factory.mktemp("real") / "index", shelves=[shared / "reports"]
    )
    report = build_index(settings, encoder)
    assert (report.documents, report.failed) == (19, ())
    with TestClient(create_app(settings, encoder=encoder)) as client:
        yield client


@pytest.fixture(scope="module")
def answers(client: TestClient, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for row in questions:
        response = client.post("/v1/ask", json={"question": row["question"]})
        assert response.status_code == 200, response.text
        found.append(response.json())
    return found


def test_every_citation_slices_out_of_the_served_text(
    client: TestClient, answers: list[dict[str, Any]]
) -> None:
    cited = [citation for answer in answers for citation in answer["citations"]]
    assert len(answers) == 128
    assert len(cited) > 200
    for citation in cited:
        place = citation["location"]
        served = client.get(
            f"/v1/documents/{citation['document_id']}/text",
            params={"start": place["start_char"], "end": place["end_char"]},
        ).json()
        assert served["text"] == citation["cited_text"]
        assert served["text_sha256"] == citation["document_sha256"]
        opened = client.get(f"/v1/passages/{citation['permalink']}").json()
        assert opened["text"] == citation["cited_text"]


def test_every_answer_verifies(client: TestClient, answers: list[dict[str, Any]]) -> None:
    for answer in answers:
        verdict = client.post("/v1/verify", json=answer).json()
        assert verdict["valid"], verdict["reasons"]


def test_most_questions_that_the_reports_answer_cite_a_page_that_answers_them(
    answers: list[dict[str, Any]], questions: list[dict[str, Any]]
) -> None:
    """A floor, not a target: 0.75 when written."""
    hits = []
    for row, answer in zip(questions, answers, strict=True):
        gold = {(gold["file"], gold["page"]) for gold in row.get("gold", [])}
        cited = {
            (Path(citation["metadata"]["source"]).name, page)
            for citation in answer["citations"]
            for page in range(
                citation["location"]["page_start"], citation["location"]["page_end"] + 1
            )
        }
        if gold:
            hits.append(bool(gold & cited))
    assert sum(hits) / len(hits) >= 0.65
