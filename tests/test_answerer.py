"""Answers over a small real index: exact quotes with numbers, or an honest refusal."""

import pytest

from corpus.builder import DocumentBuilder
from corpus.model import BlockKind, Page
from indexer.documents import DocumentRecord, FileStamp
from indexer.encoders import Encoder
from indexer.open_index import open_current
from service.answerer import NOT_IN_CORPUS, Answer, Answerer
from service.citations import Location, csl_item
from service.confidence import find_names
from service.errors import BadQuery
from service.retriever import Retriever, SearchQuery
from service.sentences import split_sentences
from service.settings import ServiceSettings

QUESTIONS = [
    "How many hives did the census count?",
    "How many tugs does a tanker need?",
    "What keeps passengers away from night trains?",
    "What are the losses in the North?",
    "When were lighthouses automated?",
]


@pytest.fixture(scope="module")
def answerer(small_index: ServiceSettings, encoder: Encoder) -> Answerer:
    index = open_current(small_index.index_dir)
    return Answerer(Retriever(index, encoder, small_index), small_index)


@pytest.fixture(scope="module")
def answers(answerer: Answerer) -> list[Answer]:
    return [answerer.answer(SearchQuery(question)) for question in QUESTIONS]


@pytest.mark.parametrize(
    ("number", "quote"),
    [(0, "41,300"), (1, "two tugs"), (2, "price of a berth"), (3, "21 %"), (4, "1994 and 2003")],
)
def test_the_sentence_that_answers_is_quoted(
    answers: list[Answer], number: int, quote: str
) -> None:
    assert answers[number].status == "answered"
    assert quote in answers[number].text


def test_every_citation_slices_out_of_the_text_it_names(
    answerer: Answerer, answers: list[Answer]
) -> None:
    cited = [citation for answer in answers for citation in answer.citations]
    assert len(cited) >= len(QUESTIONS)
    for citation in cited:
        text = answerer.retriever.index.texts.get(citation.document_sha256)
        place = citation.location
        assert text[place.start_char : place.end_char] == citation.cited_text
        quote, position = citation.selectors
        assert quote["exact"] == citation.cited_text
        assert (position["start"], position["end"]) == (place.start_char, place.end_char)
        assert f"{quote['prefix']}{quote['exact']}{quote['suffix']}" in text
        assert citation.verified


def test_markers_number_the_citations_in_order_and_stand_after_their_sentence(
    answers: list[Answer],
) -> None:
    for answer in answers:
        assert [citation.id for citation in answer.citations] == [
            *range(1, len(answer.citations) + 1)
        ]
        for sentence, citation in zip(answer.sentences, answer.citations, strict=True):
            assert sentence.citation_ids == (citation.id,)
            assert sentence.text == f"{citation.cited_text} [{citation.id}]"
            assert answer.text[sentence.start : sentence.end] == sentence.text
        assert answer.support_rate == 1.0


def test_notices_pinpoints_and_pages_travel_with_the_citation(
    answerer: Answerer,
) -> None:
    harbour = answerer.answer(SearchQuery("How many tugs does a tanker need?")).citations[0]
    assert harbour.notices == ("Preliminary, do not cite.",)
    reading = answerer.answer(SearchQuery("How long are reading rooms open a week?")).citations[0]
    assert (reading.location.page_start, reading.location.page_label) == (2, "2")
    assert reading.csl["issued"] == {"date-parts": [[2021, 3, 15]]}
    assert reading.csl["locator"] == "2"


@pytest.mark.parametrize("question", ["Write a poem about the sea", "Who won the 1998 World Cup?"])
def test_a_question_outside_the_reports_is_declined_and_cites_nothing(
    answerer: Answerer, question: str
) -> None:
    answer = answerer.answer(SearchQuery(question))
    assert answer.status == "not_in_corpus"
    assert answer.text == NOT_IN_CORPUS
    assert answer.citations == answer.sentences == ()
    assert len(answer.closest) == 3
    assert answer.search.searched_passages > 10


@pytest.mark.parametrize(
    "question",
    ["How many hives did Norway count?", "How many hives did the census count in 1987?"],
)
def test_a_question_about_a_name_that_no_passage_has_is_declined(
    answerer: Answerer, question: str
) -> None:
    assert answerer.answer(SearchQuery(question)).status == "not_in_corpus"


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("How does the EU define GPAI in 2025?", ["EU", "GPAI", "2025"]),
        ("Brazil: what now?", []),
        ("what about GPT-5?", ["GPT-5"]),
        ("WHAT IS RISK TOLERANCE", []),
    ],
)
def test_names_are_capitalised_words_but_the_first_and_words_with_digits(
    question: str, names: list[str]
) -> None:
    assert find_names(question) == names


def test_a_digest_is_not_credited_to_the_author_of_its_original() -> None:
    page = Page(1, "1", 0, 10)
    record = DocumentRecord(
        "d",
        "A Framework (digest)",
        "0" * 64,
        10,
        (page,),
        {"digest_of": "A Framework", "publisher": "NIST", "date": "2023-01"},
        (),
        (),
        FileStamp("", 0, 0, ""),
        {},
        0,
        0,
    )
    item = csl_item(record, Location(None, None, "", "pp. 12–13", (), 0, 5))
    assert item["author"] == [{"literal": "Footnote"}]
    assert item["original-title"] == "A Framework"
    assert (item["locator"], item["label"]) == ("12–13", "page")


def test_the_same_question_gets_the_same_answer(answerer: Answerer, answers: list[Answer]) -> None:
    again = answerer.answer(SearchQuery(QUESTIONS[0]))
    assert again.text == answers[0].text
    assert again.answer_id == answers[0].answer_id
    assert again.receipt == answers[0].receipt


def test_an_empty_question_is_refused(answerer: Answerer) -> None:
    with pytest.raises(BadQuery):
        answerer.answer(SearchQuery(" ? "))


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One is here. Two is there.", ["One is here.", "Two is there."]),
        ("See e.g. Smith et al. 2024 for more. Then stop.", 2),
        ("It rose to 3.5 per cent. Why? Nobody knows!", 3),
        ("Costs fell (see Art. 5). The U.S. government agreed.", 2),
        ("Firms agreed.’ Others did not.", 2),
        ("It was shown (1, 2). It was not (33).", 2),
        ("The page says so. (p. 34)", ["The page says so. (p. 34)"]),
        ("One is so. (p. 4) Two is not, see p. 5. (pp. 6–7)", 2),
        ("no full stop at all", ["no full stop at all"]),
    ],
)
def test_sentences_end_where_a_reader_would_say(text: str, sentences: list[str] | int) -> None:
    builder = DocumentBuilder()
    builder.add(BlockKind.PARAGRAPH, text)
    found = split_sentences(text, builder.blocks, 0, len(text))
    slices = [text[one.start : one.end] for one in found]
    assert slices == sentences if isinstance(sentences, list) else len(slices) == sentences
    assert "".join(slices).replace(" ", "") == text.replace(" ", "")


def test_a_table_row_is_quoted_whole_and_a_heading_never() -> None:
    builder = DocumentBuilder()
    builder.add(BlockKind.HEADING, "A heading. With a stop.", level=2)
    builder.add(BlockKind.TABLE, "Claim: It works. Mostly. | Level: Low")
    text = builder.text
    found = split_sentences(text, builder.blocks, 0, len(text))
    assert [text[one.start : one.end] for one in found] == ["Claim: It works. Mostly. | Level: Low"]
