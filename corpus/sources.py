"""Which files are on a shelf, and what is known of each before it is opened."""

import csv
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from corpus.errors import FootnoteError
from corpus.model import Metadata

SHELF_FILE = "shelf.csv"
_NO_REPORTS = frozenset({SHELF_FILE, "collections.toml"})
_LONGEST_ID = 80


class SourceNotFound(FootnoteError):
    """A path that should hold reports does not exist."""

    code = "source_not_found"


class BadShelfFile(FootnoteError):
    """A `shelf.csv` cannot be read as a table with a column "file"."""

    code = "bad_shelf_file"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file on a shelf.

    Attributes:
        path: Where it is.
        source: Its path relative to the shelf, with forward slashes; what `metadata.source` holds.
        document_id: Readable slug, unique among the files discovered together.
        known: Its row of `shelf.csv`, without "file" and empty cells.
    """

    path: Path
    source: str
    document_id: str
    known: Metadata


def discover_sources(paths: Sequence[Path]) -> list[SourceFile]:
    """Return the files to read, in the order of the paths and sorted within each folder.

    A folder is a shelf and is walked; hidden files, shelf.csv, collections.toml and README files
    are passed over. A single file's shelf is its folder. What lies beside the files in a
    `shelf.csv`, in the shelf or in a folder of it, becomes `known`; the nearer one wins. Links to
    folders are not followed, and a link that leads out of the shelf is listed, but
    `read_document` refuses it.

    Raises:
        SourceNotFound: A path does not exist.
        BadShelfFile: A shelf.csv is malformed.
    """
    sources: list[SourceFile] = []
    seen: set[Path] = set()
    taken: set[str] = set()
    for shelf, files in _open_shelves(paths):
        rows = _read_rows(shelf, files)
        for relative in files:
            path = shelf / relative
            place = path.parent.resolve() / path.name
            if place in seen:
                continue
            seen.add(place)
            document_id = _choose_id(PurePosixPath(relative), taken)
            taken.add(document_id)
            sources.append(SourceFile(path, relative, document_id, rows.get(relative, {})))
    return sources


def unmatched_rows(paths: Sequence[Path]) -> list[str]:
    """Return one line for each row of a shelf.csv whose file is not there.

    Raises:
        SourceNotFound: A path does not exist.
        BadShelfFile: A shelf.csv is malformed.
    """
    missing: list[str] = []
    for path in paths:
        _require(path)
        for folder in _shelf_folders(path, _walk(path)) if path.is_dir() else ():
            missing.extend(
                f"{folder / SHELF_FILE}: there is no file {name!r}"
                for name in _read_shelf_file(folder / SHELF_FILE)
                if not (folder / name).is_file()
            )
    return missing


def slugify(text: str) -> str:
    """Return a text as an id: lower-case ASCII letters, digits and single hyphens, at most 80."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return slug[:_LONGEST_ID].strip("-") or "document"


def _open_shelves(paths: Sequence[Path]) -> Iterator[tuple[Path, list[str]]]:
    for path in paths:
        _require(path)
        if path.is_dir():
            yield path, _walk(path)
        else:
            real = path.resolve()  # the user named this file, wherever it is
            yield real.parent, [real.name]


def _require(path: Path) -> None:
    if not path.exists():
        raise SourceNotFound(
            f"there is no file or folder {str(path)!r}",
            advice="check the spelling, or give the folder that holds the reports",
        )


def _walk(shelf: Path) -> list[str]:
    """Return the files of a shelf relative to it, sorted, and the folders it cannot go into."""
    root = shelf.resolve()
    found: list[Path] = []

    def note(error: OSError) -> None:
        found.append(Path(error.filename))

    for folder, subfolders, names in os.walk(shelf, onerror=note):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        found.extend(Path(folder) / name for name in names if not _is_passed_over(name))
        paths = (Path(folder) / name for name in subfolders)
        found.extend(
            path for path in paths if path.is_symlink() and not path.resolve().is_relative_to(root)
        )
    return sorted(path.relative_to(shelf).as_posix() for path in found if path != shelf)


def _is_passed_over(name: str) -> bool:
    lower = name.casefold()
    return lower.startswith((".", "readme")) or lower in _NO_REPORTS


def _shelf_folders(shelf: Path, files: Sequence[str]) -> list[Path]:
    """Return the folders that have a shelf.csv, a folder before the folders in it."""
    folders = {shelf}
    for relative in files:
        folders.update(shelf / parent for parent in PurePosixPath(relative).parents)
    return sorted(folder for folder in folders if (folder / SHELF_FILE).is_file())


def _read_rows(shelf: Path, files: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return what the shelf files say, by path relative to the shelf."""
    rows: dict[str, dict[str, str]] = {}
    for folder in _shelf_folders(shelf, files):
        for name, row in _read_shelf_file(folder / SHELF_FILE).items():
            place = Path(os.path.normpath(folder / name))
            if place.is_relative_to(shelf):
                known = rows.setdefault(place.relative_to(shelf).as_posix(), {})
                known.update(row)
    return rows


def _read_shelf_file(path: Path) -> Mapping[str, dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            table = csv.DictReader(lines)
            if "file" not in (table.fieldnames or ()):
                raise BadShelfFile(
                    f"{path} has no column 'file'",
                    advice="its first line names the columns: file,title,publisher,date",
                )
            return {
                row["file"].strip().replace("\\", "/"): _read_row(row)
                for row in table
                if row["file"] and row["file"].strip()
            }
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadShelfFile(
            f"{path} is not a table of comma-separated values ({error})",
            advice="save it as CSV in UTF-8",
        ) from error


def _read_row(row: Mapping[str | None, str | list[str] | None]) -> dict[str, str]:
    """Return a row without "file" and empty cells; a cell beyond the last column has no name."""
    return {
        name.strip(): value.strip()
        for name, value in row.items()
        if name and name != "file" and isinstance(value, str) and value.strip()
    }


def _choose_id(relative: PurePosixPath, taken: set[str]) -> str:
    """Return an id that is not taken: the file's name, then with its folder's, then numbered."""
    slug = slugify(relative.stem)
    if slug not in taken:
        return slug
    if relative.parent.name:
        slug = slugify(f"{relative.parent.name}-{relative.stem}")
    chosen, number = slug, 2
    while chosen in taken:
        ending = f"-{number}"
        chosen = slug[: _LONGEST_ID - len(ending)].rstrip("-") + ending
        number += 1
    return chosen
