"""First figures on answering: which questions are answered, and whether from a page that says it.

`python -m eval.answers [--shared DIR]` asks every question of evalset of its own collection, and
200 questions of SQuAD 2.0's held-out set, which these reports are not about, of each.
"""

import argparse
import gzip
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

from eval.collections import load_collection
from eval.indexes import index_collection
from eval.suite import CACHE
from indexer.encoders import load_encoder
from service.answerer import Answer, Answerer
from service.retriever import Retriever, SearchQuery
from service.settings import ServiceSettings

COLLECTIONS = ("us-and-international", "eu-and-uk")
_FOREIGN_QUESTIONS = 200
_SEED = 7


def measure_answers(shared: Path) -> dict[str, float]:
    """Return shares over both collections together.

    answerable_answered, near_miss_declined, foreign_declined: of the questions of that kind.
    gold_page_cited: of the answerable ones, those with a citation on a gold page.
    inexact_citations: citations that are not the slice they name; must be 0.
    """
    settings, encoder = ServiceSettings(), load_encoder()
    counts: Counter[str] = Counter()
    for name in COLLECTIONS:
        collection = load_collection(name, shared=shared)
        indexed = index_collection(collection, settings=settings, encoder=encoder, cache=CACHE)
        answerer = Answerer(Retriever(indexed.index, encoder, settings), settings)
        lines = (shared / "evalset" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        for row in map(json.loads, lines):
            answer = answerer.answer(SearchQuery(row["question"]))
            kind = "near_miss" if row["kind"] == "unanswerable" else "answerable"
            _count(counts, kind, answer)
            counts["gold_page_cited"] += _cites_gold(answer, row.get("gold", []))
            for citation in answer.citations:
                text = indexed.index.texts.get(citation.document_sha256)
                place = citation.location
                counts["citations"] += 1
                counts["inexact"] += text[place.start_char : place.end_char] != citation.cited_text
        for question in foreign_questions(shared):
            _count(counts, "foreign", answerer.answer(SearchQuery(question)))
    return {
        "answerable": counts["answerable"],
        "answerable_answered": _share(counts, "answerable_answered", "answerable"),
        "near_misses": counts["near_miss"],
        "near_miss_declined": 1 - _share(counts, "near_miss_answered", "near_miss"),
        "foreign": counts["foreign"],
        "foreign_declined": 1 - _share(counts, "foreign_answered", "foreign"),
        "gold_page_cited": _share(counts, "gold_page_cited", "answerable"),
        "citations": counts["citations"],
        "inexact_citations": counts["inexact"],
    }


def foreign_questions(shared: Path) -> list[str]:
    """Return questions about other things, always the same ones."""
    file = shared / "train" / "squad2-dev.questions.jsonl.gz"
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        questions = [json.loads(line)["question"] for line in lines]
    return random.Random(_SEED).sample(questions, _FOREIGN_QUESTIONS)  # noqa: S311


def _count(counts: Counter[str], kind: str, answer: Answer) -> None:
    counts[kind] += 1
    counts[f"{kind}_answered"] += answer.status != "not_in_corpus"


def _cites_gold(answer: Answer, gold: list[dict[str, Any]]) -> bool:
    pages = {(one["file"], one["page"]) for one in gold}
    return any(
        (Path(str(citation.metadata["source"])).name, page) in pages
        for citation in answer.citations
        for page in range(citation.location.page_start or 0, (citation.location.page_end or 0) + 1)
    )


def _share(counts: Counter[str], part: str, whole: str) -> float:
    return round(counts[part] / max(counts[whole], 1), 4)


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    print(json.dumps(measure_answers(parser.parse_args().shared), indent=1))


if __name__ == "__main__":
    main()
