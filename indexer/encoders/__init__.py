"""Encoders: one protocol, the built-in MiniLM in OpenVINO, and sentence-transformers."""

from indexer.encoders.base import Encoded, Encoder, Floats

__all__ = ["Encoded", "Encoder", "Floats", "load_encoder"]


def load_encoder(name: str = "minilm", *, backend: str = "auto", threads: int = 0) -> Encoder:
    """Return the encoder that settings name.

    Args:
        name: "minilm", or the name or folder of a sentence-transformers model.
        backend: "openvino", "sentence-transformers", or "auto": OpenVINO for minilm.
        threads: Threads that one call may use; 0 is all cores.

    Raises:
        EncoderUnavailable: The library or the weights are missing or not the expected ones.
    """
    if name == "minilm" and backend != "sentence-transformers":
        from indexer.encoders.minilm import MiniLM

        return MiniLM(threads=threads)
    if backend == "openvino":
        from indexer.errors import EncoderUnavailable

        raise EncoderUnavailable(
            f"the openvino backend runs only 'minilm', not {name!r}",
            advice="set FOOTNOTE_ENCODER_BACKEND=auto",
        )
    from indexer.encoders.sentence_transformer import SentenceTransformerEncoder

    return SentenceTransformerEncoder(name, threads=threads)
