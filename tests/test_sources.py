"""Shelves: which files are found, what is known of them, what they are called."""

from pathlib import Path

import pytest

from corpus.permalinks import parse_permalink
from corpus.sources import (
    BadShelfFile,
    SourceNotFound,
    discover_sources,
    slugify,
    unmatched_rows,
)


def put(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_md", ".md").replace("_csv", ".csv")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def ids(*paths: Path) -> dict[str, str]:
    return {found.source: found.document_id for found in discover_sources(paths)}


def test_a_folder_is_walked_in_order_without_hidden_files_and_the_shelfs_own(
    tmp_path: Path,
) -> None:
    put(tmp_path, b_md="b", a__c_md="c", shelf_csv="file\n", README_md="r")
    put(tmp_path, **{".hidden_md": "h", ".git__x_md": "x", "collections.toml": ""})
    assert [found.source for found in discover_sources([tmp_path])] == ["a/c.md", "b.md"]


def test_a_files_row_of_the_shelf_file_becomes_what_is_known(tmp_path: Path) -> None:
    put(tmp_path, a__c_md="c", d_md="d")
    rows = "file,title,publisher,edition\na/c.md,The C Report,  NIST ,\n"
    (tmp_path / "shelf.csv").write_bytes(b"\xef\xbb\xbf" + rows.encode())  # as Excel saves it
    first, second = discover_sources([tmp_path])
    assert first.known == {"title": "The C Report", "publisher": "NIST"}
    assert second.known == {}


def test_a_shelf_file_nearer_to_the_report_wins(tmp_path: Path) -> None:
    put(tmp_path, a__c_md="c", shelf_csv="file,title,family\na/c.md,Far,f\n")
    put(tmp_path, a__shelf_csv="file,title\nc.md,Near\n")
    (found,) = discover_sources([tmp_path])
    assert found.known == {"title": "Near", "family": "f"}


def test_a_single_file_has_its_folder_as_shelf_and_its_row_too(tmp_path: Path) -> None:
    put(tmp_path, c_md="c", d_md="d", shelf_csv="file,title\nc.md,Titled\n")
    (found,) = discover_sources([tmp_path / "c.md"])
    assert (found.source, found.known) == ("c.md", {"title": "Titled"})


def test_a_file_named_twice_is_found_once(tmp_path: Path) -> None:
    put(tmp_path, c_md="c")
    assert len(discover_sources([tmp_path, tmp_path / "c.md"])) == 1


def test_rows_without_a_file_are_reported(tmp_path: Path) -> None:
    put(tmp_path, c_md="c", shelf_csv="file,title\nc.md,C\ngone.md,Gone\n")
    (line,) = unmatched_rows([tmp_path])
    assert "gone.md" in line and "shelf.csv" in line


@pytest.mark.parametrize("content", [b"title,date\nx,y\n", b"file\n\xff\xfe\x80\n", b""])
def test_a_malformed_shelf_file_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, c_md="c")
    (tmp_path / "shelf.csv").write_bytes(content)
    with pytest.raises(BadShelfFile, match=r"shelf\.csv"):
        discover_sources([tmp_path])


def test_a_missing_path_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match="check the spelling") as caught:
        discover_sources([tmp_path / "nowhere"])
    assert caught.value.code == "source_not_found"


def test_ids_are_readable_and_fit_a_permalink(tmp_path: Path) -> None:
    name = "EU__Guidelines – Définition (AI) v1.0.md"
    (tmp_path / name).write_text("x", encoding="utf-8")
    assert ids(tmp_path) == {name: "eu-guidelines-definition-ai-v1-0"}
    parse_permalink(ids(tmp_path)[name] + "@0123456789ab:0-1")


def test_a_name_without_latin_letters_still_gets_an_id() -> None:
    assert slugify("报告") == "document"
    assert slugify("a" * 200) == "a" * 80


def test_files_of_one_name_are_told_apart_by_folder_and_then_by_number(tmp_path: Path) -> None:
    put(tmp_path, a__report_md="1", b__report_md="2", report_md="3")
    (tmp_path / "b" / "report.txt").write_text("4", encoding="utf-8")
    expected = {
        "a/report.md": "report",
        "b/report.md": "b-report",
        "b/report.txt": "b-report-2",
        "report.md": "report-2",
    }
    assert ids(tmp_path) == expected
    assert ids(tmp_path) == expected  # the same on every run


def test_a_link_out_of_the_shelf_is_listed_but_a_linked_folder_is_not_entered(
    tmp_path: Path,
) -> None:
    outside = put(tmp_path / "outside", away_md="s")
    shelf = put(tmp_path / "shelf", c_md="c")
    (shelf / "link.md").symlink_to(outside / "away.md")
    (shelf / "folder").symlink_to(outside, target_is_directory=True)
    assert [found.source for found in discover_sources([shelf])] == ["c.md", "folder", "link.md"]


@pytest.mark.shared
def test_every_row_of_the_real_shelf_has_its_file_and_every_file_its_row(shared: Path) -> None:
    shelf = shared / "reports"
    found = discover_sources([shelf])
    assert len(found) == 19
    assert unmatched_rows([shelf]) == []
    assert all(source.known["title"] and source.known["family"] for source in found)
    assert len({source.document_id for source in found}) == 19
