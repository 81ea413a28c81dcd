"""The evaluation: what counts as a hit, what a figure is, and what is refused."""

import csv
import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from corpus.model import BlockKind, Passage
from eval.collections import (
    BENCH,
    EVALSET,
    BenchDocument,
    Collection,
    JudgedQuery,
    expand_names,
    load_bench,
    load_collection,
    load_evalset,
)
from eval.compare import compare_results, compare_scores
from eval.errors import EvalError
from eval.indexes import IndexedCollection, index_collection, write_shelf
from eval.metrics import MEASURES, mean_by_kind, mean_scores, score_queries
from eval.provenance import find_commit
from eval.report import POOLED, pool_evalset, print_table
from eval.results import escape_id, read_result, write_result, write_run
from eval.retrieval import ARMS, DEFAULT_ARM, Run, rank_targets, run_collection, time_searches
from eval.suite import evaluate, run_suite
from eval.sweep import (
    Weights,
    capture_candidates,
    fuse,
    print_sweep,
    score_weights,
    weight_grid,
)
from indexer.encoders import Encoder, load_encoder
from service.retriever import Hit, Retriever, Scores, SearchQuery, SearchResult
from service.settings import ServiceSettings

PAGES = Collection("pages", "page", (), "0" * 64, Path())
DOCUMENTS = Collection("documents", "document", (), "0" * 64, Path())


def make_hit(
    row: int, score: float, *, file: str = "a.pdf", pages: tuple[int | None, int | None] = (1, 1)
) -> Hit:
    passage = Passage(
        document_id="a",
        text_sha256="0" * 64,
        start=row,
        end=row + 1,
        section_path=(),
        passage_type=BlockKind.PARAGRAPH,
        page_start=pages[0],
        page_end=pages[1],
        page_label="",
        pinpoint=None,
        metadata={"source": f"pdf/{file}"},
    )
    return Hit(row, passage, "A", "x", Scores(None, None, None, score), ())


class Shelf:
    """A searcher that knows its results by heart and remembers what it was asked."""

    def __init__(self, hits: dict[str, Sequence[Hit]]) -> None:
        self.hits = hits
        self.asked: list[SearchQuery] = []

    def search(self, query: SearchQuery) -> SearchResult:
        self.asked.append(query)
        hits = tuple(self.hits[query.query])
        return SearchResult(query, hits, {}, len(hits), 1, 1, {}, np.zeros((0, 1), np.float32))


def rank(
    *hits: Hit, collection: Collection = PAGES, targets: dict[str, str] | None = None
) -> list[str]:
    ranking = rank_targets(((hit, hit.scores.fused) for hit in hits), collection, targets or {})
    return [target for target, _ in ranking]


# --- measures ---


def test_measures_agree_with_sums_worked_by_hand() -> None:
    qrels = {"q": {"a": 3, "b": 1, "z": 1}}
    run = {"q": {"b": 0.9, "x": 0.8, "a": 0.7}}
    scores = score_queries(qrels, run)["q"]
    # Found: grade 1 at rank 1, 3 at rank 3: 1/log2(2) + 3/log2(4) = 1 + 1.5 = 2.5.
    # Best: 3/log2(2) + 1/log2(3) + 1/log2(4) = 3 + 0.63093 + 0.5 = 4.13093.
    assert scores["nDCG@10"] == pytest.approx(2.5 / 4.13093, abs=1e-5)
    assert scores["recall@10"] == pytest.approx(2 / 3)
    assert scores["recall@100"] == pytest.approx(2 / 3)
    assert scores["MRR@10"] == 1.0


def test_measures_stop_at_their_rank() -> None:
    run = {"q": {f"x{place:03d}": 1 - place / 1000 for place in range(10)} | {"a": 0.5}}
    scores = score_queries({"q": {"a": 1}}, run)["q"]
    # The one relevant target is 11th.
    assert scores == {"nDCG@10": 0.0, "recall@10": 0.0, "recall@100": 1.0, "MRR@10": 0.0}


