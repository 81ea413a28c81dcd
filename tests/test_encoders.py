"""The fast encoder against sentence-transformers, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest

from indexer.build import build_index
from indexer.encoders import Encoder, load_encoder, minilm
from indexer.encoders.base import batches_by_length
from indexer.errors import EncoderUnavailable
from indexer.settings import IndexSettings
from indexer.tokens import count_tokens

TEXTS = [
    "Risk",
    "",
    "Providers of general-purpose AI models with systemic risk shall notify the Commission.",
    "Zürich naïve café — 10^26 FLOP, “quoted”, 漢字 and emoji 🤖.",
    "word " * 400,
    "A table row: Claim: something is likely | Confidence Level: Low",
]


@pytest.fixture(scope="module")
def reference() -> Encoder:
    return load_encoder("minilm", backend="sentence-transformers", threads=1)


def test_both_speeds_give_the_same_vectors(encoder: Encoder, reference: Encoder) -> None:
    fast, slow = encoder.encode(TEXTS), reference.encode(TEXTS)
    assert encoder.fingerprint == reference.fingerprint
    np.testing.assert_array_less(0.999, (fast.pooled * slow.pooled).sum(axis=1))
    for mine, theirs in zip(fast.tokens, slow.tokens, strict=True):
        assert mine.shape == theirs.shape
        norms = np.linalg.norm(mine, axis=1) * np.linalg.norm(theirs, axis=1)
        assert (((mine * theirs).sum(axis=1) / norms) > 0.999).all()


def test_both_count_and_place_tokens_alike(encoder: Encoder, reference: Encoder) -> None:
    for text in TEXTS:
        assert encoder.count_tokens(text) == reference.count_tokens(text)
        assert encoder.token_offsets(text) == reference.token_offsets(text)


def test_every_token_vector_has_its_place_in_the_text(encoder: Encoder) -> None:
    for text, tokens in zip(TEXTS, encoder.encode(TEXTS).tokens, strict=True):
        assert len(encoder.token_offsets(text)) == len(tokens)


def test_a_vector_does_not_depend_on_what_else_is_in_the_batch(encoder: Encoder) -> None:
    alone = np.concatenate([encoder.encode([text]).pooled for text in TEXTS])
    np.testing.assert_allclose(encoder.encode(TEXTS).pooled, alone, atol=1e-5)


def test_no_texts_give_no_vectors(encoder: Encoder) -> None:
    assert encoder.encode([]).pooled.shape == (0, 384)


def test_batches_hold_every_text_once_and_keep_the_limit() -> None:
    lengths = [3, 250, 7, 250, 100, 1, 9]
    batches = batches_by_length(lengths, max_tokens=300)
    assert sorted(index for batch in batches for index in batch) == list(range(7))
    assert all(len(batch) * max(lengths[index] for index in batch) <= 300 for batch in batches)


def test_altered_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(EncoderUnavailable, match="sha256"):
        minilm.model_folder()


def test_a_model_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(EncoderUnavailable, match="no-such-model"):
        load_encoder("/no-such-model")


def test_special_token_names_are_counted_as_text() -> None:
    assert count_tokens("<|endoftext|>") > 1


@pytest.mark.slow
def test_any_sentence_transformers_model_can_be_used(tmp_path: Path) -> None:
    """A tiny model with random weights, made here, indexes and reports its own fingerprint."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path / "bert"
    BertModel(
        BertConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64)
    ).save_pretrained(folder)
    source = minilm.model_folder()
    BertTokenizerFast(str(source / "vocab.txt")).save_pretrained(folder)
    module = Transformer(str(folder), max_seq_length=128)
    SentenceTransformer(modules=[module, Pooling(32)]).save(str(tmp_path / "model"))
    encoder = load_encoder(str(tmp_path / "model"))
    assert (encoder.dims, encoder.max_tokens) == (32, 128)
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "a.md").write_text("# A\n\nSomething to read.\n")
    report = build_index(
        IndexSettings(index_dir=tmp_path / "index", shelves=[tmp_path / "shelf"]), encoder
    )
    manifest = tmp_path / "index" / "generations" / report.generation / "manifest.json"
    assert json.loads(manifest.read_text())["encoder"] == encoder.fingerprint
