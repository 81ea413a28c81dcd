"""Answers quoted from passages: the best sentences, numbered, or an honest refusal."""

import hashlib
import json
from dataclasses import dataclass
from math import log
from typing import Literal

import numpy as np

from indexer.chunking import with_headings
from indexer.encoders import Floats
from service.citations import Citation, cite
from service.confidence import estimate_confidence, find_names
from service.retriever import Hit, Retriever, SearchQuery, SearchResult
from service.sentences import Sentence, split_sentences
from service.settings import ServiceSettings

Status = Literal["answered", "partial", "not_in_corpus"]
Support = Literal["supported", "partial", "unsupported"]
NOT_IN_CORPUS = "These reports don't say."

# A sentence's score: late interaction, rarity-weighted words of the question it holds, the rank
# of its passage. Chosen on evalset, see eval/results/.
_LATE, _COVERAGE, _RANK = 0.5, 0.3, 0.2
_CLOSE_TO_BEST = 0.8  # a further sentence must score this share of the best one
_SAME = 0.6  # sentences that share this much of their words say the same
_FEWEST_WORDS = 4
# The settings on which an answer depends, and which a receipt names by their hash.
_DECISIVE = {
    "passage_tokens",
    "weight_dense",
    "weight_lexical",
    "weight_late_interaction",
    "candidates",
    "answer_sentences",
    "answer_passages",
    "closest_passages",
    "abstain_below",
}


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """A sentence of an answer: its [start, end) in `Answer.text`, marker included."""

    text: str
    start: int
    end: int
    support: Support
    citation_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What it takes to get the same answer again."""

    index_generation: str
    encoder: str
    settings_hash: str
    question: str
    passage_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a question.

    Attributes:
        answer_id: Names question, generation and settings; equal ids are equal answers.
        status: "not_in_corpus" cites nothing.
        text: The sentences with their markers, or the refusal.
        sentences: Each with where it stands in `text`.
        citations: One for each marker, in order of their numbers.
        support_rate: Share of sentences whose support is "supported"; 1 for extractive answers.
        confidence: In [0, 1]: how sure it is that the reports answer the question.
        closest: The best passages, for a question that is declined.
        search: What was searched and found.
        receipt: How to get it again.
    """

    answer_id: str
    status: Status
    text: str
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    support_rate: float
    confidence: float
    closest: tuple[Hit, ...]
    search: SearchResult
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class _Candidate:
    hit: Hit
    sentence: Sentence
    text: str
    stems: frozenset[str]
    score: float


