"""Settings of index building, read from the environment (`FOOTNOTE_…`) or given by a caller."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class IndexSettings(BaseSettings):
    """Where the index is, what goes into it and how; unknown keys are refused."""

    model_config = SettingsConfigDict(env_prefix="FOOTNOTE_", extra="forbid", frozen=True)

    index_dir: Path = Field(Path("index"), description="Folder that holds the index.")
    shelves: list[Path] = Field(
        default=[Path("corpus/reports")],
        description="Folders or files to index when none are named; a JSON list.",
    )
    encoder: str = Field(
        "minilm",
        description="'minilm' (built in), or the name or path of a sentence-transformers model.",
    )
    encoder_backend: Literal["auto", "openvino", "sentence-transformers"] = Field(
        "auto", description="'auto' takes OpenVINO for minilm, sentence-transformers for the rest."
    )
    encoder_threads: int = Field(0, ge=0, description="Threads while indexing; 0 is all cores.")
    passage_tokens: int = Field(
        # 192 of 128–224: see eval/results/; nDCG@10 on evalset moves by less than 0.01 within.
        192,
        ge=32,
        le=512,
        description="Most tiktoken tokens (cl100k_base) of a passage, its headings left out.",
    )
    max_file_bytes: int = Field(
        200 * 2**20, ge=1, description="A larger file is refused, in bytes."
    )
    keep_generations: int = Field(
        3, ge=1, description="Generations kept after publishing; older ones are removed."
    )