def test_judged_query_without_results_counts_as_zero_in_the_mean() -> None:
    qrels = {"q": {"a": 1}, "missing": {"b": 1}}
    scores = score_queries(qrels, {"q": {"x": 1.0, "a": 0.5}, "unjudged": {"a": 1.0}})
    assert scores.keys() == {"q", "missing"}
    assert mean_scores(scores.values())["MRR@10"] == 0.25  # (1/2 + 0) / 2
    assert score_queries(qrels, {})["q"] == dict.fromkeys(MEASURES, 0.0)


def test_mean_of_no_queries_is_zero() -> None:
    assert mean_scores([]) == dict.fromkeys(MEASURES, 0.0)


def test_means_by_kind_leave_out_queries_without_a_kind() -> None:
    one, zero = dict.fromkeys(MEASURES, 1.0), dict.fromkeys(MEASURES, 0.0)
    means = mean_by_kind(
        {"a": "list", "b": "list", "c": "factoid"}, {"a": one, "b": zero, "d": one}
    )
    assert means == {"list": {"queries": 2.0, **dict.fromkeys(MEASURES, 0.5)}}


_GRADES = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 4), min_size=1)


@given(qrels=_GRADES, order=st.permutations("abcdefgh"))
def test_measures_lie_between_zero_and_one(qrels: dict[str, int], order: list[str]) -> None:
    run = {"q": {target: 1 - place / 100 for place, target in enumerate(order)}}
    scores = score_queries({"q": qrels}, run)["q"]
    assert all(0 <= value <= 1 + 1e-9 for value in scores.values())
    assert scores["recall@10"] == 1.0


# --- rankings of pages and documents ---


def test_passage_counts_for_every_page_it_spans() -> None:
    assert rank(make_hit(0, 0.9, pages=(3, 5))) == ["a.pdf#3", "a.pdf#4", "a.pdf#5"]


def test_page_stands_where_its_first_passage_stands() -> None:
    hits = [make_hit(0, 0.9, pages=(2, 2)), make_hit(1, 0.8), make_hit(2, 0.7, pages=(2, 3))]
    assert rank(*hits) == ["a.pdf#2", "a.pdf#1", "a.pdf#3"]


def test_scores_fall_strictly_and_as_little_as_possible() -> None:
    hits = [
        make_hit(0, 0.9, pages=(1, 2)),
        make_hit(1, 0.9, pages=(3, 3)),
        make_hit(2, 0.5, pages=(4, 4)),
    ]
    scores = [score for _, score in rank_targets(((h, h.scores.fused) for h in hits), PAGES, {})]
    assert scores == pytest.approx([0.9, 0.9 - 1e-6, 0.9 - 2e-6, 0.5])
    assert all(above > below for above, below in pairwise(scores))


def test_document_is_named_by_its_id_in_the_corpus_not_by_its_file() -> None:
    targets = {"000001.txt": "c000", "000002.txt": "c 001"}
    hits = [make_hit(0, 0.9, file="000002.txt"), make_hit(1, 0.8, file="000001.txt")]
    assert rank(*hits, collection=DOCUMENTS, targets=targets) == ["c 001", "c000"]


def test_file_without_pages_is_refused_where_pages_are_judged() -> None:
    with pytest.raises(EvalError, match=r"a\.pdf was read without pages"):
        rank(make_hit(0, 0.9, pages=(None, None)))


def test_passage_of_an_unknown_document_is_refused() -> None:
    with pytest.raises(EvalError, match=r"a passage of a\.pdf was found, which it has not"):
        rank(make_hit(0, 0.9), collection=DOCUMENTS)


def test_run_asks_each_query_once_in_the_way_of_its_arm() -> None:
    queries = (
        JudgedQuery("1", "one", "", {"a.pdf#1": 1}),
        JudgedQuery("2", "two", "", {"a.pdf#2": 1}),
    )
    collection = Collection("c", "page", queries, "0" * 64, Path())
    shelf = Shelf({"one": [make_hit(0, 0.5)], "two": []})
    run = run_collection(shelf, collection, arm=ARMS["dense"], top_k=7)
    assert run.ranked == {"1": (("a.pdf#1", 0.5),), "2": ()}
    assert [(one.query, one.mode, one.rerank, one.top_k) for one in shelf.asked] == [
        ("one", "semantic", False, 7),
        ("two", "semantic", False, 7),
    ]


