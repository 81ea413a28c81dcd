"""Any sentence-transformers model: the reference, and the way to other models and to a GPU."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from indexer.encoders import minilm
from indexer.encoders.base import Encoded, Floats
from indexer.errors import EncoderUnavailable


class SentenceTransformerEncoder:
    """An encoder that runs in torch through sentence-transformers."""

    def __init__(self, name: str, *, threads: int = 0) -> None:
        """Load a model.

        Args:
            name: "minilm" for the built-in weights, else a model's name or folder.
            threads: Torch threads; 0 leaves torch's own choice.

        Raises:
            EncoderUnavailable: The library is not installed or the model does not load.
        """
        try:
            import torch
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise EncoderUnavailable(
                f"encoder {name!r} needs sentence-transformers, which is not installed",
                advice="run 'make install-models' or set FOOTNOTE_ENCODER=minilm",
            ) from error
        if threads:
            torch.set_num_threads(threads)
        source = str(minilm.model_folder()) if name == "minilm" else name
        try:
            self._model: Any = SentenceTransformer(source)
        except (OSError, ValueError) as error:
            raise EncoderUnavailable(
                f"the model {name!r} does not load: {str(error).splitlines()[0]}",
                advice="give the folder of a sentence-transformers model, or 'minilm'",
            ) from error
        self.backend = f"sentence-transformers-{self._model.device.type}"
        self.max_tokens = int(self._model.max_seq_length or 512)
        self.dims = int(self._model.get_embedding_dimension() or 0)
        self.fingerprint = minilm.FINGERPRINT if name == "minilm" else self._describe(name)

    def count_tokens(self, text: str) -> int:
        """Return how many of the model's tokens a text has, special ones included."""
        return len(self._model.tokenizer(text, truncation=False, verbose=False)["input_ids"])

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the [start, end) characters of each token that is read."""
        encoding = self._model.tokenizer(
            text, truncation=True, max_length=self.max_tokens, return_offsets_mapping=True
        )
        return [(int(start), int(end)) for start, end in encoding["offset_mapping"][1:-1]]

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode texts; see Encoder."""
        if not texts:
            return Encoded(np.zeros((0, self.dims), np.float32), [])
        outputs = self._model.encode(
            list(texts), output_value=None, convert_to_numpy=False, show_progress_bar=False
        )
        pooled = np.stack([row["sentence_embedding"].float().cpu().numpy() for row in outputs])
        pooled /= np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-12)
        tokens: list[Floats] = []
        for row in outputs:
            length = int(row["attention_mask"].sum())
            vectors = row["token_embeddings"].float().cpu().numpy()
            tokens.append(np.ascontiguousarray(vectors[1 : length - 1]))
        return Encoded(pooled.astype(np.float32), tokens)

    def _describe(self, name: str) -> str:
        """Hash the weights and the modules' settings, so that a changed model is noticed."""
        digest = hashlib.sha256()
        for key, tensor in sorted(self._model.state_dict().items()):
            digest.update(key.encode())
            digest.update(tensor.detach().float().cpu().numpy().tobytes())
        digest.update(json.dumps([str(module) for module in self._model]).encode())
        return f"{name}@{digest.hexdigest()[:12]}/{self.max_tokens}/{self.dims}"