class Answerer:
    """Answers questions from one open generation by quoting it."""

    def __init__(self, retriever: Retriever, settings: ServiceSettings) -> None:
        self.retriever = retriever
        self._settings = settings

    def answer(self, query: SearchQuery, *, found: SearchResult | None = None) -> Answer:
        """Answer a question from the passages that the retriever ranks first for it.

        Args:
            query: The question, and where to look.
            found: What the retriever found for this very query; None to search.

        Raises:
            BadQuery: The question is empty.
            BadFilter: A filter is not understood.
        """
        result = found or self.retriever.search(query)
        similarities = self._similarities(result)
        confidence = estimate_confidence(
            [one.max(axis=1, initial=0) for one in similarities],
            missing_name=self._misses_name(query.query, result),
        )
        candidates = self._candidates(query.query, result, similarities)
        if not candidates or confidence < self._settings.abstain_below:
            return self._finish(query, result, "not_in_corpus", [], confidence)
        return self._finish(query, result, "answered", self._choose(candidates), confidence)

    def _similarities(self, result: SearchResult) -> list[Floats]:
        """Return (question tokens, passage tokens) cosines for each of the first passages."""
        tokens = self.retriever.index.tokens
        hits = result.hits[: self._settings.answer_passages]
        return [tokens.similarities(result.query_tokens, hit.row) for hit in hits]

    def _misses_name(self, question: str, result: SearchResult) -> bool:
        """Tell whether the question names something that none of the first passages has."""
        names = find_names(question)
        if not names:
            return False
        found: set[str] = set()
        for hit in result.hits[: self._settings.answer_passages]:
            known = [str(value) for value in hit.passage.metadata.values()]
            for text in (hit.text, hit.title, *hit.passage.section_path, *known):
                found |= self.retriever.stems(text)
        return any(not self.retriever.stems(name) <= found for name in names)

    def _candidates(
        self, question: str, result: SearchResult, similarities: list[Floats]
    ) -> list[_Candidate]:
        """Score every sentence of the first passages, best first."""
        weights = self._word_weights(question)
        found: list[_Candidate] = []
        for hit, similarity in zip(result.hits, similarities, strict=False):
            found.extend(self._score_passage(hit, similarity, weights))
        found.sort(key=lambda one: (-one.score, one.hit.passage.document_id, one.sentence.start))
        return found

    def _score_passage(
        self, hit: Hit, similarity: Floats, weights: dict[str, float]
    ) -> list[_Candidate]:
        index = self.retriever.index
        passage = hit.passage
        full_text = index.texts.get(passage.text_sha256)
        blocks = index.documents.blocks(
            index.passages.record(hit.row), start=passage.start, end=passage.end
        )
        sentences = split_sentences(full_text, blocks, passage.start, passage.end)
        notices = index.passages.record(hit.row).notices
        late = self._late_scores(hit, similarity, sentences)
        total = sum(weights.values()) or 1.0
        candidates = []
        for sentence, mean in zip(sentences, late, strict=True):
            text = full_text[sentence.start : sentence.end]
            if len(text.split()) < _FEWEST_WORDS or text.endswith((":", "?")):
                continue  # a heading in disguise, the lead of a list, or a question: no answer
            if any(text in notice for notice in notices):
                continue  # said beside every quote of this report, and no answer either
            stems = self.retriever.stems(text)
            coverage = sum(weight for stem, weight in weights.items() if stem in stems) / total
            score = _LATE * mean + _COVERAGE * coverage + _RANK * hit.scores.fused
            candidates.append(_Candidate(hit, sentence, text, stems, score))
        return candidates

    def _late_scores(self, hit: Hit, similarity: Floats, sentences: list[Sentence]) -> list[float]:
        """Return each sentence's MaxSim, over the stored vectors of its own tokens.

        The passage's token vectors were made with the whole passage in view, so a sentence is
        read in its context and nothing is encoded anew.
        """
        headed = with_headings(hit.title, hit.passage.section_path, hit.text)
        lead = len(headed) - len(hit.text)
        offsets = self.retriever.encoder.token_offsets(headed)
        starts = [begin - lead + hit.passage.start for begin, _ in offsets]
        scores = []
        for sentence in sentences:
            low, high = np.searchsorted(starts, [sentence.start, sentence.end])
            own = similarity[:, low:high]
            scores.append(float(own.max(axis=1).mean()) if own.size else 0.0)
        return scores

    def _word_weights(self, question: str) -> dict[str, float]:
        """Return the question's stemmed words with their rarity (inverse document frequency)."""
        lexical = self.retriever.index.lexical
        total = len(self.retriever.index.passages)
        return {
            stem: log(1 + total / (1 + lexical.document_frequency(stem)))
            for stem in self.retriever.stems(question)
        }

    def _choose(self, candidates: list[_Candidate]) -> list[_Candidate]:
        """Take the best sentences that are close to the best and say something new."""
        chosen: list[_Candidate] = []
        for one in candidates:
            if len(chosen) == self._settings.answer_sentences:
                break
            if one.score < _CLOSE_TO_BEST * candidates[0].score:
                break
            if not any(_overlap(one.stems, other.stems) >= _SAME for other in chosen):
                chosen.append(one)
        return chosen

    def _finish(
        self,
        query: SearchQuery,
        result: SearchResult,
        status: Status,
        chosen: list[_Candidate],
        confidence: float,
    ) -> Answer:
        index = self.retriever.index
        text = ""
        sentences: list[AnswerSentence] = []
        citations: list[Citation] = []
        for number, one in enumerate(chosen, start=1):
            span = one.sentence
            citations.append(cite(index, number, one.hit.passage, span.start, span.end))
            start = len(text) + bool(text)
            text = f"{text} {one.text} [{number}]".lstrip()
            sentences.append(AnswerSentence(text[start:], start, len(text), "supported", (number,)))
        receipt = Receipt(
            index_generation=index.name,
            encoder=index.manifest.encoder,
            settings_hash=_hash(self._settings.model_dump(mode="json", include=_DECISIVE)),
            question=query.query,
            passage_ids=tuple(hit.passage.passage_id for hit in result.hits),
        )
        return Answer(
            answer_id=_hash([query.query, repr(query), index.name, receipt.settings_hash]),
            status=status,
            text=text or NOT_IN_CORPUS,
            sentences=tuple(sentences),
            citations=tuple(citations),
            support_rate=1.0 if sentences else 0.0,
            confidence=round(confidence, 4),
            closest=() if chosen else result.hits[: self._settings.closest_passages],
            search=result,
            receipt=receipt,
        )


def _overlap(left: frozenset[str], right: frozenset[str]) -> float:
    smaller = min(len(left), len(right))
    return len(left & right) / smaller if smaller else 0.0


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]