def test_question_that_makes_sense_in_one_document_searches_only_that() -> None:
    queries = (JudgedQuery("1", "one", "", {"d": 1}, within="example.com"),)
    shelf = Shelf({"one": []})
    run_collection(shelf, Collection("c", "document", queries, "0" * 64, Path()))
    assert shelf.asked[0].filters == {"family": "example.com"}
    assert shelf.asked[0].max_passages_per_document == 1


def test_latency_is_timed_on_at_most_a_hundred_queries_after_a_warm_up() -> None:
    queries = tuple(JudgedQuery(str(n), f"q{n}", "", {"a.pdf#1": 1}) for n in range(250))
    shelf = Shelf({f"q{n}": [] for n in range(250)})
    latency = time_searches(shelf, Collection("c", "page", queries, "0" * 64, Path()))
    assert latency.queries == 100
    assert len(shelf.asked) == 105
    assert shelf.asked[-1].query == "q198"  # every second one
    assert 0 <= latency.p50_ms <= latency.p95_ms


# --- collections ---


def write_lines(path: Path, rows: Sequence[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")


def gold(file: str, page: int, quote: str = "…", **more: str) -> dict[str, object]:
    return {"file": file, "page": page, "quote": quote, **more}


def question(
    name: str, *golds: object, kind: str = "factoid", text: str = "What?"
) -> dict[str, object]:
    return {"id": name, "question": text, "kind": kind, "answer": "…", "gold": list(golds)}


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "a.txt").write_text("one\ftwo", encoding="utf-8")
    (folder / "b.txt").write_text("three", encoding="utf-8")
    return folder


def test_two_quotes_on_one_page_are_one_target(reports: Path, tmp_path: Path) -> None:
    rows = [question("q", gold("a.txt", 1, "x"), gold("a.txt", 1, "y"), gold("a.txt", 2))]
    write_lines(tmp_path / "set.jsonl", rows)
    collection = load_evalset(tmp_path / "set.jsonl", reports=reports, patterns=("a.txt",))
    assert collection.qrels == {"q": {"a.txt#1": 1, "a.txt#2": 1}}
    assert collection.name == "set"


def test_both_sides_of_a_comparison_are_relevant(reports: Path, tmp_path: Path) -> None:
    sides = gold("a.txt", 2, side="A"), gold("b.txt", 1, side="B")
    write_lines(tmp_path / "set.jsonl", [question("q", *sides, kind="comparison")])
    collection = load_evalset(tmp_path / "set.jsonl", reports=reports, patterns=("*.txt",))
    assert collection.qrels == {"q": {"a.txt#2": 1, "b.txt#1": 1}}


def test_unanswerable_questions_are_left_out_of_retrieval(reports: Path, tmp_path: Path) -> None:
    rows = [
        question("q", gold("a.txt", 1)),
        {"id": "u", "question": "?", "kind": "unanswerable", "why": "", "nearest": {}},
    ]
    write_lines(tmp_path / "set.jsonl", rows)
    collection = load_evalset(tmp_path / "set.jsonl", reports=reports, patterns=("a.txt",))
    assert [query.query_id for query in collection.queries] == ["q"]


def test_gold_in_a_report_that_is_not_searched_is_refused(reports: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "set.jsonl", [question("q", gold("b.txt", 1))])
    with pytest.raises(EvalError, match=r"question q has gold in b\.txt, which is not among"):
        load_evalset(tmp_path / "set.jsonl", reports=reports, patterns=("a.txt",))


def test_answerable_question_without_gold_is_refused(reports: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "set.jsonl", [question("q")])
    with pytest.raises(EvalError, match="question q has no gold"):
        load_evalset(tmp_path / "set.jsonl", reports=reports, patterns=("a.txt",))


def test_missing_reports_and_missing_questions_are_named(reports: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "set.jsonl", [question("q", gold("a.txt", 1))])
    with pytest.raises(EvalError, match=r"not there: \*\.pdf; put them into"):
        load_evalset(tmp_path / "set.jsonl", reports=reports, patterns=("a.txt", "*.pdf"))
    with pytest.raises(EvalError, match=r"none\.jsonl: No such file") as caught:
        load_evalset(tmp_path / "none.jsonl", reports=reports, patterns=("a.txt",))
    assert caught.value.code == "eval_failed"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "line 1 is not JSON"),
        ("[]", "line 1 has no object"),
        ('{"id": "q"}', "has no question, kind"),
    ],
)
def test_malformed_question_file_is_refused(
    reports: Path, tmp_path: Path, line: str, reason: str
) -> None:
    (tmp_path / "set.jsonl").write_text(line, encoding="utf-8")
    with pytest.raises(EvalError, match=reason):
        load_evalset(tmp_path / "set.jsonl", reports=reports, patterns=("a.txt",))


