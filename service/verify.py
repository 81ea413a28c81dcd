"""Checking a saved answer against the texts it quotes; one changed character fails.

What is checked is what the answer claims: each citation's permalink names a slice that is kept,
and quote, offsets, selectors, title, pages, pinpoint, section, notices and source are that
slice's; each sentence is the quotes of its citations followed by their markers, character for
character; and the answer is its sentences and nothing else.
"""

from collections import Counter
from collections.abc import Iterator

from corpus.errors import BadPermalink
from corpus.permalinks import Permalink, parse_permalink
from indexer.errors import IndexDamaged
from indexer.open_index import OpenIndex
from service.answerer import NOT_IN_CORPUS
from service.citations import csl_item
from service.editions import OpenedSlice, find_row, locate_slice, open_slice
from service.schemas import (
    Citation,
    SavedAnswer,
    Sentence,
    VerifiedCitation,
    VerifiedSentence,
    VerifyResponse,
)


class _Wrong(Exception):
    """What is wrong with a part of an answer."""


def verify_answer(saved: SavedAnswer, index: OpenIndex) -> VerifyResponse:
    """Check every part of a saved answer; nothing is taken on trust but the index."""
    citations = [_verify_citation(citation, index) for citation in saved.citations]
    quotes = {
        citation.id: citation.cited_text
        for citation, verified in zip(saved.citations, citations, strict=True)
        if verified.valid
    }
    sentences = [_verify_sentence(one, saved.answer, quotes) for one in saved.sentences]
    reasons = [f"citation {one.id}: {one.reason}" for one in citations if not one.valid]
    reasons += [
        f"sentence {number}: {one.reason}"
        for number, one in enumerate(sentences, start=1)
        if not one.valid
    ]
    reasons += _verify_whole(saved)
    return VerifyResponse(
        valid=not reasons,
        reasons=reasons,
        citations=citations,
        sentences=sentences,
        index_generation=index.name,
    )


def _verify_citation(citation: Citation, index: OpenIndex) -> VerifiedCitation:
    current, reason = False, ""
    try:
        opened = _open(citation, index)
        current = opened.current
        _check_quote(citation, opened)
        _check_selectors(citation, opened, index.texts.get(opened.text_sha256))
        _check_source(citation, opened, index)
    except (_Wrong, BadPermalink, IndexDamaged) as error:
        reason = str(error)
    return VerifiedCitation(
        id=citation.id,
        permalink=citation.permalink,
        valid=not reason,
        reason=reason,
        current=current,
    )


def _open(citation: Citation, index: OpenIndex) -> OpenedSlice:
    opened = open_slice(index, parse_permalink(citation.permalink))
    if opened is None:
        raise _Wrong("its permalink names nothing that is kept in this index")
    return opened


def _check_quote(citation: Citation, opened: OpenedSlice) -> None:
    permalink = opened.permalink
    _compare("document_id", citation.document_id, permalink.document_id)
    _compare("document_sha256", citation.document_sha256, opened.text_sha256)
    _compare("cited_text", citation.cited_text, opened.text)
    _compare("location.start_char", citation.location.start_char, permalink.start)
    _compare("location.end_char", citation.location.end_char, permalink.end)
    passage = parse_permalink(citation.passage_id)
    inside = passage.start <= permalink.start and permalink.end <= passage.end
    if not inside or _edition(passage) != _edition(permalink):
        raise _Wrong("its passage_id names a passage that does not hold the slice")


def _check_selectors(citation: Citation, opened: OpenedSlice, text: str) -> None:
    start, end = opened.permalink.start, opened.permalink.end
    for selector in citation.selectors:
        kind = selector.get("type")
        if kind == "TextQuoteSelector":
            _compare("selectors.exact", selector.get("exact"), opened.text)
            prefix, suffix = str(selector.get("prefix", "")), str(selector.get("suffix", ""))
            _compare("selectors.prefix", prefix, text[max(0, start - len(prefix)) : start])
            _compare("selectors.suffix", suffix, text[end : end + len(suffix)])
        elif kind == "TextPositionSelector":
            _compare("selectors.start", selector.get("start"), start)
            _compare("selectors.end", selector.get("end"), end)
        else:
            raise _Wrong(f"it has a selector of unknown type {kind!r:.60}")


