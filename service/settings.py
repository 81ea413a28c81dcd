"""Settings of searching, answering and serving, read from the environment (`FOOTNOTE_…`)."""

from pydantic import Field

from indexer.settings import IndexSettings


class SearchWeights(IndexSettings):
    """How the three arms are joined; weights need not add up to 1."""

    # Set before measuring: half to late interaction, the rest shared. On evalset (81 questions)
    # nDCG@10 is .722; the best of a sweep, .05/.25/.70, gives .736 (paired randomisation p = .29)
    # and was undone after bench went down with it: eval/results/README.md tells the whole story.
    weight_dense: float = Field(0.25, ge=0, description="Weight of the pooled vectors' cosine.")
    weight_lexical: float = Field(0.25, ge=0, description="Weight of BM25.")
    weight_late_interaction: float = Field(0.5, ge=0, description="Weight of late interaction.")
    candidates: int = Field(100, ge=10, le=1000, description="Passages that each arm puts forward.")


class ServiceSettings(SearchWeights):
    """Everything a running service can be told."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    max_question_chars: int = Field(
        2000, ge=1, description="A longer query or question is refused."
    )
    max_top_k: int = Field(200, ge=1, description="A search returns no more passages than this.")
    max_body_bytes: int = Field(2_000_000, ge=1024, description="A larger request is refused.")
    query_threads: int = Field(1, ge=1, description="Threads that one request may use.")
    answer_sentences: int = Field(4, ge=1, le=20, description="Most sentences of an answer.")
    answer_passages: int = Field(8, ge=1, le=50, description="Passages that sentences come from.")
    closest_passages: int = Field(3, ge=0, le=20, description="Shown with a declined question.")
    abstain_below: float = Field(
        0.37,  # kept 95% of the questions it was fitted on; see service/confidence.py
        ge=0,
        le=1,
        description="Confidence under which a question is declined.",
    )
