"""Verifying a saved answer: what is true passes, and one changed character fails."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import write_shelf
from indexer.build import build_index
from indexer.encoders import Encoder
from indexer.open_index import OpenIndex, open_current
from service.answerer import Answerer
from service.citations import cite
from service.live_index import Snapshot
from service.rendering import render_answer, render_citation
from service.retriever import Retriever, SearchQuery
from service.schemas import SavedAnswer
from service.settings import ServiceSettings
from service.verify import verify_answer

QUESTION = "How many tugs does a tanker above 20,000 tonnes need?"


def ask(settings: ServiceSettings, encoder: Encoder, question: str) -> dict[str, Any]:
    """Answer a question as /v1/ask does and return the JSON's content."""
    index = open_current(settings.index_dir)
    retriever = Retriever(index, encoder, settings)
    answerer = Answerer(retriever, settings)
    snapshot = Snapshot(index, retriever, answerer)
    answer = answerer.answer(SearchQuery(question))
    rendered = render_answer(snapshot, answer, [], elapsed_ms=1.0, explain=False)
    return rendered.model_dump(mode="json")


@pytest.fixture(scope="module")
def answer(small_index: ServiceSettings, encoder: Encoder) -> dict[str, Any]:
    given = ask(small_index, encoder, QUESTION)
    assert given["status"] == "answered"
    assert "needs two tugs within the breakwater" in given["answer"]
    return given


@pytest.fixture(scope="module")
def index(small_index: ServiceSettings) -> OpenIndex:
    return open_current(small_index.index_dir)


def changed(answer: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> SavedAnswer:
    copy = SavedAnswer.model_validate(answer).model_dump(mode="json")
    change(copy)
    return SavedAnswer.model_validate(copy)


def other(character: str) -> str:
    return "x" if character != "x" else "y"


def with_other_character(text: str, at: int) -> str:
    return text[:at] + other(text[at]) + text[at + 1 :]


def test_answer_is_valid_as_it_was_given(answer: dict[str, Any], index: OpenIndex) -> None:
    verified = verify_answer(SavedAnswer.model_validate(answer), index)
    assert verified.valid
    assert verified.reasons == []
    assert [one.id for one in verified.citations] == [one["id"] for one in answer["citations"]]
    assert all(one.valid and one.current and not one.reason for one in verified.citations)
    assert all(one.valid for one in verified.sentences)


def test_declined_question_is_valid_and_a_word_put_into_it_is_not(
    small_index: ServiceSettings, encoder: Encoder, index: OpenIndex
) -> None:
    declined = ask(small_index, encoder, "Which wavelength does the quasar emit?")
    assert declined["status"] == "not_in_corpus"
    assert verify_answer(SavedAnswer.model_validate(declined), index).valid
    for text in ("These reports do say.", declined["answer"] + " But it is 3.", ""):
        assert not verify_answer(
            changed(declined, lambda one, t=text: one.update(answer=t)), index
        ).valid


def test_one_changed_character_of_any_quote_fails(answer: dict[str, Any], index: OpenIndex) -> None:
    for number, citation in enumerate(answer["citations"]):
        for at in range(len(citation["cited_text"])):
            text = with_other_character(citation["cited_text"], at)
            saved = changed(
                answer, lambda one, n=number, t=text: one["citations"][n].update(cited_text=t)
            )
            verified = verify_answer(saved, index)
            assert not verified.valid
            assert not verified.citations[number].valid
            assert f"cited_text differs at character {at}" in verified.citations[number].reason


def test_one_changed_character_of_any_sentence_fails(
    answer: dict[str, Any], index: OpenIndex
) -> None:
    """Even where the answer's text is changed with it, and the marker's number too."""
    for number, sentence in enumerate(answer["sentences"]):
        for at in range(len(sentence["text"])):
            text = with_other_character(sentence["text"], at)

            def change(one: dict[str, Any], *, n: int = number, new: str = text) -> None:
                part = one["sentences"][n]
                one["answer"] = one["answer"][: part["start"]] + new + one["answer"][part["end"] :]
                part["text"] = new

            verified = verify_answer(changed(answer, change), index)
            assert not verified.valid
            assert not verified.sentences[number].valid


def test_one_changed_character_of_the_answer_alone_fails(
    answer: dict[str, Any], index: OpenIndex
) -> None:
    for at in range(len(answer["answer"])):
        text = with_other_character(answer["answer"], at)
        saved = changed(answer, lambda one, t=text: one.update(answer=t))
        assert not verify_answer(saved, index).valid


def test_one_changed_character_of_any_permalink_fails(
    answer: dict[str, Any], index: OpenIndex
) -> None:
    for name in ("permalink", "document_sha256", "document_id", "document_title"):
        value = answer["citations"][0][name]
        for at in range(len(value)):
            # A digit for a digit: the link stays well formed and names something else.
            digit = str((int(value[at]) + 1) % 10) if value[at].isdigit() else other(value[at])
            text = value[:at] + digit + value[at + 1 :]
            saved = changed(answer, lambda one, n=name, t=text: one["citations"][0].update({n: t}))
            verified = verify_answer(saved, index)
            assert not verified.valid, text
            assert not verified.citations[0].valid


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda one: one["sentences"][0].update(start=1),
            "sentence 1: its place in the answer differs",
        ),
        (
            lambda one: one["sentences"][0].update(end=5),
            "sentence 1: its place in the answer differs",
        ),
        (lambda one: one["sentences"][0].update(citation_ids=[9]), "cites [9]"),
        (lambda one: one["sentences"][0].update(citation_ids=[]), "cites nothing"),
        (lambda one: one["citations"].clear(), "not a valid citation of this answer"),
        (lambda one: one["citations"].append(one["citations"][0]), "2 citations with the number 1"),
        (lambda one: one["citations"][0]["location"].update(start_char=0), "location.start_char"),
        (lambda one: one["citations"][0]["location"].update(end_char=1), "location.end_char"),
        (lambda one: one["citations"][0]["location"].update(page_start=7), "location.page_start"),
        (lambda one: one["citations"][0].update(notices=[]), "notices"),
        (
            lambda one: one["citations"][0].update(passage_id="bee-census@ded13c87e5a9:0-116"),
            "passage_id",
        ),
        (
            lambda one: one["citations"][0]["selectors"][0].update(exact="Every tanker"),
            "selectors.exact",
        ),
        (lambda one: one["citations"][0]["selectors"][0].update(prefix="not "), "selectors.prefix"),
        (lambda one: one["citations"][0]["selectors"][0].update(suffix="?"), "selectors.suffix"),
        (lambda one: one["citations"][0]["selectors"][1].update(start=0), "selectors.start"),
        (lambda one: one["citations"][0]["selectors"][1].update(type="Magic"), "unknown type"),
        (lambda one: one["sentences"].pop(), "the answer goes on after its last sentence"),
        (lambda one: one["sentences"].pop(), "is cited by no sentence"),
        (lambda one: one.update(answer=one["answer"] + " Trust me."), "goes on after"),
        (lambda one: one.update(status="not_in_corpus"), "yet the answer says something"),
    ],
)
def test_any_other_change_fails_and_is_named(
    answer: dict[str, Any],
    index: OpenIndex,
    change: Callable[[dict[str, Any]], object],
    reason: str,
) -> None:
    verified = verify_answer(changed(answer, change), index)
    assert not verified.valid
    assert reason in "; ".join(verified.reasons)


