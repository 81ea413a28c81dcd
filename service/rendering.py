"""From what the core returns to what goes over HTTP."""

from dataclasses import asdict

from indexer.documents import DocumentRecord
from service import citations, schemas
from service.answerer import Answer, AnswerSentence
from service.live_index import Snapshot
from service.query import parse_query
from service.retriever import Hit, SearchResult
from service.runs import Run


def render_location(location: citations.Location) -> schemas.Location:
    """Return a location as it goes out."""
    return schemas.Location.model_validate(asdict(location))


def render_hit(hit: Hit, record: DocumentRecord) -> schemas.FoundPassage:
    """Return a found passage as it goes out."""
    passage = hit.passage
    where = citations.locate(
        record, passage.section_path, passage.start, passage.end, pinpoint=passage.pinpoint
    )
    return schemas.FoundPassage(
        passage_id=passage.passage_id,
        document_id=passage.document_id,
        document_title=hit.title,
        score=hit.scores.fused,
        scores=schemas.Scores.model_validate(asdict(hit.scores)),
        text=hit.text,
        highlights=list(hit.highlights),
        location=render_location(where),
        passage_type=passage.passage_type,
        permalink=passage.passage_id,
        metadata=dict(passage.metadata),
        notices=list(record.notices),
    )


def render_search(
    snapshot: Snapshot, result: SearchResult, stale: list[str], *, explain: bool
) -> schemas.SearchResponse:
    """Return what a search found as it goes out."""
    return schemas.SearchResponse(
        query=result.query.query,
        index_generation=snapshot.index.name,
        results=_render_hits(snapshot, result.hits),
        facets=result.facets,
        stale_documents=stale,
        timings_ms=result.timings_ms,
        explanation=_explain(snapshot, result) if explain else None,
    )


def render_answer(
    snapshot: Snapshot, answer: Answer, stale: list[str], *, elapsed_ms: float, explain: bool
) -> schemas.AskResponse:
    """Return an answer as it goes out."""
    return schemas.AskResponse(
        answer_id=answer.answer_id,
        status=answer.status,
        answer=answer.text,
        sentences=[render_sentence(one) for one in answer.sentences],
        citations=[render_citation(one) for one in answer.citations],
        support_rate=answer.support_rate,
        confidence=answer.confidence,
        searched=_render_searched(answer.search),
        closest=_render_hits(snapshot, answer.closest),
        receipt=schemas.Receipt.model_validate(asdict(answer.receipt)),
        index_generation=snapshot.index.name,
        stale_documents=stale,
        timings_ms={"search": answer.search.timings_ms["total"], "total": elapsed_ms},
        explanation=_explain(snapshot, answer.search) if explain else None,
    )


def render_sentence(sentence: AnswerSentence) -> schemas.Sentence:
    """Return a sentence as it goes out."""
    return schemas.Sentence.model_validate(asdict(sentence))


def render_citation(citation: citations.Citation) -> schemas.Citation:
    """Return a citation as it goes out."""
    return schemas.Citation.model_validate(asdict(citation))


def render_run(run: Run) -> schemas.RunDetail:
    """Return an index run as it goes out."""
    report = run.report or {}
    return schemas.RunDetail(
        run_id=run.run_id,
        state=run.state,
        paths=list(run.paths),
        full=run.full,
        strict=run.strict,
        created=run.created,
        started=run.started,
        finished=run.finished,
        progress=schemas.RunProgress(stage=run.stage, done=run.done, total=run.total),
        failed_files=sum(outcome["status"] == "failed" for outcome in run.outcomes),
        generation=report.get("generation", ""),
        published=report.get("published", False),
        documents=report.get("documents", 0),
        passages=report.get("passages", 0),
        encoded=report.get("encoded", 0),
        elapsed_s=round(report.get("elapsed_s", 0.0), 3),
        error=schemas.RunError.model_validate(run.error) if run.error else None,
        outcomes=[schemas.RunOutcome.model_validate(one) for one in run.outcomes],
    )


def _render_hits(snapshot: Snapshot, hits: tuple[Hit, ...]) -> list[schemas.FoundPassage]:
    passages = snapshot.index.passages
    return [render_hit(hit, passages.record(hit.row)) for hit in hits]


def _render_searched(result: SearchResult) -> schemas.Searched:
    return schemas.Searched(documents=result.searched_documents, passages=result.searched_passages)


def _explain(snapshot: Snapshot, result: SearchResult) -> schemas.Explanation:
    parsed = parse_query(result.query.query)
    whole = result.query.mode == "phrase" and not parsed.phrases
    weights = snapshot.retriever.weights
    return schemas.Explanation(
        text=parsed.text,
        phrases=[result.query.query] if whole else list(parsed.phrases),
        excluded=list(parsed.excluded),
        candidates=result.candidates,
        searched=_render_searched(result),
        weights={
            "dense": weights.weight_dense,
            "lexical": weights.weight_lexical,
            "late_interaction": weights.weight_late_interaction,
        },
    )
