"""Prints figures as tables."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from eval.collections import EVALSET
from eval.metrics import MEASURES, QueryScores, mean_by_kind, mean_scores
from eval.retrieval import ARMS, DEFAULT_ARM
from eval.suite import SuiteResult

POOLED = "evalset, all answerable"


def print_table(results: Sequence[SuiteResult], *, console: Console | None = None) -> None:
    """Print a row for each arm of each collection, then the default arm by kind of question.

    If both question files of evalset are there, their queries are also pooled.
    """
    console = console or Console()
    table = _table("Retrieval", ("collection", "arm"), ("queries",))
    table.add_column("p50 ms", justify="right")
    table.add_column("p95 ms", justify="right")
    for result in results:
        for name, figures in result.file.arms.items():
            table.add_row(
                f"{result.collection.name}, by {result.collection.unit}",
                figures.label,
                str(result.file.queries),
                *_cells(figures.means),
                f"{figures.p50_ms:.1f}",
                f"{figures.p95_ms:.1f}",
                end_section=name == list(result.file.arms)[-1],
            )
    for name, per_query in pool_evalset(results).items():
        means = _cells(mean_scores(per_query.values()))
        table.add_row(POOLED, ARMS[name].label, str(len(per_query)), *means, "", "")
    console.print(table)
    kinds = {
        f"{result.collection.name}/{query.query_id}": query.kind
        for result in results
        for query in result.collection.queries
        if query.kind
    }
    if kinds and all(DEFAULT_ARM in result.file.arms for result in results):
        console.print(_kind_table(results, kinds))
    for result in results:
        if result.file.unsearchable:
            console.print(
                f"{result.collection.name}: {len(result.file.unsearchable)} documents have "
                f"nothing to find: {', '.join(result.file.unsearchable[:10])}"
            )


def pool_evalset(results: Sequence[SuiteResult]) -> dict[str, dict[str, QueryScores]]:
    """Return arm → `collection/query id` → scores over all of evalset's files.

    Empty unless every file was run; only arms that were run on all of them are there.
    """
    mine = [result for result in results if result.collection.name in EVALSET]
    if {result.collection.name for result in mine} != set(EVALSET):
        return {}
    return {
        arm: {
            f"{result.collection.name}/{query_id}": scores
            for result in mine
            for query_id, scores in result.per_query[arm].items()
        }
        for arm in mine[0].per_query
        if all(arm in result.per_query for result in mine)
    }


def _kind_table(results: Sequence[SuiteResult], kinds: Mapping[str, str]) -> Table:
    scores = {
        f"{result.collection.name}/{query_id}": one
        for result in results
        for query_id, one in result.per_query[DEFAULT_ARM].items()
    }
    table = _table(f"By kind of question: {ARMS[DEFAULT_ARM].label}", ("kind",), ("queries",))
    for kind, means in mean_by_kind(kinds, scores).items():
        table.add_row(kind, f"{means['queries']:.0f}", *_cells(means))
    return table


def _table(title: str, words: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in words:
        table.add_column(name)
    for name in (*numbers, *MEASURES):
        table.add_column(name, justify="right")
    return table


def _cells(means: Mapping[str, float]) -> list[str]:
    return [f"{means[name]:.3f}" for name in MEASURES]