def quote_two(index: OpenIndex) -> dict[str, Any]:
    """Return an answer of two quoted sentences, put together by hand."""
    quotes = ("Seven of the twelve lighthouses were automated", "Three operators plan to order")
    text, sentences, citations = "", [], []
    for number, quote in enumerate(quotes, start=1):
        row = next(
            row
            for row in range(len(index.passages))
            if quote in index.passage_text(index.passages.get(row))
        )
        passage = index.passages.get(row)
        start = index.texts.get(passage.text_sha256).index(quote)
        citation = cite(index, number, passage, start, start + len(quote))
        citations.append(render_citation(citation).model_dump(mode="json"))
        begin = len(text) + bool(text)
        text = f"{text} {quote} [{number}]".lstrip()
        sentence = {"text": text[begin:], "start": begin, "end": len(text)}
        sentences.append({**sentence, "support": "supported", "citation_ids": [number]})
    return {"answer": text, "sentences": sentences, "citations": citations}


def test_words_put_between_two_sentences_fail(index: OpenIndex) -> None:
    answer = quote_two(index)
    assert verify_answer(SavedAnswer.model_validate(answer), index).valid

    def change(one: dict[str, Any]) -> None:
        first, second = one["sentences"]
        put = " Honestly."
        one["answer"] = one["answer"][: first["end"]] + put + one["answer"][first["end"] :]
        second["start"] += len(put)
        second["end"] += len(put)

    verified = verify_answer(changed(answer, change), index)
    assert all(one.valid for one in verified.sentences)
    assert "the answer is in no one sentence" in verified.reasons[0]


def test_two_sentences_that_change_places_fail(index: OpenIndex) -> None:
    answer = quote_two(index)
    answer["sentences"].reverse()
    verified = verify_answer(SavedAnswer.model_validate(answer), index)
    assert not verified.valid


def test_answer_from_an_older_edition_stays_valid_and_is_said_to_be_old(
    tmp_path: Path, small_index: ServiceSettings, encoder: Encoder, answer: dict[str, Any]
) -> None:
    shutil.copytree(small_index.index_dir, tmp_path / "index")
    shelf = write_shelf(tmp_path / "shelf")
    report = shelf / "harbour-safety.md"
    text = report.read_text(encoding="utf-8")
    report.write_text(text.replace("needs two tugs", "needs three tugs"), encoding="utf-8")
    settings = ServiceSettings(index_dir=tmp_path / "index", shelves=[shelf])
    build_index(settings, encoder)

    verified = verify_answer(SavedAnswer.model_validate(answer), open_current(settings.index_dir))
    assert verified.valid
    assert not verified.citations[0].current


def test_text_that_was_altered_on_disk_makes_no_citation_valid(
    tmp_path: Path, small_index: ServiceSettings, answer: dict[str, Any]
) -> None:
    shutil.copytree(small_index.index_dir, tmp_path / "index")
    digest = answer["citations"][0]["document_sha256"]
    file = tmp_path / "index" / "texts" / digest
    data = bytearray(file.read_bytes())
    data[-3] ^= 1
    file.write_bytes(data)
    verified = verify_answer(SavedAnswer.model_validate(answer), open_current(tmp_path / "index"))
    assert not verified.valid
    assert digest in verified.citations[0].reason
