"""What goes over HTTP: requests, in which an unknown field is refused, and responses."""

import json
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from corpus.model import BlockKind, MetadataValue
from service.answerer import Status, Support
from service.retriever import Mode
from service.runs import RunState

Generation = Annotated[str, Field(description="The index generation that answered.")]
Stale = Annotated[
    list[str],
    Field(description="Ids of documents whose source has changed or gone since it was indexed."),
]
Count = Annotated[int, Field(ge=0)]


def _check_date(text: str) -> str:
    try:
        date.fromisoformat(text + "-01" * (2 - text.count("-")))
    except ValueError as error:
        raise ValueError(f"{text!r:.20} is not a year, month or day as in 2024-05-31") from error
    return text


def check_json(value: Any) -> Any:
    """Return a request's body, refusing what Python's parser takes although JSON has it not.

    Raises:
        ValueError: It holds half a surrogate pair, NaN or an infinity, or nests too deeply.
    """
    if not isinstance(value, dict):
        return value
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("half a surrogate pair is not a character") from error
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error
    except ValueError as error:
        raise ValueError("a number is NaN or infinite, which JSON has not") from error
    return value


class Closed(BaseModel):
    """A JSON object whose fields are all known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SearchFields(Closed):
    """What can be said of any search."""

    mode: Mode = Field(
        default="hybrid", description="'phrase' takes the whole query as one exact phrase."
    )
    top_k: int = Field(default=10, ge=1, strict=True, description="How many passages to return.")
    filters: dict[str, Any] = Field(
        default={},
        description="On metadata, with $eq $ne $in $nin $gt $gte $lt $lte and $and $or.",
        examples=[{"publisher": "NIST", "year": {"$gte": 2023}}],
    )
    as_of: Annotated[str, AfterValidator(_check_date)] | None = Field(
        default=None,
        description="Only documents dated on or before this year, month or day.",
        examples=["2024-05-31"],
    )
    rerank: bool | None = Field(
        default=None,
        strict=True,
        description="Rank by late interaction; null: in hybrid and semantic.",
    )
    explain: bool = Field(
        default=False, strict=True, description="Also say how the query was understood and scored."
    )
    max_passages_per_document: int | None = Field(
        default=None,
        ge=1,
        strict=True,
        description="Most passages of one document; null for any number.",
    )
    passage_types: Annotated[frozenset[BlockKind], Field(min_length=1)] | None = Field(
        default=None, description="Null: all but headings, contents, references and boilerplate."
    )


class SearchRequest(SearchFields):
    """A search."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"query": "risk tolerance", "top_k": 5}]}
    )

    query: str = Field(
        description='Free words; "quoted phrases" must occur and -words must not.',
        examples=["what does risk tolerance mean"],
    )


