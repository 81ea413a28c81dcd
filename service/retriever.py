"""Search: two arms find candidates, late interaction reads them, one convex sum ranks them."""

import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np

from corpus.model import BlockKind, Metadata, Passage
from indexer.encoders import Encoder, Floats
from indexer.late_interaction import project_query
from indexer.open_index import OpenIndex
from indexer.vectors import Mask, Rows
from service.errors import BadFilter, BadQuery
from service.filters import (
    Predicate,
    allowed_rows,
    compile_filter,
    filtered_fields,
    known_fields,
)
from service.fusion import min_max, rank
from service.query import ParsedQuery, parse_query
from service.settings import SearchWeights

Mode = Literal["hybrid", "semantic", "lexical", "phrase"]
# What a reader of the page would not call an answer is left out unless it is asked for.
DEFAULT_TYPES = frozenset(BlockKind) - {
    BlockKind.HEADING,
    BlockKind.CONTENTS,
    BlockKind.REFERENCE,
    BlockKind.BOILERPLATE,
}
_FACETS = ("document_id", "publisher", "year", "family", "file_type", "code")
_WORD = re.compile(r"\w+(?:['’]\w+)*")


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What to search for.

    Attributes:
        query: As typed; "quoted phrases" must occur, -words must not.
        mode: Which arms find candidates; "phrase" takes the whole query as one phrase.
        top_k: How many passages to return.
        filters: On metadata; see service.filters.
        as_of: Only documents dated on or before this ISO date ("2024", "2024-05", "2024-05-31").
        rerank: Whether late interaction ranks; None for yes in hybrid and semantic.
        max_passages_per_document: Most passages of one document; None for any number.
        passage_types: Kinds of passage to search; None for all but headings, contents,
            references and boilerplate.
    """

    query: str
    mode: Mode = "hybrid"
    top_k: int = 10
    filters: Mapping[str, object] = field(default_factory=dict)
    as_of: str | None = None
    rerank: bool | None = None
    max_passages_per_document: int | None = None
    passage_types: frozenset[BlockKind] | None = None


@dataclass(frozen=True, slots=True)
class Scores:
    """A passage's scores, higher better: raw by arm (None where the arm was off), and joined."""

    dense: float | None
    lexical: float | None
    late_interaction: float | None
    fused: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A found passage; `highlights` are [start, end) spans of `text` that match query words."""

    row: int
    passage: Passage
    title: str
    text: str
    scores: Scores
    highlights: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found.

    Attributes:
        query: The query.
        hits: Best first; equal scores by place on the shelf.
        facets: Field → value → how many of the ranked candidates have it.
        candidates: How many passages were ranked.
        searched_documents: Documents that the filters let through.
        searched_passages: Passages that were searched.
        timings_ms: Time by stage.
        query_tokens: (length, dims) projected token vectors of the query, for the answerer.
    """

    query: SearchQuery
    hits: tuple[Hit, ...]
    facets: dict[str, dict[str, int]]
    candidates: int
    searched_documents: int
    searched_passages: int
    timings_ms: dict[str, float]
    query_tokens: Floats


