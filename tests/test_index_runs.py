"""Index runs: incremental, atomic, and honest about what they could not read."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from corpus.sources import SourceNotFound
from fake_encoder import FakeEncoder
from indexer.build import IndexReport, build_index
from indexer.errors import IndexBusy, IndexDamaged, IndexMismatch, IndexNotFound, NothingIndexed
from indexer.generations import IndexFolder
from indexer.open_index import OpenIndex, open_current
from indexer.settings import IndexSettings

REPORTS = {
    "one.md": "---\ntitle: First report\ndate: 2024-05\n---\n# First report\n\n## Risk\n\n"
    "Risk management means deciding what to do about a risk. It is done all the time.\n",
    "two.md": "# Second report\n\nCompute thresholds are set at 10^25 operations.\n",
    "three.txt": "An audit looks at a system.\n\fIt is done by a third party.\n",
}


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    for name, text in REPORTS.items():
        (folder / name).write_text(text)
    return folder


def run(shelf: Path, encoder: FakeEncoder | None = None, **options: object) -> IndexReport:
    settings = IndexSettings(index_dir=shelf.parent / "index", shelves=[shelf])
    return build_index(settings, encoder or FakeEncoder(), **options)  # type: ignore[arg-type]


def statuses(report: IndexReport) -> dict[str, str]:
    return {outcome.source: outcome.status for outcome in report.outcomes}


def contents(index: OpenIndex) -> list[tuple[str, str]]:
    passages = [index.passages.get(row) for row in range(len(index.passages))]
    return [(p.passage_id, index.passage_text(p)) for p in passages]


def test_a_run_indexes_every_file_and_a_second_one_publishes_nothing(shelf: Path) -> None:
    first = run(shelf)
    assert statuses(first) == dict.fromkeys(["one.md", "three.txt", "two.md"], "added")
    assert first.encoded == first.passages
    second = run(shelf)
    assert set(statuses(second).values()) == {"unchanged"}
    assert (second.published, second.generation) == (False, first.generation)


def test_only_new_text_is_encoded(shelf: Path) -> None:
    run(shelf)
    (shelf / "two.md").write_text(REPORTS["two.md"] + "\n## More\n\nA new section is added.\n")
    encoder = FakeEncoder()
    report = run(shelf, encoder)
    assert statuses(report)["two.md"] == "changed"
    assert report.encoded == 1
    # Beside the one passage only the probe texts of the projection may be encoded, once a process.
    assert encoder.encoded == 1


def test_a_file_whose_time_alone_changed_is_unchanged(shelf: Path) -> None:
    run(shelf)
    os.utime(shelf / "two.md")
    assert run(shelf).published is False


def test_an_incremental_index_equals_a_rebuild(shelf: Path) -> None:
    run(shelf)
    (shelf / "one.md").unlink()
    (shelf / "four.md").write_text("# Fourth\n\nSomething about governance of models.\n")
    (shelf / "two.md").write_text(REPORTS["two.md"].replace("10^25", "10^26"))
    assert statuses(run(shelf)) == {
        "four.md": "added",
        "three.txt": "unchanged",
        "two.md": "changed",
        "one.md": "removed",
    }
    updated = open_current(shelf.parent / "index")
    run(shelf, full=True)
    rebuilt = open_current(shelf.parent / "index")
    assert contents(updated) == contents(rebuilt)
    rows = np.arange(len(rebuilt.passages))
    np.testing.assert_array_equal(
        updated.vectors.reconstruct(rows), rebuilt.vectors.reconstruct(rows)
    )
    np.testing.assert_array_equal(updated.tokens.vectors, rebuilt.tokens.vectors)


def test_saved_and_opened_documents_are_the_ones_that_were_read(shelf: Path) -> None:
    run(shelf)
    index = open_current(shelf.parent / "index")
    record = index.documents.get("three")
    assert record is not None
    document = index.document(record)
    assert [page.label for page in document.pages] == ["1", "2"]
    assert [document.text[b.start : b.end] for b in document.blocks] == [
        "An audit looks at a system.",
        "It is done by a third party.",
    ]
    assert document.metadata["source"] == "three.txt"


def test_bad_files_are_named_with_a_reason_and_the_rest_is_indexed(shelf: Path) -> None:
    (shelf / "empty.md").write_text("")
    (shelf / "binary.txt").write_bytes(bytes(range(256)) * 10)
    (shelf / "sheet.xlsx").write_bytes(b"PK\x03\x04rest")
    (shelf / "z-copy.md").write_text(REPORTS["one.md"])
    report = run(shelf)
    reasons = {outcome.source: outcome.reason for outcome in report.failed}
    assert set(reasons) == {"empty.md", "binary.txt", "sheet.xlsx", "z-copy.md"}
    assert "one.md" in reasons["z-copy.md"]
    assert all(reasons.values())
    assert report.documents == 3


def test_a_copy_made_later_does_not_take_the_place_of_what_is_indexed(shelf: Path) -> None:
    run(shelf)
    (shelf / "a-copy.md").write_text(REPORTS["one.md"])
    report = run(shelf)
    assert statuses(report)["a-copy.md"] == "failed"
    assert statuses(report)["one.md"] == "unchanged"
    assert next(outcome.source for outcome in report.outcomes) == "a-copy.md"
    assert not run(shelf).published


def test_a_strict_run_with_a_bad_file_publishes_nothing(shelf: Path) -> None:
    first = run(shelf)
    (shelf / "empty.md").write_text("")
    with pytest.raises(NothingIndexed, match=r"empty\.md"):
        run(shelf, strict=True)
    assert open_current(shelf.parent / "index").name == first.generation


def test_a_file_that_can_no_longer_be_read_leaves_the_next_generation(shelf: Path) -> None:
    run(shelf)
    (shelf / "one.md").write_text("")
    report = run(shelf)
    assert report.published
    assert statuses(report)["one.md"] == "failed"
    assert open_current(shelf.parent / "index").documents.get("one") is None


def test_an_empty_shelf_and_a_missing_one_are_refused(shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(NothingIndexed):
        run(shelf, paths=[tmp_path / "nothing"])
    with pytest.raises(SourceNotFound):
        run(shelf, paths=[tmp_path / "missing"])
    with pytest.raises(IndexNotFound, match="footnote index"):
        open_current(tmp_path / "index")


def damage(folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)


def test_one_flipped_bit_in_any_file_is_noticed_and_the_generation_before_it_is_opened(
    shelf: Path,
) -> None:
    first = run(shelf)
    (shelf / "one.md").unlink()
    second = run(shelf)
    root = shelf.parent / "index"
    folder = root / "generations" / second.generation
    files = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size]
    checked = [path for path in files if not path.name.startswith(".tantivy-")]
    assert len(checked) > 10
    for path in checked:
        kept = path.read_bytes()
        damage(path.parent, path.name)
        index = open_current(root)
        assert index.name == first.generation
        assert str(path) in index.problems[0]
        path.write_bytes(kept)
    assert open_current(root).problems == ()


def test_a_damaged_text_is_never_quoted(shelf: Path) -> None:
    run(shelf)
    index = open_current(shelf.parent / "index")
    digest = index.documents.records[0].text_sha256
    damage(shelf.parent / "index" / "texts", digest)
    with pytest.raises(IndexDamaged, match=digest):
        index.texts.get(digest)


def test_an_index_of_another_encoder_is_refused_and_what_to_do_is_said(shelf: Path) -> None:
    run(shelf)
    with pytest.raises(IndexMismatch, match="FOOTNOTE_ENCODER"):
        open_current(shelf.parent / "index", encoder="other")


def test_another_encoder_encodes_everything_anew(shelf: Path) -> None:
    run(shelf)
    report = run(shelf, FakeEncoder(name="other"))
    assert report.encoded == report.passages


def test_a_second_run_at_the_same_time_is_refused(shelf: Path) -> None:
    with IndexFolder(shelf.parent / "index").writing(), pytest.raises(IndexBusy, match=r"\d+"):
        run(shelf)


def test_what_a_crash_left_is_cleared_and_never_opened(shelf: Path) -> None:
    first = run(shelf)
    generations = shelf.parent / "index" / "generations"
    shutil.copytree(generations / first.generation, generations / ".new-123")
    (shelf / "two.md").unlink()
    run(shelf)
    assert not list(generations.glob(".new-*"))


def test_only_the_newest_generations_are_kept(shelf: Path) -> None:
    for step in range(5):
        (shelf / "two.md").write_text(REPORTS["two.md"] + f"\nStep {step}.\n")
        run(shelf)
    assert IndexFolder(shelf.parent / "index").names() == ["000003", "000004", "000005"]