def test_corpus_hash_follows_the_bytes_of_the_reports(reports: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "set.jsonl", [question("q", gold("a.txt", 1))])

    def load() -> str:
        return load_evalset(
            tmp_path / "set.jsonl", reports=reports, patterns=("a.txt",)
        ).corpus_sha256

    before = load()
    assert load() == before
    (reports / "a.txt").write_text("one\fthree", encoding="utf-8")
    assert load() != before


def write_bench(
    folder: Path,
    documents: Sequence[tuple[str, str, str]],
    queries: Sequence[dict[str, str]],
    qrels: Sequence[tuple[str, str, int]],
) -> Path:
    rows = [{"_id": one, "title": title, "text": text} for one, title, text in documents]
    write_lines(folder / "corpus.jsonl", rows)
    write_lines(folder / "queries.jsonl", queries)
    (folder / "qrels").mkdir()
    lines = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, line)) for line in qrels)]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_bench_keeps_grades_and_leaves_out_queries_without_a_relevant_document(
    tmp_path: Path,
) -> None:
    folder = write_bench(
        tmp_path / "med",
        [("1", "", "x"), ("2", "T", "y")],
        [
            {"_id": "a", "text": "?"},
            {"_id": "b", "text": "?"},
            {"_id": "c", "text": "?", "doc": "T"},
        ],
        [("a", "1", 3), ("a", "2", 0), ("b", "2", 0), ("c", "2", 1)],
    )
    collection = load_bench(folder)
    assert collection.qrels == {"a": {"1": 3}, "c": {"2": 1}}
    assert [query.within for query in collection.queries] == ["", "T"]
    assert collection.documents[1] == BenchDocument("2", "T", "y")


@pytest.mark.parametrize(
    ("qrel", "reason"),
    [
        (("a", "9", 1), "judges document 9"),
        (("z", "1", 1), "judges query z"),
        (("a", "1", "x"), "has a line"),
    ],
)
def test_judgement_of_something_unknown_is_refused(
    tmp_path: Path, qrel: tuple[str, str, int], reason: str
) -> None:
    folder = write_bench(tmp_path / "med", [("1", "", "x")], [{"_id": "a", "text": "?"}], [qrel])
    with pytest.raises(EvalError, match=reason):
        load_bench(folder)


def test_names_of_groups_stand_for_their_collections_once() -> None:
    assert expand_names(["evalset", "med", "bench"]) == [
        *EVALSET, "med", *(name for name in BENCH if name != "med")
    ]  # fmt: skip
    with pytest.raises(EvalError, match="there is no collection 'nonsense'; name one of evalset"):
        expand_names(["nonsense"])


def test_bench_shelf_keeps_texts_word_for_word_with_their_titles(tmp_path: Path) -> None:
    texts = ["# *not* markdown_", "same", "same", "  "]
    documents = tuple(BenchDocument(f"d{n}", "T" * n, text) for n, text in enumerate(texts))
    collection = Collection("c", "document", (), "0" * 64, tmp_path, documents=documents)
    targets = write_shelf(collection, tmp_path / "home")
    assert targets == {"000001.txt": "d0", "000002.txt": "d1", "000003.txt": "d2"}
    files = [tmp_path / "home" / "docs" / name for name in targets]
    assert [file.read_text(encoding="utf-8").strip() for file in files] == texts[:3]
    assert len({file.read_bytes() for file in files}) == 3  # an index takes no twins
    with (tmp_path / "home" / "docs" / "shelf.csv").open(encoding="utf-8", newline="") as lines:
        titles = [row["title"] for row in csv.DictReader(lines)]
    assert titles == ["c", "T", "TT"]
    assert write_shelf(collection, tmp_path / "home") == targets