class Retriever:
    """Searches one open generation; safe to use from several threads."""

    def __init__(self, index: OpenIndex, encoder: Encoder, weights: SearchWeights) -> None:
        self.index = index
        self.encoder = encoder
        self.weights = weights
        self._kinds = np.array([kind in DEFAULT_TYPES for kind in BlockKind])
        self._default_mask: Mask = self._kinds[np.array(index.passages.numbers[:, 3])]
        self._fields = known_fields(index.passages)
        words = index.lexical.words  # not a method of self: the cache would keep itself alive
        self._stems = lru_cache(maxsize=20_000)(lambda text: frozenset(words(text)))

    def search(self, query: SearchQuery) -> SearchResult:
        """Find the passages that fit a query best.

        Raises:
            BadQuery: The query is empty.
            BadFilter: A filter is not understood.
        """
        clock = _Clock()
        parsed = _parse(query)
        mask = self._mask(query, parsed)
        clock.lap("filter")
        vector, tokens = self._encode(parsed.text, query)
        clock.lap("encode")
        dense_on = query.mode in ("hybrid", "semantic")
        lexical_on = query.mode != "semantic"
        depth = max(self.weights.candidates, query.top_k)
        dense_rows, _ = (
            self.index.vectors.search(vector, k=depth, allowed=mask) if dense_on else _NOTHING
        )
        clock.lap("dense")
        lexical_rows, lexical_scores = (
            self.index.lexical.search(parsed.text, k=depth, allowed=mask)
            if lexical_on
            else _NOTHING
        )
        if query.mode == "phrase" and not len(lexical_rows):
            # A phrase of stop words alone ("to be") has no BM25 score but still occurs.
            lexical_rows = np.flatnonzero(mask)[:depth]
            lexical_scores = np.zeros(len(lexical_rows), np.float32)
        clock.lap("lexical")
        rows = np.union1d(dense_rows, lexical_rows).astype(np.int64)
        dense = self.index.vectors.reconstruct(rows) @ vector if dense_on else None
        lexical = _spread(rows, lexical_rows, lexical_scores) if lexical_on else None
        late = self.index.tokens.max_sim(tokens, rows) if self._reranks(query) else None
        clock.lap("late_interaction")
        fused = self._fuse(dense, lexical, late, len(rows))
        order = rank(rows, fused)
        hits = self._hits(query, parsed, rows, order, dense, lexical, late, fused)
        facets = self._facets(rows)
        clock.lap("results")
        positions = self.index.passages.numbers[:, 0][mask]
        return SearchResult(
            query=query,
            hits=hits,
            facets=facets,
            candidates=len(rows),
            searched_documents=len(np.unique(positions)),
            searched_passages=len(positions),
            timings_ms=clock.laps,
            query_tokens=tokens,
        )

    def stems(self, text: str) -> frozenset[str]:
        """Return the stemmed words of a text that count in lexical search."""
        return self._stems(text)

    def _mask(self, query: SearchQuery, parsed: ParsedQuery) -> Mask:
        """Return which passages may be found at all."""
        passages = self.index.passages
        if query.passage_types is None:
            mask = self._default_mask
        else:
            wanted = np.array([kind in query.passage_types for kind in BlockKind])
            mask = wanted[np.array(passages.numbers[:, 3])]
        if query.filters:
            predicate = compile_filter(query.filters)
            self._check_fields(query.filters)
            mask = mask & allowed_rows(passages, predicate)
        if query.as_of is not None:
            mask = mask & allowed_rows(passages, _dated_by(query.as_of))
        if parsed.phrases or parsed.excluded:
            held = np.zeros(len(passages), bool)
            held[self.index.lexical.matching(parsed.phrases, parsed.excluded)] = True
            mask = mask & held
        return mask

    def _check_fields(self, filters: Mapping[str, object]) -> None:
        """Refuse a filter on a field that nothing has: it would find nothing, and not say why."""
        unknown = sorted(filtered_fields(filters) - self._fields)
        if unknown:
            raise BadFilter(
                f"no document of this index has the field {unknown[0]!r}",
                advice=f"filter by one of {', '.join(sorted(self._fields))}",
            )

    def _reranks(self, query: SearchQuery) -> bool:
        return query.mode in ("hybrid", "semantic") if query.rerank is None else query.rerank

    def _encode(self, text: str, query: SearchQuery) -> tuple[Floats, Floats]:
        if query.mode in ("lexical", "phrase") and not self._reranks(query):
            projection = self.index.tokens.projection
            return np.zeros(projection.shape[0], np.float32), np.zeros(
                (0, projection.shape[1]), np.float32
            )
        encoded = self.encoder.encode([text])
        return encoded.pooled[0], project_query(encoded.tokens[0], self.index.tokens.projection)

    def _fuse(
        self, dense: Floats | None, lexical: Floats | None, late: Floats | None, count: int
    ) -> Floats:
        """Return the weighted mean of the arms' scores, each stretched to [0, 1]."""
        fused = np.zeros(count, np.float32)
        total = 0.0
        for scores, floor, weight in (
            (dense, None, self.weights.weight_dense),
            (lexical, 0.0, self.weights.weight_lexical),
            (late, None, self.weights.weight_late_interaction),
        ):
            if scores is not None:
                fused += np.float32(weight) * min_max(scores, floor=floor)
                total += weight
        return fused / np.float32(total) if total else fused

    def _hits(
        self,
        query: SearchQuery,
        parsed: ParsedQuery,
        rows: Rows,
        order: Rows,
        dense: Floats | None,
        lexical: Floats | None,
        late: Floats | None,
        fused: Floats,
    ) -> tuple[Hit, ...]:
        hits: list[Hit] = []
        taken: Counter[str] = Counter()
        stems = self.stems(parsed.text)
        for at in order:
            if len(hits) == query.top_k:
                break
            row = int(rows[at])
            record = self.index.passages.record(row)
            most = query.max_passages_per_document
            if most is not None and taken[record.document_id] >= most:
                continue
            taken[record.document_id] += 1
            passage = self.index.passages.get(row)
            text = self.index.passage_text(passage)
            scores = Scores(
                None if dense is None else float(dense[at]),
                None if lexical is None else float(lexical[at]),
                None if late is None else float(late[at]),
                float(fused[at]),
            )
            spans = tuple(
                match.span()
                for match in _WORD.finditer(text)
                if stems and not stems.isdisjoint(self.stems(match.group()))
            )
            hits.append(Hit(row, passage, record.title, text, scores, spans))
        return tuple(hits)

    def _facets(self, rows: Rows) -> dict[str, dict[str, int]]:
        counts: dict[str, Counter[str]] = {name: Counter() for name in _FACETS}
        for row in rows:
            metadata = self.index.passages.metadata(int(row))
            counts["document_id"][self.index.passages.record(int(row)).document_id] += 1
            for name in _FACETS[1:]:
                value = metadata.get(name)
                if value is not None and not isinstance(value, list):
                    counts[name][str(value)] += 1
        return {
            name: dict(sorted(values.items(), key=lambda item: (-item[1], item[0])))
            for name, values in counts.items()
            if values
        }


_NOTHING: tuple[Rows, Floats] = (np.zeros(0, np.int64), np.zeros(0, np.float32))


class _Clock:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = self._began = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round((now - self._last) * 1000, 3)
        self.laps["total"] = round((now - self._began) * 1000, 3)
        self._last = now


def _parse(query: SearchQuery) -> ParsedQuery:
    if not _WORD.search(query.query):
        raise BadQuery("the query has no word in it", advice="type what you are looking for")
    if query.mode == "phrase":
        parsed = parse_query(query.query)
        return parsed if parsed.phrases else ParsedQuery(query.query, (query.query,), ())
    return parse_query(query.query)


def _spread(rows: Rows, found: Rows, scores: Floats) -> Floats:
    """Return the score of each of the ascending `rows`, 0 where it was not found."""
    spread = np.zeros(len(rows), np.float32)
    spread[np.searchsorted(rows, found)] = scores
    return spread


def _dated_by(as_of: str) -> Predicate:
    """Pass documents whose date, as exactly as it is known, is not after `as_of`."""

    def passes(metadata: Metadata) -> bool:
        date = str(metadata.get("date", ""))
        shorter = min(len(date), len(as_of))
        return bool(date) and date[:shorter] <= as_of[:shorter]

    return passes
