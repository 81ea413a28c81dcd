"""Generations: immutable folders, published by renaming, and the pointer to the current one."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.errors import IndexBusy, IndexNotFound
from indexer.files import sync_file, sync_folder, write_atomically
from indexer.manifest import MANIFEST, check_files, load_manifest

_CURRENT = "CURRENT"


class IndexFolder:
    """The layout of an index on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.texts = root / "texts"
        self.generations = root / "generations"
        self.current_file = root / _CURRENT

    def names(self) -> list[str]:
        """Return the names of all published generations, oldest first."""
        if not self.generations.is_dir():
            return []
        return sorted(folder.name for folder in self.generations.iterdir() if folder.name.isdigit())

    def folder(self, name: str) -> Path:
        """Return a generation's folder."""
        return self.generations / name

    def current(self) -> str:
        """Return the name of the current generation.

        Raises:
            IndexNotFound: Nothing has been published here.
        """
        try:
            name = self.current_file.read_text(encoding="ascii").strip()
        except (FileNotFoundError, NotADirectoryError):
            name = ""
        if not name.isdigit():
            raise IndexNotFound(
                f"there is no index at {self.root}", advice="make one with 'footnote index'"
            )
        return name

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the write lock; the system lets go of it when the process ends, however it ends.

        Raises:
            IndexBusy: Another process holds it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "LOCK").open("a+", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.seek(0)
                holder = lock.read().strip() or "unknown"
                raise IndexBusy(
                    f"process {holder} is indexing into {self.root}",
                    advice="wait for it to end, then try again",
                ) from error
            lock.seek(0)
            lock.truncate()
            lock.write(str(os.getpid()))
            lock.flush()
            yield

    def new_folder(self) -> Path:
        """Return an empty folder to write a generation into, clearing what a crash left."""
        self.generations.mkdir(parents=True, exist_ok=True)
        for litter in self.generations.glob(".new-*"):
            shutil.rmtree(litter)
        folder = self.generations / f".new-{os.getpid()}"
        folder.mkdir()
        return folder

    def publish(self, folder: Path) -> str:
        """Make a written folder the current generation and return its name.

        Files and folders are flushed, every file is read back and compared with the manifest,
        and only then do two renames make it visible. A crash before the last leaves the old
        generation current.

        Raises:
            IndexDamaged: What was read back is not what the manifest says.
        """
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                sync_file(path)
            else:
                sync_folder(path)
        sync_folder(folder)
        check_files(folder, load_manifest(folder))
        names = self.names()
        name = f"{int(names[-1]) + 1 if names else 1:06d}"
        folder.rename(self.folder(name))
        sync_folder(self.generations)
        write_atomically(self.current_file, f"{name}\n".encode("ascii"))
        return name

    def collect(self, *, keep: int) -> list[str]:
        """Remove all but the newest `keep` generations and the current one; return their names."""
        current = self.current()
        removed = [name for name in self.names()[:-keep] if name != current]
        for name in removed:
            # The manifest goes first: a half-removed generation is never taken for a whole one.
            (self.folder(name) / MANIFEST).unlink(missing_ok=True)
            shutil.rmtree(self.folder(name))
        return removed
