"""The index that is being served: one immutable snapshot, swapped when a generation appears."""

import logging
import time
from dataclasses import dataclass, replace
from threading import Event, Lock, Thread

from corpus.errors import FootnoteError
from indexer.encoders import Encoder
from indexer.errors import IndexDamaged, IndexNotFound
from indexer.generations import IndexFolder
from indexer.manifest import Manifest, load_manifest
from indexer.open_index import OpenIndex, open_current, open_generation
from service.answerer import Answerer
from service.retriever import Retriever, SearchQuery
from service.settings import ServiceSettings

_log = logging.getLogger(__name__)
_POLL_S = 0.5
# A refused generation is looked at again after this long, doubled each time: its files may have
# been restored, but checking a large one costs seconds.
_RETRY_S, _LONGEST_RETRY_S = 5.0, 300.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One generation with what answers from it; a request takes one and keeps it to its end."""

    index: OpenIndex
    retriever: Retriever
    answerer: Answerer


@dataclass(frozen=True, slots=True)
class _State:
    """What is served, or why nothing is; and newer generations that were refused."""

    snapshot: Snapshot | None
    error: FootnoteError
    problems: tuple[str, ...] = ()


class LiveIndex:
    """Serves the current generation and follows CURRENT in a thread of its own.

    A new generation is opened, checked and searched once beside the one that serves; only then
    does it take over. One that is damaged or made with another encoder is refused and reported
    in `problems`, and the old one goes on. `close` ends the thread.
    """

    def __init__(
        self, settings: ServiceSettings, encoder: Encoder, *, poll_s: float = _POLL_S
    ) -> None:
        """Open the current generation, if there is one, and begin to follow it."""
        self._settings = settings
        self._encoder = encoder
        self._poll_s = poll_s
        self._folder = IndexFolder(settings.index_dir)
        self._state = _State(None, IndexNotFound(f"there is no index at {settings.index_dir}"))
        self._seen: tuple[int, ...] | None = (-1,)
        self._retry_at, self._retry_s = float("inf"), _RETRY_S
        self._lock = Lock()
        self._wake = Event()
        self._closing = False
        self.refresh()
        self._thread = Thread(target=self._follow, name="live-index", daemon=True)
        self._thread.start()

    def snapshot(self) -> Snapshot:
        """Return what serves now.

        Raises:
            IndexNotFound: Nothing has been indexed yet.
            IndexDamaged: No generation is whole.
            IndexMismatch: The index was made with another encoder.
        """
        state = self._state
        if state.snapshot is None:
            raise _copy(state.error)
        return state.snapshot

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the newest generation is not the one that serves, one line each."""
        return self._state.problems

    def nudge(self) -> None:
        """Look for a new generation at once."""
        self._wake.set()

    def close(self) -> None:
        """End the thread; the last snapshot stays usable."""
        self._closing = True
        self._wake.set()
        self._thread.join()

    def refresh(self, *, force: bool = False) -> None:
        """Serve what CURRENT names, if that is new; a bad generation changes nothing.

        Args:
            force: Look even if CURRENT is as it was.
        """
        with self._lock:
            seen = self._stamp()
            if seen != self._seen:
                self._retry_s = _RETRY_S
            elif not force and time.monotonic() < self._retry_at:
                return
            self._seen = seen
            try:
                index = self._open()
                if index is not None:
                    self._swap(self._try(index))
            except Exception as error:
                # Also what nobody foresaw (too many open files, too little memory): the thread
                # must live, the old snapshot must serve, and the reason must be seen.
                self._refuse(error)
            self._retry_at = float("inf")
            if self._state.problems:
                self._retry_at = time.monotonic() + self._retry_s
                self._retry_s = min(self._retry_s * 2, _LONGEST_RETRY_S)

    def _follow(self) -> None:
        while not self._closing:
            woken = self._wake.wait(self._poll_s)
            self._wake.clear()
            if self._closing:
                return
            self.refresh(force=woken)

    def _stamp(self) -> tuple[int, ...] | None:
        """Return what tells one CURRENT from another; None where there is none."""
        try:
            status = self._folder.current_file.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def _open(self) -> OpenIndex | None:
        """Open what should serve; None if it already does."""
        served = self._state.snapshot
        fingerprint = self._encoder.fingerprint
        if served is None:
            return open_current(self._folder.root, encoder=fingerprint)
        name = self._folder.current()
        # An index that was deleted and made anew begins again with the same names.
        if name == served.index.name and self._manifest(name) == served.index.manifest:
            self._state = replace(self._state, problems=())
            return None
        return open_generation(self._folder, name, encoder=fingerprint)

    def _manifest(self, name: str) -> Manifest:
        return load_manifest(self._folder.folder(name))

    def _try(self, index: OpenIndex) -> Snapshot:
        """Search once, so that the first request finds memory warm and a useless index is seen."""
        retriever = Retriever(index, self._encoder, self._settings)
        retriever.search(SearchQuery("what does the report say"))
        return Snapshot(index, retriever, Answerer(retriever, self._settings))

    def _swap(self, snapshot: Snapshot) -> None:
        self._state = _State(snapshot, self._state.error, snapshot.index.problems)
        _log.info("generation %s serves", snapshot.index.name)

    def _refuse(self, error: Exception) -> None:
        """Note why a generation does not serve; that there is none yet is no problem."""
        if not isinstance(error, FootnoteError):
            _log.error("the index could not be opened", exc_info=error)
            error = IndexDamaged(f"the index could not be opened: {error!r:.300}")
        state = self._state
        if state.snapshot is None:
            state = replace(state, error=_copy(error))
        unborn = state.snapshot is None and isinstance(error, IndexNotFound)
        problems = () if unborn else (str(error),)
        if problems and problems != state.problems:
            _log.error("a generation is refused: %s", error)
        self._state = replace(state, problems=problems)


def _copy(error: FootnoteError) -> FootnoteError:
    """Return an error without its traceback, whose frames would keep what they opened."""
    return type(error)(str(error.args[0]), advice=error.advice)
