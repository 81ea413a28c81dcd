"""The command line: what it prints where, and what its exit codes say."""

import io
import json
import re
import resource
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from conftest import SMALL_SHELF, write_shelf
from corpus.errors import FootnoteError
from footnote.cli import app, main
from footnote.console import _EXIT_CODES, printable
from indexer.generations import IndexFolder
from service.problems import _KINDS
from service.schemas import AskResponse, SearchResponse
from service.settings import ServiceSettings


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ended]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process."""

    def call(*arguments: object, stdin: str = "") -> Ended:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Ended(int(ended.value.code or 0), printed.out, printed.err)

    return call


@pytest.fixture
def on_index(run: Run, small_index: ServiceSettings) -> Run:
    """Run a command on the index of the small shelf."""

    def call(*arguments: object, stdin: str = "") -> Ended:
        return run("--index-dir", small_index.index_dir, *arguments, stdin=stdin)

    return call


def all_commands() -> Iterator[tuple[str, Any]]:
    """Yield the path of each command that does something, and the command."""
    waiting = [("footnote", get_command(app))]
    while waiting:
        path, command = waiting.pop()
        inner = getattr(command, "commands", None)
        if inner is None:
            yield path, command
        else:
            waiting.extend((f"{path} {name}", one) for name, one in inner.items())


def all_errors(kind: type[FootnoteError] = FootnoteError) -> Iterator[type[FootnoteError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from all_errors(one)


# --- help and errors ---


def test_every_command_has_examples_and_can_print_json() -> None:
    for path, command in all_commands():
        options = {name for parameter in command.params for name in parameter.opts}
        assert "--json" in options, path
        if path != "footnote version":
            assert f"\n  {path}" in (command.help or ""), path


def test_help_tells_the_exit_codes(run: Run) -> None:
    ended = run("--help")
    assert ended.code == 0
    assert [line.strip()[0] for line in ended.out.splitlines() if re.match(r" \d ", line)] == list(
        "01234"
    )


def test_help_comes_at_once() -> None:
    # 0.4 s of processor time measured; loading numpy and pydantic alone would add as much.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "footnote", "--help"], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0


def test_exit_codes_are_given_to_errors_that_exist() -> None:
    codes = {error.code for error in all_errors()} | set(_KINDS)
    assert set(_EXIT_CODES) <= codes


def test_without_an_index_one_line_names_the_command_and_the_code_is_3(
    run: Run, tmp_path: Path
) -> None:
    for command in (["search", "bees"], ["ask", "How many bees?"], ["corpus", "list"]):
        ended = run("--index-dir", tmp_path / "none", *command)
        assert ended.code == 3
        assert ended.out == ""
        assert ended.err == (
            f"error: there is no index at {tmp_path / 'none'}; make one with 'footnote index'\n"
        )


def test_a_damaged_index_is_refused_with_the_file_named(
    run: Run, tmp_path: Path, small_shelf: Path
) -> None:
    index = tmp_path / "index"
    assert run("--index-dir", index, "index", small_shelf).code == 0
    vectors = index / "generations" / "000001" / "vectors.faiss"
    vectors.write_bytes(vectors.read_bytes()[:-1] + b"\x00")
    ended = run("--index-dir", index, "search", "bees")
    assert ended.code == 3
    assert ended.err.count("\n") == 1
    assert "vectors.faiss" in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["search", "bees", "--filter", "{"], "--filter is not JSON"),
        (["search", "bees", "--filter", "[1]"], "--filter takes a JSON object"),
        (["search", "bees", "--filter", '{"year": {"$near": 1}}'], "$near"),
        (["search", "bees", "--filter", '{"year": NaN}'], "NaN"),
        (["search", "bees", "--mode", "psychic"], "mode"),
        (["search", "bees", "--as-of", "spring"], "as_of"),
        (["search", "bees", "--top-k", "100000"], "FOOTNOTE_MAX_TOP_K"),
        (["search", "?!"], "no word in it"),
        (["search", "bees\udce4"], "surrogate"),
        (["ask", "why " * 1000], "FOOTNOTE_MAX_QUESTION_CHARS"),
    ],
)
def test_a_request_that_does_not_fit_is_refused_in_one_line(
    on_index: Run, arguments: list[str], said: str
) -> None:
    ended = on_index(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert re.fullmatch(r"error: .+\n", ended.err)
    assert said in ended.err


def test_a_setting_that_does_not_fit_is_named(
    on_index: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTNOTE_CANDIDATES", "many")
    ended = on_index("search", "bees")
    assert ended.code == 2
    assert "FOOTNOTE_CANDIDATES" in ended.err
    assert "many" in ended.err


def test_text_of_reports_does_not_reach_the_terminal_as_commands() -> None:
    # ESC and the 8-bit CSI drive a terminal; U+202E turns the writing round.
    assert printable("a\x1b[31mb\x9bc\u202ed\u00ade\nf\u00a0g") == "a [31mb cde\nf g"


# --- index and corpus ---


def test_index_publishes_and_says_what_changed(run: Run, tmp_path: Path) -> None:
    shelf, index = write_shelf(tmp_path / "shelf"), tmp_path / "index"
    first = run("--index-dir", index, "index", shelf, "--json")
    assert first.code == 0
    assert (first.json["generation"], first.json["published"]) == ("000001", True)
    assert {one["status"] for one in first.json["outcomes"]} == {"added"}

    again = run("--index-dir", index, "index", shelf)
    assert again.code == 0
    assert again.out.startswith("generation 000001 is up to date: 4 documents, ")
    assert "(0 encoded); nothing changed; " in again.out

    (shelf / "bee-census.md").unlink()
    less = run("--index-dir", index, "index", shelf)
    assert less.out.startswith("generation 000002 published: 3 documents, ")
    assert "; 1 removed; " in less.out


def test_bad_files_are_named_with_reasons_and_the_code_is_1(run: Run, tmp_path: Path) -> None:
    shelf, index = write_shelf(tmp_path / "shelf"), tmp_path / "index"
    (shelf / "empty.md").write_bytes(b"")
    (shelf / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (shelf / "twin.md").write_text(SMALL_SHELF["bee-census.md"], encoding="utf-8")

    strict = run("--index-dir", index, "index", shelf, "--strict")
    assert (strict.code, strict.out) == (1, "")
    assert "nothing was published" in strict.err
    assert not (index / "CURRENT").exists()

    ended = run("--index-dir", index, "index", shelf)
    assert ended.code == 1
    table, _, summary = ended.out.partition("generation ")
    rows = dict(line.split(maxsplit=1) for line in table.splitlines()[1:])
    assert set(rows) == {"empty.md", "photo.png", "twin.md"}
    assert "PNG image" in rows["photo.png"]
    assert "bee-census.md" in rows["twin.md"]
    assert "4 documents" in summary
    assert "3 failed" in summary


def test_a_path_that_is_not_there_is_a_usage_error(run: Run, tmp_path: Path) -> None:
    ended = run("--index-dir", tmp_path / "index", "index", tmp_path / "nowhere")
    assert (ended.code, ended.out) == (2, "")
    assert "nowhere" in ended.err


def test_a_shelf_row_without_its_file_is_a_warning(run: Run, tmp_path: Path) -> None:
    shelf = write_shelf(tmp_path / "shelf")
    with (shelf / "shelf.csv").open("a", encoding="utf-8") as rows:
        rows.write("lost.pdf,A Lost Report,Nobody,2020\n")
    ended = run("--index-dir", tmp_path / "index", "index", shelf, "--json")
    assert ended.code == 0
    assert ended.json["published"]
    assert "warning: " in ended.err
    assert "lost.pdf" in ended.err


def test_indexing_while_another_run_writes_ends_with_4(
    run: Run, tmp_path: Path, small_shelf: Path
) -> None:
    with IndexFolder(tmp_path / "index").writing():
        ended = run("--index-dir", tmp_path / "index", "index", small_shelf)
    assert (ended.code, ended.out) == (4, "")
    assert "is indexing into" in ended.err


def test_corpus_list_counts_pages_and_passages(on_index: Run, small_index: ServiceSettings) -> None:
    listed = {
        one["document_id"]: one for one in on_index("corpus", "list", "--json").json["documents"]
    }
    assert set(listed) == {"bee-census", "harbour-safety", "reading-rooms", "sleeper-study"}
    assert listed["reading-rooms"]["pages"] == 2
    assert listed["harbour-safety"]["pages"] == 0
    assert listed["reading-rooms"]["date"] == "2021-03-15"
    manifest = IndexFolder(small_index.index_dir).folder("000001") / "manifest.json"
    total = json.loads(manifest.read_text(encoding="utf-8"))["passages"]
    assert sum(one["passages"] for one in listed.values()) == total

    lines = on_index("corpus", "list").out.splitlines()
    assert re.match(
        r"reading-rooms +Reading Rooms in Public Libraries +2021-03-15 +2 +\d+$", lines[3]
    )
    assert lines[-1] == "4 documents, generation 000001"


# --- search, ask, verify ---


def test_search_prints_what_the_service_would_send(on_index: Run) -> None:
    ended = on_index("search", "tugs for tankers", "--top-k", "2", "--json")
    assert ended.code == 0
    response = SearchResponse.model_validate(ended.json)
    assert len(response.results) == 2
    best = response.results[0]
    assert best.document_id == "harbour-safety"

    shown = on_index("search", "tugs for tankers", "--top-k", "2", "--explain").out
    assert shown.startswith("1. Harbour Safety Review\n    p. 5 · Tugs and pilots\n")
    assert f"\n    {best.permalink}\n" in shown
    assert "notice: Preliminary, do not cite." in shown
    assert f"fused {best.score:.3f}" in shown
    assert "two tugs within the breakwater" in shown


def test_search_takes_filters_dates_and_modes(on_index: Run) -> None:
    found = on_index(
        "search", "passengers", "--filter", '{"publisher": "Bureau of Insects"}', "--json"
    )
    assert {one["document_id"] for one in found.json["results"]} == {"bee-census"}
    early = on_index("search", "passengers", "--as-of", "2022", "--json")
    assert {one["document_id"] for one in early.json["results"]} == {
        "sleeper-study",
        "reading-rooms",
    }
    single = on_index("search", "twelve", "-k", "50", "--max-per-document", "1", "--json")
    ids = [one["document_id"] for one in single.json["results"]]
    assert len(ids) == len(set(ids))
    phrase = on_index("search", "hour of arrival", "--mode", "phrase", "--json")
    assert [one["document_id"] for one in phrase.json["results"]] == ["sleeper-study"]


def test_finding_nothing_is_no_error(on_index: Run) -> None:
    ended = on_index("search", '"zebra crossing"')
    assert (ended.code, ended.out, ended.err) == (0, "nothing found\n", "")


def test_an_answer_has_its_footnotes_below(on_index: Run) -> None:
    question = "How many tugs does a tanker need?"
    response = AskResponse.model_validate(on_index("ask", question, "--json").json)
    assert response.status == "answered"
    first = response.citations[0]
    assert first.cited_text.startswith("Every tanker above 20,000 tonnes needs two tugs")

    answer, _, notes = on_index("ask", question).out.partition("\n\n")
    assert answer == response.answer
    assert notes.startswith(
        "[1] Harbour Safety Review\n"
        "    p. 5 · Tugs and pilots\n"
        f"    {first.permalink}\n"
        "    notice: Preliminary, do not cite.\n"
    )
    for citation in response.citations:
        assert f"[{citation.id}] {citation.document_title}\n" in notes


def test_a_declined_question_is_no_error_and_shows_what_was_searched(on_index: Run) -> None:
    ended = on_index("ask", "Which quantum algorithm factors integers?")
    assert ended.code == 0
    assert ended.out.startswith("These reports don't say.\n")
    assert re.search(r"\nsearched: \d+ passages of 4 documents\n", ended.out)
    assert "[1]" not in ended.out
    assert "The closest passages:" in ended.out


def test_an_answer_verifies_and_one_changed_character_does_not(
    on_index: Run, tmp_path: Path
) -> None:
    answer = on_index("ask", "How many tugs does a tanker need?", "--json").out
    saved = tmp_path / "answer.json"
    saved.write_text(answer, encoding="utf-8")
    valid = on_index("verify", saved)
    assert valid.code == 0
    assert valid.out.startswith("valid: ")

    forged = answer.replace("two tugs", "ten tugs")
    assert forged != answer
    refused = on_index("verify", "-", stdin=forged)
    assert refused.code == 1
    assert refused.out.startswith("not valid:\n  citation 1: ")
    verdict = on_index("verify", "-", "--json", stdin=forged)
    assert (verdict.code, verdict.json["valid"]) == (1, False)


def test_what_is_no_answer_cannot_be_verified(on_index: Run, tmp_path: Path) -> None:
    for text in ("", "[]", '{"answer": "x"}', '{"answer": "x", "sentences": [], "opinions": []}'):
        ended = on_index("verify", "-", stdin=text)
        assert (ended.code, ended.out) == (2, "")
        assert "is not an answer" in ended.err
    missing = on_index("verify", tmp_path / "none.json")
    assert missing.code == 2
    assert "none.json" in missing.err


def test_a_changed_source_is_noted_on_stderr(run: Run, tmp_path: Path) -> None:
    shelf, index = write_shelf(tmp_path / "shelf"), tmp_path / "index"
    run("--index-dir", index, "index", shelf)
    with (shelf / "bee-census.md").open("a", encoding="utf-8") as file:
        file.write("\nOne more hive.\n")
    ended = run("--index-dir", index, "search", "hives", "--json")
    assert ended.json["stale_documents"] == ["bee-census"]
    assert "bee-census" in ended.err


# --- serve ---


def fetch(url: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@dataclass(frozen=True)
class Served:
    process: subprocess.Popen[str]
    url: str
    log: Path

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[[Path], Served]]:
    """Start `footnote serve` on a free port; it is stopped after the test."""
    running: list[subprocess.Popen[str]] = []

    def start(index: Path) -> Served:
        log = tmp_path / "serve.log"
        command = [sys.executable, "-m", "footnote", "--index-dir", str(index), "serve"]
        with log.open("w", encoding="utf-8") as errors:
            process = subprocess.Popen(
                [*command, "--port", "0", "--json"],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        running.append(process)
        assert process.stdout is not None
        printed = process.stdout.read(0) + "".join(process.stdout.readline() for _ in range(3))
        return Served(process, json.loads(printed)["url"], log)

    yield start
    for process in running:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_the_printed_curl_line_is_answered_and_ctrl_c_ends_in_order(
    start_server: Callable[[Path], Served], small_index: ServiceSettings
) -> None:
    server = start_server(small_index.index_dir)
    status, _ = fetch(f"{server.url}/readyz")
    assert status == 200
    log = server.log.read_text(encoding="utf-8")
    [line] = re.findall(r"^Try: (curl .*)$", log, re.MULTILINE)
    _, _, url, _, header, _, body = shlex.split(line)
    assert header == "content-type: application/json"
    assert url == f"{server.url}/v1/ask"
    status, answer = fetch(url, json.loads(body))
    assert (status, answer["status"]) == (200, "answered")
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text(encoding="utf-8")


def test_without_an_index_it_serves_and_says_what_to_do_until_there_is_one(
    start_server: Callable[[Path], Served], run: Run, tmp_path: Path, small_shelf: Path
) -> None:
    index = tmp_path / "index"
    server = start_server(index)
    status, problem = fetch(f"{server.url}/v1/ask", {"question": "How many hives?"})
    assert (status, problem["code"]) == (503, "index_not_ready")
    assert "footnote index" in problem["advice"]
    assert "footnote index" in server.log.read_text(encoding="utf-8")

    assert run("--index-dir", index, "index", small_shelf).code == 0
    deadline = time.monotonic() + 20
    while fetch(f"{server.url}/readyz")[0] != 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    status, answer = fetch(f"{server.url}/v1/ask", {"question": "How many hives?"})
    assert (status, answer["status"]) == (200, "answered")
    assert server.stop() == 0


def test_a_taken_port_is_busy(on_index: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = on_index("serve", "--port", port)
    assert (ended.code, ended.out) == (4, "")
    assert f"port {port} of 127.0.0.1 is taken" in ended.err


def test_an_address_of_another_machine_is_a_usage_error(on_index: Run) -> None:
    # TEST-NET-1 (RFC 5737) belongs to nobody.
    ended = on_index("serve", "--host", "192.0.2.1", "--port", 0)
    assert (ended.code, ended.out) == (2, "")
    assert "192.0.2.1" in ended.err


# --- eval ---


def write_bench(shared: Path) -> None:
    """Write a collection of three documents under the name of one that eval knows."""
    folder = shared / "bench" / "med"
    (folder / "qrels").mkdir(parents=True)
    texts = {"d1": "bees make honey", "d2": "trains carry people", "d3": "lamps shine at night"}
    documents = [{"_id": name, "title": "", "text": text} for name, text in texts.items()]
    queries = [{"_id": "q1", "text": "honey of bees"}, {"_id": "q2", "text": "people in trains"}]
    for name, rows in (("corpus", documents), ("queries", queries)):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    qrels = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\n"
    (folder / "qrels" / "test.tsv").write_text(qrels, encoding="utf-8")


def test_eval_run_prints_figures_and_writes_them(run: Run, tmp_path: Path) -> None:
    write_bench(tmp_path)
    where = ["--shared", tmp_path, "--out", tmp_path / "out", "--cache", tmp_path / "cache"]
    ended = run("eval", "run", "med", "--arm", "lexical", *where, "--json")
    assert ended.code == 0
    [figures] = ended.json
    assert figures["collection"] == "med"
    assert figures["arms"]["lexical"]["means"]["nDCG@10"] == 1.0
    assert json.loads((tmp_path / "out" / "med.json").read_text(encoding="utf-8")) == figures
    table = run("eval", "run", "med", "--arm", "lexical", *where).out
    assert "nDCG@10" in table
    assert "1.000" in table


def test_an_unknown_collection_is_named(run: Run, tmp_path: Path) -> None:
    ended = run("eval", "run", "nonsense", "--shared", tmp_path)
    assert (ended.code, ended.out) == (1, "")
    assert "nonsense" in ended.err


def test_eval_without_its_library_says_what_to_install(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("eval.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    ended = run("eval", "run")
    assert (ended.code, ended.out) == (1, "")
    assert "make install-models" in ended.err


def test_version_is_printed(run: Run) -> None:
    assert re.fullmatch(r"footnote \d+\.\d+\.\d+\n", run("version").out)
    assert run("version", "--json").json["version"] == run("version").out.split()[1]
