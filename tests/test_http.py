"""The HTTP contract, over a real index with the real encoder."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Client, ConnectError, Response

from conftest import write_shelf
from indexer.build import build_index
from indexer.encoders import Encoded, Encoder
from service.answerer import Answerer
from service.app import create_app
from service.problems import RequestProblem
from service.runs import RunQueue
from service.settings import ServiceSettings

QUESTION = "How many tugs does a tanker above 20,000 tonnes need?"
TUGS = "Every tanker above 20,000 tonnes needs two tugs within the breakwater."


@pytest.fixture(scope="module")
def client(small_index: ServiceSettings, encoder: Encoder) -> Iterator[TestClient]:
    with TestClient(create_app(small_index, encoder=encoder)) as client:
        yield client


@pytest.fixture
def own(tmp_path: Path, small_index: ServiceSettings) -> ServiceSettings:
    """An index of one's own, and its shelf."""
    shutil.copytree(small_index.index_dir, tmp_path / "index")
    shelf = write_shelf(tmp_path / "shelf")
    return ServiceSettings(index_dir=tmp_path / "index", shelves=[shelf])


def problem(response: Response, status: int, code: str) -> dict[str, Any]:
    """Check that a response is a complete problem and return it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["code"] == code
    assert body["status"] == status
    assert body["type"] == f"urn:footnote:problem:{code}"
    assert all(body[name] for name in ("title", "detail", "advice"))
    return body


# Search


def test_search_answers_with_the_contracts_fields_and_exact_slices(client: TestClient) -> None:
    body = client.post("/v1/search", json={"query": QUESTION, "top_k": 3}).json()
    assert body["query"] == QUESTION
    assert body["index_generation"] == "000001"
    assert body["stale_documents"] == []
    assert body["timings_ms"]["total"] > 0
    assert body["facets"]["publisher"]["Port Authority"] >= 1
    assert len(body["results"]) == 3
    first = body["results"][0]
    assert first["document_id"] == "harbour-safety"
    assert TUGS in first["text"]
    assert first["metadata"]["source"] == "harbour-safety.md"
    assert first["notices"] == ["Preliminary, do not cite."]
    assert first["score"] == first["scores"]["fused"]
    assert {"dense", "lexical", "late_interaction"} < first["scores"].keys()
    assert first["location"]["section_path"] == ["Tugs and pilots"]
    assert first["location"]["pinpoint"] == "p. 5"
    words = {first["text"][start:end].lower() for start, end in first["highlights"]}
    assert {"tugs", "tanker", "tonnes"} <= words
    where = {
        "start": first["location"]["start_char"],
        "end": first["location"]["end_char"],
    }
    text = client.get(f"/v1/documents/{first['document_id']}/text", params=where).json()
    assert text["text"] == first["text"]
    assert body["explanation"] is None


def test_pages_and_labels_are_in_the_location(client: TestClient) -> None:
    body = client.post("/v1/search", json={"query": "hours a week that reading rooms open"}).json()
    where = body["results"][0]["location"]
    assert (where["page_start"], where["page_end"], where["page_label"]) == (2, 2, "2")


def test_every_field_of_a_search_is_heeded(client: TestClient) -> None:
    def ids(**fields: Any) -> list[str]:
        found = client.post("/v1/search", json={"query": "report", "top_k": 20, **fields})
        assert found.status_code == 200, found.text
        return [one["document_id"] for one in found.json()["results"]]

    assert set(ids(filters={"publisher": "Port Authority"})) == {"harbour-safety"}
    assert set(ids(filters={"year": {"$gte": 2023}})) == {"harbour-safety", "bee-census"}
    assert set(ids(as_of="2022")) == {"sleeper-study", "reading-rooms"}
    assert len(ids(top_k=2)) == 2
    assert len(ids(max_passages_per_document=1)) == 4
    assert ids(mode="phrase", query="lamp of the lighthouse") == ["harbour-safety"]
    assert ids(mode="lexical", query="quasar") == []
    assert ids(query="hives -winter", mode="lexical") == ["bee-census", "bee-census"]
    assert ids(passage_types=["list_item"], query="mites") == ["bee-census"]
    unranked = client.post("/v1/search", json={"query": "bees", "rerank": False}).json()
    assert unranked["results"][0]["scores"]["late_interaction"] is None


def test_explain_says_how_the_query_was_understood(client: TestClient) -> None:
    query = {"query": 'mites "in winter" -honey', "explain": True}
    told = client.post("/v1/search", json=query).json()["explanation"]
    assert told["phrases"] == ["in winter"]
    assert told["excluded"] == ["honey"]
    assert told["searched"] == {"documents": 1, "passages": 1}
    assert told["weights"]["late_interaction"] > 0
    phrase = {"query": "in winter", "mode": "phrase", "explain": True}
    assert client.post("/v1/search", json=phrase).json()["explanation"]["phrases"] == ["in winter"]


# Ask


def test_answer_quotes_reports_exactly_with_everything_needed_to_check_it(
    client: TestClient,
) -> None:
    body = client.post("/v1/ask", json={"question": QUESTION}).json()
    assert body["status"] == "answered"
    assert TUGS in body["answer"]
    assert body["support_rate"] == 1.0
    assert 0 <= body["confidence"] <= 1
    assert body["searched"] == {"documents": 4, "passages": 11}
    assert body["closest"] == []
    assert body["receipt"]["index_generation"] == body["index_generation"] == "000001"
    assert body["receipt"]["question"] == QUESTION
    for sentence in body["sentences"]:
        assert body["answer"][sentence["start"] : sentence["end"]] == sentence["text"]
    citation = body["citations"][0]
    assert citation["verified"] is True
    assert citation["notices"] == ["Preliminary, do not cite."]
    assert citation["csl"]["title"] == "Harbour Safety Review"
    assert {one["type"] for one in citation["selectors"]} == {
        "TextQuoteSelector",
        "TextPositionSelector",
    }
    opened = client.get(f"/v1/passages/{citation['permalink']}").json()
    assert opened["text"] == citation["cited_text"]
    assert client.post("/v1/verify", json=body).json()["valid"] is True


def test_same_question_gives_the_same_answer_id_and_bytes(client: TestClient) -> None:
    one, two = (client.post("/v1/ask", json={"question": QUESTION}).json() for _ in range(2))
    for body in (one, two):
        body.pop("timings_ms")
    assert one == two


def test_question_outside_the_corpus_is_declined_cites_nothing_and_shows_what_is_closest(
    client: TestClient,
) -> None:
    body = client.post("/v1/ask", json={"question": "Which wavelength does a quasar emit?"}).json()
    assert body["status"] == "not_in_corpus"
    assert body["sentences"] == body["citations"] == []
    assert body["closest"]
    assert body["searched"]["documents"] == 4


def read_events(text: str) -> list[tuple[str, Any]]:
    events = []
    for block in text.removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        events.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return events


def test_streamed_answer_is_the_same_in_events(client: TestClient) -> None:
    whole = client.post("/v1/ask", json={"question": QUESTION}).json()
    response = client.post("/v1/ask", json={"question": QUESTION, "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    events = read_events(response.text)
    names = [name for name, _ in events]
    assert names[:3] == ["search_results", "sentence", "citation"]
    assert names[-2:] == ["final_answer", "done"]
    assert [data for name, data in events if name == "sentence"] == whole["sentences"]
    assert [data for name, data in events if name == "citation"] == whole["citations"]
    assert events[0][1]["results"][0]["document_id"] == "harbour-safety"
    final = events[-2][1]
    assert {**final, "timings_ms": {}} == {**whole, "timings_ms": {}}


def test_stream_that_cannot_begin_is_an_ordinary_problem(client: TestClient) -> None:
    body = {"question": "tugs", "stream": True, "filters": {"year": {"$near": 1}}}
    problem(client.post("/v1/ask", json=body), 422, "bad_filter")


def test_failure_after_a_stream_has_begun_is_an_event(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the secret is /etc/passwd")

    monkeypatch.setattr(Answerer, "answer", fail)
    response = client.post("/v1/ask", json={"question": QUESTION, "stream": True})
    events = read_events(response.text)
    assert [name for name, _ in events] == ["search_results", "error", "done"]
    assert events[1][1]["code"] == "internal_error"
    assert "secret" not in response.text


# Documents and permalinks


def test_documents_are_listed_and_paged(client: TestClient) -> None:
    body = client.get("/v1/documents").json()
    assert body["total"] == 4
    assert [one["document_id"] for one in body["documents"]] == [
        "bee-census",
        "harbour-safety",
        "reading-rooms",
        "sleeper-study",
    ]
    assert body["documents"][3]["metadata"]["source"] == "night-trains/sleeper-study.md"
    assert sum(one["passage_count"] for one in body["documents"]) == 11
    page = client.get("/v1/documents", params={"offset": 1, "limit": 2}).json()
    assert [one["document_id"] for one in page["documents"]] == ["harbour-safety", "reading-rooms"]


def test_document_has_contents_whose_sections_slice_out(client: TestClient) -> None:
    body = client.get("/v1/documents/harbour-safety").json()
    text = client.get("/v1/documents/harbour-safety/text").json()["text"]
    (report,) = body["contents"]
    assert report["title"] == "Harbour Safety Review"
    assert (report["start"], report["end"]) == (0, len(text))
    assert [one["title"] for one in report["sections"]] == ["Tugs and pilots", "Lighthouses"]
    tugs, lights = report["sections"]
    assert text[tugs["start"] : tugs["end"]].startswith("Tugs and pilots\n\nEvery tanker")
    assert text[tugs["start"] : tugs["end"]].endswith("(p. 5)")
    assert lights["end"] == len(text)
    assert client.get(f"/v1/passages/{tugs['permalink']}").json()["text"] == "Tugs and pilots"
    assert body["notices"] == ["Preliminary, do not cite."]
    assert body["pages"] == []


def test_document_with_pages_has_them_tiling_its_text(client: TestClient) -> None:
    body = client.get("/v1/documents/reading-rooms").json()
    assert [(page["number"], page["label"]) for page in body["pages"]] == [(1, "1"), (2, "2")]
    assert body["pages"][0]["start"] == 0
    assert body["pages"][0]["end"] == body["pages"][1]["start"]
    assert body["pages"][1]["end"] == body["characters"]


def test_any_slice_can_be_named_and_opened(client: TestClient) -> None:
    text = client.get("/v1/documents/bee-census/text").json()
    start = text["text"].index("twelve kilograms")
    permalink = f"bee-census@{text['text_sha256'][:12]}:{start}-{start + 6}"
    body = client.get(f"/v1/passages/{permalink}").json()
    assert body["text"] == "twelve"
    assert body["current"] is True
    assert body["location"]["section_path"] == ["Advice"]
    assert body["text_sha256"] == text["text_sha256"]
    assert body["current_permalink"] == permalink


def test_permalink_of_an_older_edition_opens_and_points_to_the_same_words_now(
    own: ServiceSettings, encoder: Encoder, client: TestClient
) -> None:
    old = client.post("/v1/ask", json={"question": QUESTION}).json()["citations"][0]
    lamp = client.post("/v1/search", json={"query": "lamp of the lighthouse"}).json()["results"][0]
    report = own.shelves[0] / "harbour-safety.md"
    changed = report.read_text(encoding="utf-8").replace("two tugs", "three tugs")
    report.write_text(changed, encoding="utf-8")
    build_index(own, encoder)
    with TestClient(create_app(own, encoder=encoder)) as fresh:
        body = fresh.get(f"/v1/passages/{old['permalink']}").json()
        assert body["text"] == old["cited_text"]
        assert body["current"] is False
        assert body["location"] is None
        assert body["current_permalink"] is None
        kept = fresh.get(f"/v1/passages/{lamp['permalink']}").json()
        assert kept["current"] is False
        now = fresh.get(f"/v1/passages/{kept['current_permalink']}").json()
        assert now["current"] is True
        assert now["text"] == lamp["text"]


@pytest.mark.parametrize("permalink", ["what", "a/b", "bee-census@xyz:1-2", "bee-census@0123:9-3"])
def test_malformed_permalink_is_a_400(client: TestClient, permalink: str) -> None:
    problem(client.get(f"/v1/passages/{permalink}"), 400, "bad_permalink")


def test_permalink_that_was_never_made_is_a_404(client: TestClient) -> None:
    text = client.get("/v1/documents/bee-census/text").json()
    sha12, length = text["text_sha256"][:12], text["characters"]
    for permalink in (
        "bee-census@000000000000:0-10",
        f"bee-census@{sha12}:0-{length + 1}",
        f"harbour-safety@{sha12}:0-10",
        f"made-up@{sha12}:0-10",
    ):
        problem(client.get(f"/v1/passages/{permalink}"), 404, "permalink_not_found")


@pytest.mark.parametrize("where", [{"start": 9, "end": 3}, {"end": 10**9}, {"start": 10**9}])
def test_range_outside_the_text_is_refused_with_the_texts_length(
    client: TestClient, where: dict[str, int]
) -> None:
    refused = problem(
        client.get("/v1/documents/bee-census/text", params=where), 422, "out_of_range"
    )
    assert "417" in refused["advice"]


# Bad input


@pytest.mark.parametrize("path", ["/v1/search", "/v1/ask"])
@pytest.mark.parametrize(
    ("fields", "code", "named"),
    [
        ({"topk": 3}, "unknown_field", "top_k"),
        ({"top_k": 0}, "invalid_request", "top_k"),
        ({"top_k": 100_000}, "invalid_request", "top_k"),
        ({"top_k": "5"}, "invalid_request", "top_k"),
        ({"top_k": True}, "invalid_request", "top_k"),
        ({"mode": "magic"}, "invalid_request", "mode"),
        ({"as_of": "last May"}, "invalid_request", "as_of"),
        ({"as_of": "2024-13"}, "invalid_request", "as_of"),
        ({"passage_types": ["picture"]}, "invalid_request", "passage_types"),
        ({"passage_types": []}, "invalid_request", "passage_types"),
        ({"filters": [1]}, "invalid_request", "filters"),
        ({"filters": {"year": {"$near": 3}}}, "bad_filter", "$near"),
        ({"filters": {"year": {"$in": 3}}}, "bad_filter", "$in"),
        ({"filters": {"$or": {}}}, "bad_filter", "$or"),
    ],
)
def test_bad_field_is_refused_and_named(
    client: TestClient, path: str, fields: dict[str, Any], code: str, named: str
) -> None:
    text = "query" if path == "/v1/search" else "question"
    refused = problem(client.post(path, json={text: "tugs", **fields}), 422, code)
    assert named in refused["detail"] + refused["advice"]


@pytest.mark.parametrize("text", ["", "   ", "?!", "…"])
def test_question_without_a_word_is_refused(client: TestClient, text: str) -> None:
    problem(client.post("/v1/search", json={"query": text}), 422, "bad_query")
    problem(client.post("/v1/ask", json={"question": text}), 422, "bad_query")


def test_question_is_limited_by_the_settings(client: TestClient) -> None:
    longest = client.post("/v1/search", json={"query": "x" * 2000})
    assert longest.status_code == 200
    refused = problem(
        client.post("/v1/ask", json={"question": "x" * 2001}), 422, "question_too_long"
    )
    assert "2000" in refused["detail"]


@pytest.mark.parametrize(
    "body",
    [b'{"query":', b"", b"{'query': 'x'}", b'{"query": "\xff"}', b"[" * 100_000, b"\x00"],
)
def test_body_that_is_no_json_is_a_4xx(client: TestClient, body: bytes) -> None:
    response = client.post("/v1/search", content=body, headers={"Content-Type": "application/json"})
    code = "malformed_json" if body else "invalid_request"
    problem(response, 400 if body else 422, code)


@pytest.mark.parametrize("body", [b"[1]", b'"x"', b"1", b"null"])
def test_json_that_is_no_object_is_a_422(client: TestClient, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    problem(client.post("/v1/search", content=body, headers=headers), 422, "invalid_request")


@pytest.mark.parametrize(
    "body",
    [
        rb'{"query": "\ud800 tugs"}',
        rb'{"query": "tugs", "\ud800": 1}',
        rb'{"query": "tugs", "filters": {"\udfff": "x"}}',
        b'{"query": "tugs", "filters": {"year": NaN}}',
        b'{"query": "tugs", "filters": {"year": -Infinity}}',
    ],
)
def test_what_json_has_not_is_refused(client: TestClient, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    problem(client.post("/v1/search", content=body, headers=headers), 422, "invalid_request")


def test_body_not_declared_as_json_is_a_415_that_names_the_header(client: TestClient) -> None:
    response = client.post(
        "/v1/search",
        content=b'{"query": "tugs"}',
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    refused = problem(response, 415, "unsupported_media_type")
    assert "Content-Type: application/json" in refused["advice"]


def test_field_that_is_sent_back_is_short(client: TestClient) -> None:
    response = client.post("/v1/search", json={"query": "tugs", "x" * 1_000_000: 1})
    problem(response, 422, "unknown_field")
    assert len(response.content) < 2000
    response = client.get("/v1/documents", params={"y" * 10_000: 1})
    problem(response, 422, "unknown_field")
    assert len(response.content) < 2000


def test_query_parameter_that_would_be_ignored_is_refused(client: TestClient) -> None:
    response = client.post("/v1/search?top_k=3", json={"query": "tugs"})
    problem(response, 422, "unknown_field")
    refused = problem(client.get("/v1/documents?limt=3"), 422, "unknown_field")
    assert "limit" in refused["advice"]


def test_unknown_route_document_and_run_are_404_and_a_wrong_method_405(
    client: TestClient,
) -> None:
    problem(client.get("/v1/nothing"), 404, "not_found")
    problem(client.get("/v1/documents/none"), 404, "document_not_found")
    problem(client.get("/v1/index/runs/none"), 404, "run_not_found")
    response = client.get("/v1/search")
    problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "POST"


def test_large_body_is_refused_by_its_declared_size_and_while_it_is_read(
    client: TestClient, small_index: ServiceSettings
) -> None:
    body = json.dumps({"query": "x" * small_index.max_body_bytes}).encode()

    def unread() -> Iterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    response = client.post("/v1/search", content=unread(), headers=headers)
    problem(response, 413, "body_too_large")

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    headers = {"Content-Type": "application/json"}
    response = client.post("/v1/search", content=chunks(), headers=headers)
    problem(response, 413, "body_too_large")


# The service around it


class FailingEncoder:
    """The real encoder, but for what `before` does first."""

    def __init__(self, encoder: Encoder, before: Callable[[Sequence[str]], None]) -> None:
        self._encoder = encoder
        self._before = before
        self.fingerprint = encoder.fingerprint
        self.backend = encoder.backend
        self.dims = encoder.dims
        self.max_tokens = encoder.max_tokens

    def count_tokens(self, text: str) -> int:
        return self._encoder.count_tokens(text)

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        return self._encoder.token_offsets(text)

    def encode(self, texts: Sequence[str]) -> Encoded:
        self._before(texts)
        return self._encoder.encode(texts)


def test_health_answers_while_searches_block(
    small_index: ServiceSettings, encoder: Encoder
) -> None:
    started, release = threading.Semaphore(0), threading.Event()

    def block(texts: Sequence[str]) -> None:
        if texts[0] == "slow":
            started.release()
            assert release.wait(30)

    app = create_app(small_index, encoder=FailingEncoder(encoder, block))
    answers: list[Response] = []
    with TestClient(app) as client:
        threads = [
            threading.Thread(
                target=lambda: answers.append(client.post("/v1/search", json={"query": "slow"}))
            )
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert started.acquire(timeout=30)
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 200
        assert answers == []
        release.set()
        for thread in threads:
            thread.join()
    assert [answer.status_code for answer in answers] == [200, 200]


def test_unforeseen_error_is_logged_and_says_nothing_of_the_inside(
    small_index: ServiceSettings, encoder: Encoder, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(texts: Sequence[str]) -> None:
        if texts[0] == "explode":
            raise RuntimeError("the secret is /etc/passwd")

    with TestClient(create_app(small_index, encoder=FailingEncoder(encoder, fail))) as client:
        response = client.post("/v1/search", json={"query": "explode"})
        problem(response, 500, "internal_error")
        assert "secret" not in response.text
        assert "the secret is" in caplog.text
        assert client.post("/v1/search", json={"query": "tugs"}).status_code == 200
        assert 'status="500"} 1.0' in client.get("/metrics").text


def test_without_an_index_the_process_lives_and_says_which_command_makes_one(
    tmp_path: Path, encoder: Encoder
) -> None:
    settings = ServiceSettings(index_dir=tmp_path / "none")
    with TestClient(create_app(settings, encoder=encoder)) as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        for response in (
            client.get("/readyz"),
            client.get("/v1/documents"),
            client.get("/v1/index"),
            client.post("/v1/search", json={"query": "tugs"}),
            client.post("/v1/ask", json={"question": "tugs"}),
        ):
            assert "footnote index" in problem(response, 503, "index_not_ready")["advice"]
        assert "footnote_index_ready 0.0" in client.get("/metrics").text


def test_damaged_generation_leaves_the_previous_one_ready_and_is_named(
    own: ServiceSettings, encoder: Encoder
) -> None:
    (own.shelves[0] / "new.md").write_text("# Ice roads\n\nThe ice is thick.", encoding="utf-8")
    build_index(own, encoder)
    file = own.index_dir / "generations" / "000002" / "token_vectors.npy"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with TestClient(create_app(own, encoder=encoder)) as client:
        ready = client.get("/readyz")
        assert ready.status_code == 200
        assert ready.json()["index_generation"] == "000001"
        assert str(file) in ready.json()["problems"][0]
        assert str(file) in client.get("/v1/index").json()["problems"][0]
        assert client.post("/v1/search", json={"query": "tugs"}).status_code == 200
        assert "footnote_index_problems 1.0" in client.get("/metrics").text


def test_stale_sources_are_told_with_every_answer(own: ServiceSettings, encoder: Encoder) -> None:
    build_index(own, encoder)
    report = own.shelves[0] / "bee-census.md"
    report.write_text(report.read_text(encoding="utf-8") + "\nMore.\n", encoding="utf-8")
    (own.shelves[0] / "reading-rooms.txt").unlink()
    (own.shelves[0] / "new.md").write_text("# New\n\nIce.", encoding="utf-8")
    stale = ["bee-census", "reading-rooms"]
    with TestClient(create_app(own, encoder=encoder)) as client:
        assert client.post("/v1/search", json={"query": "tugs"}).json()["stale_documents"] == stale
        assert client.post("/v1/ask", json={"question": "tugs"}).json()["stale_documents"] == stale
        listed = client.get("/v1/documents").json()
        assert listed["stale_documents"] == stale
        assert [one["document_id"] for one in listed["documents"] if one["stale"]] == stale
        index = client.get("/v1/index").json()
        assert index["changed"] == ["bee-census"]
        assert index["missing"] == ["reading-rooms"]
        assert index["new"] == ["new.md"]


def test_index_is_described_without_where_the_service_runs(
    client: TestClient, small_index: ServiceSettings
) -> None:
    body = client.get("/v1/index").json()
    assert body["index_generation"] == "000001"
    assert (body["documents"], body["passages"]) == (4, 11)
    assert body["settings"]["passage_tokens"] == small_index.passage_tokens
    assert body["settings"]["max_question_chars"] == 2000
    assert not {"host", "port", "index_dir"} & body["settings"].keys()


def test_metrics_count_requests_by_route_and_status(
    small_index: ServiceSettings, encoder: Encoder
) -> None:
    with TestClient(create_app(small_index, encoder=encoder)) as client:
        client.post("/v1/search", json={"query": "tugs"})
        client.get("/v1/documents/bee-census")
        client.get("/v1/documents/none")
        client.get("/v1/one")
        client.get("/v1/two")
        text = client.get("/metrics").text
    counted = 'footnote_http_requests_total{method="%s",route="%s",status="%s"} %s'
    assert counted % ("POST", "/v1/search", 200, 1.0) in text
    assert counted % ("GET", "/v1/documents/{document_id}", 200, 1.0) in text
    assert counted % ("GET", "/v1/documents/{document_id}", 404, 1.0) in text
    assert counted % ("GET", "(none)", 404, 2.0) in text
    assert 'footnote_http_request_duration_seconds_count{method="POST",route="/v1/search"}' in text
    assert 'generation="000001"' in text


def test_openapi_describes_every_route_of_the_contract(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert described["info"]["title"] == "Footnote"
    assert set(described["paths"]) == {
        "/v1/search",
        "/v1/ask",
        "/v1/documents",
        "/v1/documents/{document_id}",
        "/v1/documents/{document_id}/text",
        "/v1/passages/{permalink}",
        "/v1/index",
        "/v1/index/runs",
        "/v1/index/runs/{run_id}",
        "/v1/verify",
        "/healthz",
        "/readyz",
        "/metrics",
    }
    names = set()
    for path in described["paths"].values():
        for operation in path.values():
            names.add(operation["operationId"])
            assert operation["description"]
            problems = operation["responses"]["4XX"]["content"]
            assert "code" in problems["application/problem+json"]["schema"]["properties"]
            assert "HTTPValidationError" not in json.dumps(operation)
    assert {"search", "ask", "verify", "get_passage", "start_run"} < names


# Index runs


def wait_for_run(client: TestClient | Client, address: str, *, timeout_s: float = 90) -> Any:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        run = client.get(address).json()
        if run["state"] in ("succeeded", "failed"):
            return run
        time.sleep(0.1)
    raise AssertionError("the run did not end in time")


def test_run_indexes_what_is_new_names_what_is_bad_and_is_served(
    own: ServiceSettings, encoder: Encoder
) -> None:
    build_index(own, encoder)
    (own.shelves[0] / "new.md").write_text(
        "# Ice roads\n\nThe ice road opens in January.", encoding="utf-8"
    )
    (own.shelves[0] / "empty.md").write_text("", encoding="utf-8")
    with TestClient(create_app(own, encoder=encoder)) as client:
        response = client.post("/v1/index/runs")
        assert response.status_code == 202
        assert response.json()["state"] in ("queued", "running")
        run = wait_for_run(client, response.headers["location"])
        assert run["state"] == "succeeded"
        assert run["error"] is None
        assert run["progress"]["stage"] == "writing"
        assert (run["documents"], run["encoded"], run["failed_files"]) == (5, 1, 1)
        outcomes = {one["source"]: one for one in run["outcomes"]}
        assert outcomes["new.md"]["status"] == "added"
        assert outcomes["bee-census.md"]["status"] == "unchanged"
        assert outcomes["empty.md"]["status"] == "failed"
        assert "empty" in outcomes["empty.md"]["reason"]

        end = time.monotonic() + 20
        while client.get("/readyz").json()["index_generation"] != run["generation"]:
            assert time.monotonic() < end
            time.sleep(0.05)
        found = client.post("/v1/search", json={"query": "ice road"}).json()
        assert found["results"][0]["document_id"] == "new"
        assert found["index_generation"] == run["generation"]
        assert client.get("/v1/index").json()["new"] == ["empty.md"]
        assert [one["run_id"] for one in client.get("/v1/index/runs").json()["runs"]] == [
            run["run_id"]
        ]

        strict = client.post("/v1/index/runs", json={"strict": True, "full": False})
        failed = wait_for_run(client, strict.headers["location"])
        assert failed["state"] == "failed"
        assert failed["error"]["code"] == "nothing_indexed"
        assert "empty.md" in failed["error"]["detail"]
        assert client.get("/readyz").json()["index_generation"] == run["generation"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/etc", "path_not_on_shelf"),
        ("/", "path_not_on_shelf"),
        ("../../../../../../etc/passwd", "path_not_on_shelf"),
        ("..", "path_not_on_shelf"),
        ("link", "path_not_on_shelf"),
        ("a\x00b", "path_not_on_shelf"),
        ("http://169.254.169.254/latest", "source_not_found"),
        ("absent.md", "source_not_found"),
    ],
)
def test_run_takes_no_path_outside_the_shelves(
    own: ServiceSettings, encoder: Encoder, path: str, code: str
) -> None:
    build_index(own, encoder)
    (own.shelves[0] / "link").symlink_to("/etc")
    with TestClient(create_app(own, encoder=encoder)) as client:
        problem(client.post("/v1/index/runs", json={"paths": [path]}), 422, code)
        assert client.get("/v1/index/runs").json() == {"runs": []}


def test_waiting_runs_are_limited_and_closing_ends_the_one_under_way(own: ServiceSettings) -> None:
    finished = threading.Event()
    queue = RunQueue(own, finished=finished.set)
    first = queue.submit(own.shelves, full=True, strict=False)
    end = time.monotonic() + 60
    while not queue.get(first.run_id).stage:
        assert time.monotonic() < end
        time.sleep(0.05)
    for _ in range(8):
        queue.submit(own.shelves, full=False, strict=False)
    with pytest.raises(RequestProblem, match="8 index runs are waiting already"):
        queue.submit(own.shelves, full=False, strict=False)
    began = time.monotonic()
    queue.close()
    assert time.monotonic() - began < 10
    assert finished.is_set()
    ended = queue.get(first.run_id)
    assert ended.state == "failed"
    assert ended.error is not None
    assert "SIGTERM" in ended.error["detail"]
    assert {run.state for run in queue.recent()} == {"failed", "queued"}


# A real process


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def serve(settings: ServiceSettings) -> Iterator[Client]:
    """Run uvicorn in a process of its own and yield a client of it."""
    port = free_port()
    shelves = json.dumps([str(shelf) for shelf in settings.shelves])
    process = subprocess.Popen(
        ["uvicorn", "--factory", "service.app:create_app", "--port", str(port)],
        executable=Path(sys.executable).with_name("uvicorn"),
        env={
            **os.environ,
            "FOOTNOTE_INDEX_DIR": str(settings.index_dir),
            "FOOTNOTE_SHELVES": shelves,
        },
    )
    try:
        with Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            end = time.monotonic() + 60
            while True:
                try:
                    client.get("/healthz")
                    break
                except ConnectError:
                    assert process.poll() is None, "the service ended"
                    assert time.monotonic() < end, "the service did not start"
                    time.sleep(0.05)
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (0, -signal.SIGTERM)


def test_reindexing_a_running_service_fails_no_request(
    own: ServiceSettings, encoder: Encoder
) -> None:
    build_index(own, encoder)
    report = own.shelves[0] / "harbour-safety.md"
    with serve(own) as client:
        before = client.get("/readyz").json()["index_generation"]
        stop = threading.Event()
        statuses: list[int] = []
        generations: set[str] = set()

        def query() -> None:
            with Client(base_url=client.base_url, timeout=60) as mine:
                while not stop.is_set():
                    response = mine.post("/v1/ask", json={"question": QUESTION})
                    statuses.append(response.status_code)
                    body = response.json()
                    generations.add(body["index_generation"])
                    # The answer and its receipt are of one generation, never of two.
                    assert body["receipt"]["index_generation"] == body["index_generation"]
                    three = body["index_generation"] != before
                    assert ("three tugs" in body["answer"]) == three

        failures: list[BaseException] = []

        def guarded() -> None:
            try:
                query()
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=guarded) for _ in range(2)]
        for thread in threads:
            thread.start()
        text = report.read_text(encoding="utf-8").replace("two tugs", "three tugs")
        report.write_text(text, encoding="utf-8")
        run = wait_for_run(client, client.post("/v1/index/runs").headers["location"])
        assert run["state"] == "succeeded"
        end = time.monotonic() + 30
        while run["generation"] not in generations and not failures:
            assert time.monotonic() < end, "the new generation does not answer"
            time.sleep(0.05)
        stop.set()
        for thread in threads:
            thread.join()
        assert not failures
        assert set(statuses) == {200}
        assert generations == {before, run["generation"]}