def test_report_shelf_keeps_places_and_only_its_rows_of_the_shelf_file(tmp_path: Path) -> None:
    root = tmp_path / "reports"
    (root / "pdf").mkdir(parents=True)
    (root / "pdf" / "a.pdf").write_bytes(b"%PDF-1.4")
    (root / "shelf.csv").write_text("file,title\npdf/a.pdf,A\npdf/b.pdf,B\n", encoding="utf-8")
    collection = Collection("c", "page", (), "0" * 64, root, files=(root / "pdf" / "a.pdf",))
    assert write_shelf(collection, tmp_path / "home") == {}
    copied = tmp_path / "home" / "docs"
    assert (copied / "pdf" / "a.pdf").read_bytes() == b"%PDF-1.4"
    assert (copied / "shelf.csv").read_text(encoding="utf-8").split() == [
        "file,title",
        "pdf/a.pdf,A",
    ]


# --- files ---


def test_run_file_read_by_ir_measures_gives_the_figures_of_the_run(tmp_path: Path) -> None:
    hits = [
        make_hit(n, 0.9 - n // 3 / 10, file="a b.pdf", pages=(n * 2, n * 2 + 1)) for n in range(6)
    ]
    run = Run("x", {"q 1": rank_targets(((h, h.scores.fused) for h in hits), PAGES, {})})
    qrels = {"q 1": {"a b.pdf#1": 1, "a b.pdf#4": 1, "a b.pdf#11": 1}}
    write_run(run.ranked, tmp_path / "deep" / "x.run", tag="x")
    lines = (tmp_path / "deep" / "x.run").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "q%201 Q0 a%20b.pdf#0 1 0.9000000 x"
    assert [int(line.split()[3]) for line in lines] == list(range(1, 13))
    read = list(ir_measures.read_trec_run(str(tmp_path / "deep" / "x.run")))
    again: dict[str, dict[str, float]] = {}
    for query_id, target, score in read:
        again.setdefault(query_id, {})[target] = score
    escaped = {escape_id(q): {escape_id(t): g for t, g in one.items()} for q, one in qrels.items()}
    assert score_queries(escaped, again)["q%201"] == score_queries(qrels, run.scores)["q 1"]


def test_escaped_ids_never_collide() -> None:
    assert escape_id("a b") == "a%20b"
    assert escape_id("a%20b") == "a%2520b"


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_commit_says_whether_files_differ_from_it(tmp_path: Path) -> None:
    assert find_commit(tmp_path) == "unknown"
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("1", encoding="utf-8")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "One")
    head = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "eval" / "results").mkdir(parents=True)
    (tmp_path / "eval" / "results" / "x.json").write_text("{}", encoding="utf-8")
    assert find_commit(tmp_path) == head
    (tmp_path / "a.py").write_text("2", encoding="utf-8")
    assert find_commit(tmp_path) == f"{head}-dirty"


# --- comparing two runs ---


def test_equal_scores_differ_by_nothing() -> None:
    scores = {"a": 0.5, "b": 1.0}
    found = compare_scores(scores, scores)
    assert (found.before, found.after, found.better, found.worse) == (0.75, 0.75, 0, 0)
    assert found.p_value == 1.0


def test_p_value_is_that_of_all_sign_flips_worked_by_hand() -> None:
    before = {str(n): 0.0 for n in range(5)}
    after = {str(n): 1.0 for n in range(5)}
    # Of 32 ways to sign five equal gains two are as far from 0 as this one: 1/16.
    found = compare_scores(before, after)
    assert found.p_value == pytest.approx(1 / 16, abs=0.01)
    assert (found.better, found.worse) == (5, 0)


def test_many_consistent_gains_are_no_chance() -> None:
    after = {str(n): 0.01 + n / 1e4 for n in range(40)}
    assert compare_scores(dict.fromkeys(after, 0.0), after).p_value < 0.001


# --- with the real encoder and a real index ---