def _check_source(citation: Citation, opened: OpenedSlice, index: OpenIndex) -> None:
    """Compare what is said of the report; possible only for the edition indexed now."""
    location, record = locate_slice(index, opened), opened.record
    if location is None or record is None:
        return
    _compare("document_title", citation.document_title, record.title)
    _compare("location.page_start", citation.location.page_start, location.page_start)
    _compare("location.page_end", citation.location.page_end, location.page_end)
    _compare("location.page_label", citation.location.page_label, location.page_label)
    _compare("location.pinpoint", citation.location.pinpoint, location.pinpoint)
    _compare(
        "location.section_path", list(citation.location.section_path), list(location.section_path)
    )
    _compare("notices", citation.notices, list(record.notices))
    _compare("csl", citation.csl, csl_item(record, location))
    row = find_row(index, opened)
    if citation.metadata and row is not None:
        _compare("metadata", citation.metadata, dict(index.passages.metadata(row)))


def _verify_sentence(sentence: Sentence, answer: str, quotes: dict[int, str]) -> VerifiedSentence:
    reason = ""
    try:
        _compare("its place in the answer", answer[sentence.start : sentence.end], sentence.text)
        for number in sentence.citation_ids:
            if number not in quotes:
                raise _Wrong(f"it cites [{number}], which is not a valid citation of this answer")
        if not sentence.citation_ids:
            raise _Wrong("it cites nothing")
        _compare("support", sentence.support, "supported")
        quoted = " ".join(f"{quotes[number]} [{number}]" for number in sentence.citation_ids)
        _compare("its text", sentence.text, quoted)
    except _Wrong as error:
        reason = str(error)
    return VerifiedSentence(start=sentence.start, end=sentence.end, valid=not reason, reason=reason)


def _verify_whole(saved: SavedAnswer) -> Iterator[str]:
    """Yield what is wrong with the answer as a whole."""
    numbers = Counter(citation.id for citation in saved.citations)
    cited = {number for sentence in saved.sentences for number in sentence.citation_ids}
    for number, count in sorted(numbers.items()):
        if count > 1:
            yield f"there are {count} citations with the number {number}"
        if number not in cited:
            yield f"citation {number} is cited by no sentence"
    if saved.status == "not_in_corpus":
        if saved.sentences or saved.answer != NOT_IN_CORPUS:
            yield "the question was declined, yet the answer says something"
        return
    if not saved.sentences:
        yield "the answer has no sentences"
    at = 0
    for sentence in saved.sentences:
        between = saved.answer[at : sentence.start]
        if sentence.start < at or between.strip():
            yield f"between characters {at} and {sentence.start} the answer is in no one sentence"
        at = max(at, sentence.end)
    if saved.answer[at:].strip():
        yield f"the answer goes on after its last sentence, from character {at}"


def _edition(permalink: Permalink) -> tuple[str, str]:
    return permalink.document_id, permalink.text_sha12


def _compare(name: str, said: object, true: object) -> None:
    """Raise _Wrong where two values differ, saying where if both are texts."""
    if said == true:
        return
    if isinstance(said, str) and isinstance(true, str):
        pairs = enumerate(zip(said, true, strict=False))
        at = next((at for at, (a, b) in pairs if a != b), min(len(said), len(true)))
        excerpt = slice(max(0, at - 10), at + 20)
        raise _Wrong(
            f"{name} differs at character {at}: it says {said[excerpt]!r} for {true[excerpt]!r}"
        )
    raise _Wrong(f"{name} is {said!r:.80}, it should be {true!r:.80}")
