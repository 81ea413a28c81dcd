"""Lexical search with tantivy: BM25 over stemmed words, and exact phrases over unstemmed ones."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import tantivy

from indexer.encoders import Floats
from indexer.errors import IndexDamaged
from indexer.vectors import Mask, Rows

_STEMMED, _EXACT = "footnote_stemmed", "footnote_exact"
_HEAP_BYTES = 64_000_000
# Below this many allowed rows a set of row terms is cheaper than searching on past the others.
_SET_ROWS = 20_000


class LexicalStore(Protocol):
    """Finds the passages that hold a query's words."""

    def search(self, text: str, *, k: int, allowed: Mask | None = None) -> tuple[Rows, Floats]:
        """Return rows and BM25 scores of the k best, best first, equal scores by row.

        Args:
            text: Free words, any of which may match; without any word nothing is found.
            k: How many; fewer come back only where fewer match.
            allowed: (rows,) true where a row may be found; None for all.
        """
        ...

    def matching(self, phrases: Sequence[str], excluded: Sequence[str]) -> Rows:
        """Return ascending rows that hold every phrase and none of the excluded ones.

        A phrase matches word for word, case, accents and punctuation aside. A phrase without a
        word excludes nothing and demands nothing.
        """
        ...


def _analyzers() -> tuple[tantivy.TextAnalyzer, tantivy.TextAnalyzer]:
    """Return the analyser of ranked words and that of phrases."""

    def exact() -> tantivy.TextAnalyzerBuilder:
        return (
            tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
            .filter(tantivy.Filter.remove_long(80))
            .filter(tantivy.Filter.lowercase())
            .filter(tantivy.Filter.ascii_fold())
        )

    stemmed = exact().filter(tantivy.Filter.stopword("english"))
    return stemmed.filter(tantivy.Filter.stemmer("english")).build(), exact().build()


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("row", indexed=True, fast=True)
    builder.add_text_field("body", tokenizer_name=_STEMMED, index_option="freq")
    builder.add_text_field("exact", tokenizer_name=_EXACT, index_option="position")
    return builder.build()


def build_lexical(folder: Path, passages: Iterable[tuple[str, str]]) -> None:
    """Index passages in row order.

    Args:
        folder: Where the index goes; must be empty.
        passages: Of each passage the text with its headings (ranked by BM25) and the bare text
            (searched for phrases).
    """
    index = tantivy.Index(_schema(), path=str(folder))
    _register(index)
    writer = index.writer(_HEAP_BYTES, 1)
    for row, (headed, bare) in enumerate(passages):
        document = tantivy.Document()
        document.add_unsigned("row", row)
        document.add_text("body", headed)
        document.add_text("exact", bare)
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
    for lock in folder.glob(".tantivy-*.lock"):
        lock.unlink()


def _register(index: tantivy.Index) -> None:
    stemmed, exact = _analyzers()
    index.register_tokenizer(_STEMMED, stemmed)
    index.register_tokenizer(_EXACT, exact)


class TantivyStore:
    """A tantivy index opened for reading; safe to search from several threads."""

    def __init__(self, folder: Path) -> None:
        """Open the index that `build_lexical` wrote.

        Raises:
            IndexDamaged: tantivy cannot read it.
        """
        try:
            self._index = tantivy.Index.open(str(folder))
        except ValueError as error:
            raise IndexDamaged(f"{folder} is not a tantivy index: {error}") from error
        _register(self._index)
        self._index.config_reader("manual", 1)
        self._schema = self._index.schema
        self._searcher = self._index.searcher()
        self._stemmed, self._exact = _analyzers()

    def words(self, text: str) -> list[str]:
        """Return the stemmed words of a text that BM25 counts, stop words left out."""
        return list(self._stemmed.analyze(text))

    def document_frequency(self, word: str) -> int:
        """Return how many passages hold a stemmed word."""
        return int(self._searcher.doc_freq("body", word))

    def search(self, text: str, *, k: int, allowed: Mask | None = None) -> tuple[Rows, Floats]:
        """Return rows and BM25 scores of the k best; see LexicalStore."""
        words = self.words(text)
        count = None if allowed is None else int(allowed.sum())
        if not words or k <= 0 or count == 0:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        query = self._any_of(words)
        if allowed is None or count is None:
            return self._collect(query, k)
        if count <= min(_SET_ROWS, len(allowed) // 4):
            return self._collect(self._among(query, np.flatnonzero(allowed)), k)
        limit = k * 2
        while True:
            found, scores = self._collect(query, limit)
            kept = allowed[found]
            if int(kept.sum()) >= k or len(found) < limit:
                return found[kept][:k], scores[kept][:k]
            limit *= 4

    def matching(self, phrases: Sequence[str], excluded: Sequence[str]) -> Rows:
        """Return ascending rows with every phrase and no excluded one; see LexicalStore."""
        clauses: list[tuple[tantivy.Occur, tantivy.Query]] = [
            (tantivy.Occur.Must, tantivy.Query.all_query())
        ]
        for occur, texts in ((tantivy.Occur.Must, phrases), (tantivy.Occur.MustNot, excluded)):
            queries = [self._phrase(text) for text in texts]
            clauses.extend((occur, query) for query in queries if query is not None)
        query = tantivy.Query.boolean_query(clauses)
        rows, _ = self._collect(query, max(int(self._searcher.num_docs), 1))
        return np.sort(rows)

    def _collect(self, query: tantivy.Query, limit: int) -> tuple[Rows, Floats]:
        hits = self._searcher.search(query, limit, count=False).hits
        rows = self._searcher.fast_field_values("row", [address for _, address in hits])
        scores = np.array([score for score, _ in hits], np.float32)
        found = np.array(rows, np.int64)
        order = np.lexsort((found, -scores))
        return found[order], scores[order]

    def _any_of(self, words: Sequence[str]) -> tantivy.Query:
        """Build the query object; the user's own string is never parsed as query syntax."""
        clauses: list[tuple[tantivy.Occur, tantivy.Query]] = []
        for word, count in Counter(words).items():
            term = tantivy.Query.term_query(self._schema, "body", word)
            clauses.append(
                (
                    tantivy.Occur.Should,
                    tantivy.Query.boost_query(term, float(count)) if count > 1 else term,
                )
            )
        return tantivy.Query.boolean_query(clauses)

    def _among(self, query: tantivy.Query, rows: Rows) -> tantivy.Query:
        """Keep only some rows, scores unchanged."""
        members = tantivy.Query.term_set_query(self._schema, "row", rows.tolist())
        silent = tantivy.Query.const_score_query(members, 0.0)
        return tantivy.Query.boolean_query(
            [(tantivy.Occur.Must, query), (tantivy.Occur.Must, silent)]
        )

    def _phrase(self, text: str) -> tantivy.Query | None:
        words: list[str | tuple[int, str]] = list(self._exact.analyze(text))
        if not words:
            return None
        if len(words) == 1:
            return tantivy.Query.term_query(self._schema, "exact", str(words[0]))
        return tantivy.Query.phrase_query(self._schema, "exact", words)
