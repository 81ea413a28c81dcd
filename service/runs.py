"""Index runs started over HTTP: one at a time, each in a process of its own, followed by id."""

import json
import logging
import signal
import subprocess
import sys
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Condition, Thread
from typing import Any, Literal

from indexer.settings import IndexSettings
from service.problems import RequestProblem

RunState = Literal["queued", "running", "succeeded", "failed"]
_log = logging.getLogger(__name__)
_MOST_WAITING = 8
_MOST_KEPT = 100
_STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class Run:
    """An index run as it stands; times are ISO 8601 in UTC, "" where not reached.

    Attributes:
        run_id: Names it.
        state: "failed" published nothing; single bad files do not make a run fail.
        paths: What is indexed.
        full: Whether nothing of the old generation is reused.
        strict: Whether one bad file makes the run fail.
        created: When it was asked for.
        started: When it began.
        finished: When it ended.
        stage: What it is doing.
        done: Steps of the stage done.
        total: Steps of the stage.
        report: What `indexer.build.IndexReport` says, but for the outcomes.
        outcomes: What became of each file: source, status, reason.
        error: Why it failed: code, detail, advice.
    """

    run_id: str
    state: RunState
    paths: tuple[str, ...]
    full: bool
    strict: bool
    created: str
    started: str = ""
    finished: str = ""
    stage: str = ""
    done: int = 0
    total: int = 0
    report: dict[str, Any] | None = None
    outcomes: tuple[dict[str, str], ...] = ()
    error: dict[str, str] | None = None


class RunQueue:
    """Carries out runs in the order asked for; safe to use from any thread.

    Args:
        settings: Handed to each run.
        finished: Called after each run, in the queue's thread.
    """

    def __init__(self, settings: IndexSettings, *, finished: Callable[[], None]) -> None:
        fields = set(IndexSettings.model_fields)
        self._settings = settings.model_dump(mode="json", include=fields)
        self._finished = finished
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._waiting: deque[str] = deque()
        self._changed = Condition()
        self._child: subprocess.Popen[str] | None = None
        self._closing = False
        self._thread = Thread(target=self._work, name="index-runs", daemon=True)
        self._thread.start()

    def submit(self, paths: list[Path], *, full: bool, strict: bool) -> Run:
        """Put a run in the queue.

        Raises:
            RequestProblem: Too many are waiting.
        """
        with self._changed:
            if len(self._waiting) >= _MOST_WAITING:
                raise RequestProblem(
                    "too_many_runs",
                    f"{len(self._waiting)} index runs are waiting already",
                    advice="follow one of them at /v1/index/runs",
                )
            named = tuple(str(path) for path in paths)
            run = Run(uuid.uuid4().hex[:12], "queued", named, full, strict, _now())
            self._runs[run.run_id] = run
            self._waiting.append(run.run_id)
            while len(self._runs) > _MOST_KEPT:
                self._runs.popitem(last=False)
            self._changed.notify_all()
            return run

    def get(self, run_id: str) -> Run:
        """Return a run as it stands.

        Raises:
            RequestProblem: There is none of that id.
        """
        with self._changed:
            run = self._runs.get(run_id)
        if run is None:
            raise RequestProblem(
                "run_not_found",
                f"there is no index run {run_id[:40]!r}",
                advice="the last runs since the service started are at /v1/index/runs",
            )
        return run

    def recent(self) -> list[Run]:
        """Return the runs since the service started, the newest first."""
        with self._changed:
            return list(reversed(self._runs.values()))

    def close(self) -> None:
        """Stop the run under way and wait for its process to end; the others are forgotten."""
        with self._changed:
            self._closing = True
            child = self._child
            self._changed.notify_all()
        if child is not None:
            _stop(child)
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or self._waiting)
                if self._closing:
                    return
                run_id = self._waiting.popleft()
            self._update(run_id, state="running", started=_now())
            try:
                self._carry_out(run_id)
            except Exception:
                _log.exception("index run %s could not be carried out", run_id)
                self._fail(run_id, "run_failed", "the run could not be carried out", "see the log")
            self._finished()

    def _carry_out(self, run_id: str) -> None:
        run = self.get(run_id)
        job = {
            "settings": self._settings,
            "paths": run.paths,
            "full": run.full,
            "strict": run.strict,
        }
        child = self._start()
        if child is None:
            return
        with child:
            assert child.stdin is not None and child.stdout is not None  # noqa: S101
            try:
                child.stdin.write(json.dumps(job))
                child.stdin.close()
                for line in child.stdout:
                    self._follow(run_id, json.loads(line))
            except BrokenPipeError:
                pass  # It ended before it read its job; the exit code is told below.
            finally:
                code = _wait(child)
                with self._changed:
                    self._child = None
        if self.get(run_id).state == "running":
            self._fail(run_id, "run_failed", _describe_exit(code), "the service's log says why")

    def _start(self) -> subprocess.Popen[str] | None:
        """Start the process of a run; None when the service is closing."""
        with self._changed:
            if self._closing:
                return None
            # -P: as in the service, modules come from the installation, not the working folder.
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", "indexer.run_job"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is for the service, which then stops the run.
            )
            return self._child

    def _follow(self, run_id: str, event: dict[str, Any]) -> None:
        kind = event.pop("event")
        if kind == "progress":
            self._update(run_id, **event)
        elif kind == "report":
            outcomes = tuple(event.pop("outcomes"))
            self._update(
                run_id, state="succeeded", finished=_now(), report=event, outcomes=outcomes
            )
        elif kind == "error":
            self._fail(run_id, event["code"], event["detail"], event["advice"])

    def _fail(self, run_id: str, code: str, detail: str, advice: str) -> None:
        error = {"code": code, "detail": detail, "advice": advice}
        self._update(run_id, state="failed", finished=_now(), error=error)

    def _update(self, run_id: str, **changes: Any) -> None:
        with self._changed:
            if run_id in self._runs:
                self._runs[run_id] = replace(self._runs[run_id], **changes)


def _stop(child: subprocess.Popen[str]) -> None:
    """Ask a process to end, and make it where it doesn't."""
    child.terminate()
    _wait(child)


def _wait(child: subprocess.Popen[str]) -> int:
    try:
        return child.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def _describe_exit(code: int) -> str:
    if code < 0:
        return f"the indexing process was ended by {signal.Signals(-code).name}"
    return f"the indexing process ended with exit code {code} and no report"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