class AskRequest(SearchFields):
    """A question."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"question": "What does risk tolerance mean?"}]}
    )

    question: str = Field(examples=["What does risk tolerance mean?"])
    strict: bool = Field(
        default=False,
        strict=True,
        description="Drop sentences that their citations don't support; quoted ones always are.",
    )
    stream: bool = Field(
        default=False, strict=True, description="Answer in server-sent events as it is made."
    )


class Location(Closed):
    """Where a slice is in its report."""

    page_start: int | None = Field(description="PDF page it begins on, from 1; null without pages.")
    page_end: int | None
    page_label: str = Field(description="What is printed on the first page, such as 'xii'.")
    pinpoint: str | None = Field(description="Where a digest's paragraph points to, as 'p. 34'.")
    section_path: list[str] = Field(description="Headings above it, outermost first.")
    start_char: Count = Field(description="First character in the document's text.")
    end_char: Count = Field(description="One past the last.")


class Scores(Closed):
    """Raw scores by arm (null where it was off) and the joined one; higher is better."""

    dense: float | None
    lexical: float | None
    late_interaction: float | None
    fused: float


class FoundPassage(Closed):
    """A passage that a search found."""

    passage_id: str
    document_id: str
    document_title: str
    score: float = Field(description="The joined score.")
    scores: Scores
    text: str = Field(description="The slice, character for character.")
    highlights: list[tuple[int, int]] = Field(
        description="[start, end) of the query's words in `text`."
    )
    location: Location
    passage_type: BlockKind
    permalink: str = Field(description="Opens at /v1/passages/{permalink}, after re-indexing too.")
    metadata: dict[str, MetadataValue]
    notices: list[str] = Field(description="The report's own warnings.")


class Searched(Closed):
    """How much was searched."""

    documents: Count
    passages: Count


class Explanation(Closed):
    """How a query was understood and scored."""

    text: str = Field(description="What was ranked by.")
    phrases: list[str] = Field(description="What had to occur word for word.")
    excluded: list[str] = Field(description="What must not occur.")
    candidates: Count = Field(description="Passages that were ranked.")
    searched: Searched
    weights: dict[str, float] = Field(description="Weight of each arm in the joined score.")


class SearchResponse(Closed):
    """What a search found, best first."""

    query: str
    index_generation: Generation
    results: list[FoundPassage]
    facets: dict[str, dict[str, int]] = Field(
        description="Field → value → how many of the ranked passages have it."
    )
    stale_documents: Stale
    timings_ms: dict[str, float]
    explanation: Explanation | None = Field(default=None, description="With explain only.")


class Sentence(Closed):
    """A sentence of an answer."""

    text: str = Field(description="With its markers; equal to answer[start:end].")
    start: Count
    end: Count
    support: Support
    citation_ids: list[int]


class Citation(Closed):
    """A footnote: a numbered slice of a report."""

    id: int = Field(ge=1, description="The number in the marker.")
    document_id: str
    document_title: str
    document_sha256: str = Field(description="sha256 of the text that the slice is of.")
    passage_id: str = Field(description="The passage it was found in.")
    permalink: str = Field(description="Names this slice.")
    cited_text: str = Field(description="The slice, character for character.")
    location: Location
    selectors: list[dict[str, str | int]] = Field(
        description="W3C TextQuoteSelector and TextPositionSelector."
    )
    verified: bool = Field(description="Whether the slice was read back and found equal.")
    notices: list[str] = Field(description="The report's own warnings.")
    csl: dict[str, Any] = Field(description="The report as a CSL-JSON item with a locator.")
    metadata: dict[str, MetadataValue] = {}


class Receipt(Closed):
    """What it takes to get the same answer again."""

    index_generation: Generation
    encoder: str
    settings_hash: str
    question: str
    passage_ids: list[str]


class SavedAnswer(Closed):
    """An answer as /v1/ask gave it, to be verified; of the fields not needed any may be left out.

    The fields needed are `answer`, `sentences` and `citations`.
    """

    answer_id: str = ""
    status: Status = "answered"
    answer: str = Field(description="The sentences with their markers, or the refusal.")
    sentences: list[Sentence]
    citations: list[Citation] = Field(description="One for each marker, in order.")
    support_rate: float = Field(default=0.0, description="Share of sentences that are supported.")
    confidence: float = Field(
        default=0.0, description="In [0, 1]: that the reports answer the question."
    )
    searched: Searched | None = None
    closest: list[FoundPassage] = Field(
        default=[], description="The best passages, for a question that is declined."
    )
    receipt: Receipt | None = None
    index_generation: str = Field(default="", description="The index generation that answered.")
    stale_documents: list[str] = []
    timings_ms: dict[str, float] = {}
    explanation: Explanation | None = None


class AskResponse(SavedAnswer):
    """An answer: every sentence is followed by the number of its footnote."""

    answer_id: str = Field(description="Equal ids are equal answers.")
    status: Status = Field(description="'not_in_corpus' cites nothing.")
    support_rate: float
    confidence: float
    searched: Searched
    closest: list[FoundPassage]
    receipt: Receipt
    index_generation: Generation
    stale_documents: Stale
    timings_ms: dict[str, float]


class VerifiedCitation(Closed):
    """Whether a citation is what it says it is."""

    id: int
    permalink: str
    valid: bool
    reason: str = Field(description="What is wrong; empty if valid.")
    current: bool = Field(description="Whether the edition it cites is the one indexed now.")


class VerifiedSentence(Closed):
    """Whether a sentence stands in the answer and is what its citations say."""

    start: int
    end: int
    valid: bool
    reason: str


class VerifyResponse(Closed):
    """Whether a saved answer can be trusted."""

    valid: bool = Field(description="Whether everything below and the answer as a whole holds.")
    reasons: list[str] = Field(description="What is wrong; empty if valid.")
    citations: list[VerifiedCitation]
    sentences: list[VerifiedSentence]
    index_generation: Generation


class RunRequest(Closed):
    """An index run; without paths it takes the shelves of the current generation."""

    paths: Annotated[list[str], Field(min_length=1)] | None = Field(
        default=None,
        description="Folders or files of the shelves; documents elsewhere leave the index.",
    )
    full: bool = Field(default=False, strict=True, description="Reuse nothing.")
    strict: bool = Field(
        default=False, strict=True, description="Publish nothing if any file fails."
    )


class RunProgress(Closed):
    """How far a run is."""

    stage: str
    done: Count
    total: Count


class RunOutcome(Closed):
    """What became of one file."""

    source: str = Field(description="Path relative to its shelf.")
    status: str = Field(description="added, changed, unchanged, removed or failed.")
    reason: str = Field(description="Why it failed.")


class RunError(Closed):
    """Why a run failed."""

    code: str
    detail: str
    advice: str


class RunSummary(Closed):
    """An index run."""

    run_id: str
    state: RunState = Field(description="A run that publishes although files failed succeeds.")
    paths: list[str]
    full: bool
    strict: bool
    created: str
    started: str = Field(description="Empty until it begins.")
    finished: str = Field(description="Empty until it ends.")
    progress: RunProgress
    failed_files: Count
    generation: str = Field(description="The current generation after the run.")
    published: bool = Field(description="Whether the run made it; false if nothing changed.")
    documents: Count
    passages: Count
    encoded: Count = Field(description="Passages whose text was new to the encoder.")
    elapsed_s: float
    error: RunError | None


class RunDetail(RunSummary):
    """An index run with what became of each file."""

    outcomes: list[RunOutcome]


class RunList(Closed):
    """The runs since the service started, newest first."""

    runs: list[RunSummary]


class IndexResponse(Closed):
    """The index that serves, and what has changed since it was made."""

    index_generation: Generation
    created: str
    documents: Count
    passages: Count
    encoder: str
    encoder_backend: str
    footnote_version: str
    shelves: list[str]
    settings: dict[str, str | int | float | bool] = Field(
        description="How passages were made, how they are searched, and the limits on requests."
    )
    stale_documents: Stale
    changed: list[str] = Field(description="Ids of documents whose source has other bytes now.")
    missing: list[str] = Field(description="Ids of documents whose source is gone.")
    new: list[str] = Field(
        description="Files on the shelves that are not in the index: new, or refused by its run."
    )
    problems: list[str] = Field(description="Why the newest generation is not the one that serves.")


class DocumentSummary(Closed):
    """A report."""

    document_id: str
    title: str
    text_sha256: str
    source_sha256: str = Field(description="sha256 of the file's bytes.")
    characters: Count
    page_count: Count = Field(description="0 where the source has no pages.")
    passage_count: Count
    metadata: dict[str, MetadataValue]
    notices: list[str] = Field(description="The report's own warnings.")
    stale: bool = Field(description="Whether the source has changed or gone since.")


class DocumentList(Closed):
    """The reports in order of their ids."""

    index_generation: Generation
    total: Count
    offset: Count
    documents: list[DocumentSummary]
    stale_documents: Stale


class Section(Closed):
    """A heading and what it stands over: text[start:end]."""

    title: str
    level: int = Field(description="1 is the outermost.")
    page: int | None
    start: Count
    end: Count
    permalink: str = Field(description="Names the heading.")
    sections: list["Section"]


class PageModel(Closed):
    """A page of the source: text[start:end]."""

    number: int = Field(ge=1)
    label: str = Field(description="What is printed on it.")
    start: Count
    end: Count


class DocumentDetail(DocumentSummary):
    """A report with its contents and pages."""

    index_generation: Generation
    pages: list[PageModel]
    contents: list[Section]
    warnings: list[str] = Field(description="What the reader could not do.")
    stale_documents: Stale


class TextResponse(Closed):
    """A slice of a document's canonical text."""

    document_id: str
    index_generation: Generation
    text_sha256: str
    start: Count
    end: Count
    characters: Count = Field(description="How many the whole text has.")
    text: str


class PassageResponse(Closed):
    """A slice that a permalink names."""

    permalink: str
    index_generation: Generation
    document_id: str
    text_sha256: str
    start: Count
    end: Count
    text: str
    current: bool = Field(description="Whether its edition is the one indexed now.")
    document_title: str = Field(description="Of the edition indexed now; empty if there is none.")
    location: Location | None = Field(description="Null where the edition is not current.")
    passage_type: BlockKind | None
    metadata: dict[str, MetadataValue]
    notices: list[str]
    current_permalink: str | None = Field(
        description="The same words in the edition indexed now, where they occur exactly once."
    )


class Liveness(Closed):
    """The process runs."""

    status: str


class Readiness(Closed):
    """The service answers questions."""

    status: str
    index_generation: Generation
    documents: Count
    passages: Count
    problems: list[str] = Field(description="Why the newest generation is not the one that serves.")
