"""Writing files so that a crash leaves either the old state or the new one."""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(file: Path) -> None:
    """Flush a file's bytes to disk."""
    with file.open("rb+") as handle:
        os.fsync(handle.fileno())


def write_atomically(file: Path, data: bytes) -> None:
    """Replace a file's content as a whole: written beside it, flushed, renamed over it."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(file.parent)


def hash_file(file: Path) -> str:
    """Return the hex sha256 of a file's bytes."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def open_array(file: Path) -> NDArray[Any]:
    """Map a .npy file into memory, read only; nothing in it is ever unpickled."""
    # A plain array over the map: slicing a numpy.memmap costs several times as much.
    return np.asarray(np.load(file, allow_pickle=False, mmap_mode="r"))