SUBJECTS = {
    "bees": "Honey bees dance to show the others where the flowers are.",
    "glass": "Molten sand cools into glass when no crystals can form.",
    "tides": "The moon pulls the sea towards it and so makes the tides.",
    "bread": "Yeast gives off gas in the dough, which makes bread rise.",
    "paper": "Paper is pressed from the fibres of wood boiled to a pulp.",
    "rust": "Iron turns to rust when water and oxygen reach its surface.",
    "snow": "Snow crystals grow six arms because ice has hexagonal cells.",
    "clocks": "A pendulum of one metre swings once to each side in a second.",
    "salt": "Sea water evaporates in shallow ponds and leaves the salt.",
    "silk": "Silk worms spin a cocoon from one thread a kilometre long.",
    "bats": "Bats find moths in the dark by the echo of their calls.",
    "tea": "Leaves of black tea are left to oxidise before they are dried.",
    "coal": "Coal is what became of forests buried in swamps long ago.",
    "cheese": "Rennet curdles the milk, and the curd is pressed to cheese.",
}
QUESTIONS = {
    "how do bees tell each other about flowers": "bees",
    "what makes dough rise": "bread",
    "why does iron corrode": "rust",
    "what causes the tides": "tides",
}


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture(scope="module")
def settings() -> ServiceSettings:
    return ServiceSettings(candidates=10)


@pytest.fixture(scope="module")
def tiny_shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shared folder with one bench collection, med."""
    folder = tmp_path_factory.mktemp("shared")
    write_bench(
        folder / "bench" / "med",
        [*((name, name.title(), text) for name, text in SUBJECTS.items()), ("empty", "", "")],
        [{"_id": f"q{n}", "text": text} for n, text in enumerate(QUESTIONS)],
        [(f"q{n}", name, 1) for n, name in enumerate(QUESTIONS.values())] + [("q0", "empty", 1)],
    )
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def tiny(
    tiny_shared: Path, cache: Path, encoder: Encoder, settings: ServiceSettings
) -> Iterator[IndexedCollection]:
    collection = load_collection("med", shared=tiny_shared)
    yield index_collection(collection, settings=settings, encoder=encoder, cache=cache)


def test_documents_without_text_are_reported_and_count_as_missed(
    tiny: IndexedCollection, settings: ServiceSettings, encoder: Encoder
) -> None:
    assert tiny.unsearchable == ("empty",)
    result = evaluate(tiny, settings=settings, encoder=encoder, arms=[DEFAULT_ARM])
    assert result.per_query[DEFAULT_ARM]["q0"]["recall@100"] == 0.5
    assert result.per_query[DEFAULT_ARM]["q1"]["nDCG@10"] == 1.0


def test_suite_writes_figures_it_returns_and_run_files_that_score_the_same(
    tiny_shared: Path, cache: Path, tmp_path: Path, settings: ServiceSettings, encoder: Encoder
) -> None:
    [result] = run_suite(
        ["med"], shared=tiny_shared, settings=settings, encoder=encoder, out=tmp_path, cache=cache
    )
    assert read_result(tmp_path / "med.json").arms.keys() == ARMS.keys() == result.runs.keys()
    file = read_result(tmp_path / "med.json")
    assert file.settings["weight_dense"] == settings.weight_dense
    assert file.settings["passage_tokens"] == settings.passage_tokens
    assert file.encoder == encoder.fingerprint
    assert file.per_query["dense"]["q1"] == pytest.approx(
        [result.per_query["dense"]["q1"][name] for name in file.measures], abs=1e-4
    )
    assert file.corpus_sha256 == result.collection.corpus_sha256
    for arm in ARMS:
        run: dict[str, dict[str, float]] = {}
        for line in ir_measures.read_trec_run(str(cache / "runs" / f"med.{arm}.run")):
            run.setdefault(line.query_id, {})[line.doc_id] = line.score
        scores = score_queries(result.collection.qrels, run)
        assert scores == result.per_query[arm]
        assert file.arms[arm].means == pytest.approx(mean_scores(scores.values()), abs=1e-4)


def test_index_of_an_unchanged_collection_is_not_built_again(
    tiny: IndexedCollection, cache: Path, settings: ServiceSettings, encoder: Encoder
) -> None:
    again = index_collection(tiny.collection, settings=settings, encoder=encoder, cache=cache)
    assert again.index.name == tiny.index.name


def test_judged_page_that_the_reports_do_not_have_is_refused(
    reports: Path, tmp_path: Path, settings: ServiceSettings, encoder: Encoder
) -> None:
    (reports / "a.txt").write_text("\f".join(SUBJECTS.values()), encoding="utf-8")
    write_lines(tmp_path / "set.jsonl", [question("q", gold("a.txt", 15))])
    collection = load_evalset(tmp_path / "set.jsonl", reports=reports, patterns=("a.txt",))
    with pytest.raises(EvalError, match=r"does not have 1 judged targets, such as a\.txt#15"):
        index_collection(collection, settings=settings, encoder=encoder, cache=tmp_path)


def test_questions_over_pages_find_their_page(
    reports: Path, tmp_path: Path, settings: ServiceSettings, encoder: Encoder
) -> None:
    (reports / "a.txt").write_text(
        "\f".join(f"{text} {text}" for text in SUBJECTS.values()), encoding="utf-8"
    )
    page = list(SUBJECTS).index("rust") + 1
    write_lines(
        tmp_path / "set.jsonl",
        [question("q", gold("a.txt", page), text="why does iron corrode", kind="why_how")],
    )
    settings = settings.model_copy(update={"passage_tokens": 32})  # room for one page
    collection = load_evalset(tmp_path / "set.jsonl", reports=reports, patterns=("a.txt",))
    indexed = index_collection(collection, settings=settings, encoder=encoder, cache=tmp_path)
    result = evaluate(indexed, settings=settings, encoder=encoder)
    assert result.runs[DEFAULT_ARM].ranked["q"][0][0] == f"a.txt#{page}"
    assert result.file.arms[DEFAULT_ARM].by_kind["why_how"]["MRR@10"] == 1.0


def test_unreadable_report_stops_the_evaluation(
    reports: Path, tmp_path: Path, settings: ServiceSettings, encoder: Encoder
) -> None:
    (reports / "bad.pdf").write_bytes(b"no PDF at all")
    write_lines(tmp_path / "set.jsonl", [question("q", gold("a.txt", 1))])
    collection = load_evalset(
        tmp_path / "set.jsonl", reports=reports, patterns=("a.txt", "bad.pdf")
    )
    with pytest.raises(EvalError, match=r"1 files of set could not be read \(bad\.pdf"):
        index_collection(collection, settings=settings, encoder=encoder, cache=tmp_path)


def test_unknown_arm_is_refused_before_anything_is_indexed(
    tmp_path: Path, settings: ServiceSettings, encoder: Encoder
) -> None:
    with pytest.raises(EvalError, match="there is no arm 'magic'; name some of lexical, dense"):
        run_suite(["med"], shared=tmp_path, settings=settings, encoder=encoder, arms=["magic"])


def test_sweep_at_the_settings_weights_ranks_as_the_retriever_does(
    tiny: IndexedCollection, settings: ServiceSettings, encoder: Encoder
) -> None:
    captured = capture_candidates(tiny, encoder, settings)
    retriever = Retriever(tiny.index, encoder, settings)
    weights = Weights(
        settings.weight_dense, settings.weight_lexical, settings.weight_late_interaction
    )
    for query in tiny.collection.queries:
        result = retriever.search(SearchQuery(query.text, top_k=settings.candidates))
        fused = fuse(captured.candidates[query.query_id], weights)[: settings.candidates]
        assert result.candidates == len(captured.candidates[query.query_id].rows)
        assert [hit.row for hit, _ in fused] == [hit.row for hit in result.hits]
        total = weights.dense + weights.lexical + weights.late_interaction
        assert [score / total for _, score in fused] == pytest.approx(
            [hit.scores.fused for hit in result.hits], abs=1e-5
        )


def test_sweep_with_all_weight_on_one_arm_gives_that_arms_figures(
    tiny: IndexedCollection, settings: ServiceSettings, encoder: Encoder
) -> None:
    captured = capture_candidates(tiny, encoder, settings)
    figures = score_weights([captured], Weights(1.0, 0.0, 0.0))
    alone = evaluate(tiny, settings=settings, encoder=encoder, arms=["dense"])
    assert figures.means["MRR@10"] == alone.file.arms["dense"].means["MRR@10"]
    assert figures.by_collection == {"med": figures.means}


def test_grid_holds_every_triple_that_adds_up_to_one() -> None:
    grid = weight_grid(0.25)
    assert len(grid) == 15  # 4 quarters among 3 arms: C(6, 2)
    assert len(set(grid)) == 15
    assert all(one.dense + one.lexical + one.late_interaction == pytest.approx(1) for one in grid)


def printed(show: object, *values: object, **options: object) -> str:
    console = Console(width=200, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as capture:
        show(*values, console=console, **options)  # type: ignore[operator]
    return capture.get()


def test_sweep_table_ends_with_the_weights_in_use(
    tiny: IndexedCollection, settings: ServiceSettings, encoder: Encoder
) -> None:
    captured = capture_candidates(tiny, encoder, settings)
    figures = [score_weights([captured], weights) for weights in weight_grid(0.25)]
    text = printed(print_sweep, figures, chosen=settings, best=2)
    last = [line for line in text.splitlines() if "│" in line][-1]
    wanted = [settings.weight_dense, settings.weight_lexical, settings.weight_late_interaction]
    shown = [float(cell) for cell in last.split("│")[1:4]]
    nearest = min(
        abs(np.array(wanted) - [w.dense, w.lexical, w.late_interaction]).sum()
        for w in weight_grid(0.25)
    )
    assert np.abs(np.array(wanted) - shown).sum() == pytest.approx(nearest)


def test_table_pools_evalset_only_when_both_files_were_run(
    tiny: IndexedCollection, settings: ServiceSettings, encoder: Encoder
) -> None:
    result = evaluate(tiny, settings=settings, encoder=encoder)
    queries = tuple(replace(query, kind="list") for query in tiny.collection.queries)
    both = [
        replace(result, collection=replace(tiny.collection, name=name, queries=queries))
        for name in EVALSET
    ]
    assert pool_evalset(both[:1]) == {}
    pooled = pool_evalset(both)
    assert len(pooled[DEFAULT_ARM]) == 2 * len(queries)
    assert mean_scores(pooled["dense"].values()) == pytest.approx(result.file.arms["dense"].means)
    assert POOLED not in printed(print_table, both[:1])
    text = printed(print_table, both)
    assert text.count(POOLED) == len(ARMS)
    assert "list" in text


def test_results_on_other_queries_are_not_compared(
    tiny: IndexedCollection, settings: ServiceSettings, encoder: Encoder, tmp_path: Path
) -> None:
    file = evaluate(tiny, settings=settings, encoder=encoder, arms=[DEFAULT_ARM]).file
    write_result(file, tmp_path / "one.json")
    assert compare_results(file, read_result(tmp_path / "one.json"))["MRR@10"].p_value == 1.0
    fewer = {DEFAULT_ARM: dict(list(file.per_query[DEFAULT_ARM].items())[:2])}
    with pytest.raises(EvalError, match="can't be compared"):
        compare_results(file, file.model_copy(update={"per_query": fewer}))
    with pytest.raises(EvalError, match="does not have the arm 'dense'"):
        compare_results(file, file, arm="dense")
    with pytest.raises(EvalError, match="No such file"):
        read_result(tmp_path / "none.json")


# --- the real collections ---


@pytest.mark.shared
def test_evalset_is_asked_over_every_report_once_and_finds_its_gold_there(shared: Path) -> None:
    collections = [load_collection(name, shared=shared) for name in EVALSET]
    files = [file.name for collection in collections for file in collection.files]
    assert len(files) == len(set(files)) == 19
    assert [len(collection.files) for collection in collections] == [6, 13]
    assert [len(collection.queries) for collection in collections] == [54, 27]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "documents", "queries"),
    [
        ("cranfield", 1400, 225),
        ("med", 1033, 30),
        ("xquad-en", 240, 1190),
        ("clapnq-dev", 596, 300),
        ("policyqa", 1071, 7961),
    ],
)
def test_bench_collections_load_whole(
    shared: Path, name: str, documents: int, queries: int
) -> None:
    collection = load_collection(name, shared=shared)
    assert len(collection.documents) == documents
    assert len(collection.queries) == queries
    assert {bool(query.within) for query in collection.queries} == {name == "policyqa"}
