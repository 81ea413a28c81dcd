"""The manifest of a generation: what it was made from, and the hash of each of its files."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from indexer.errors import IndexDamaged, IndexMismatch
from indexer.files import hash_file

FORMAT_VERSION = 1
MANIFEST = "manifest.json"


class FileEntry(BaseModel):
    """Size and hash that a file must have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size_bytes: int
    sha256: str


class Manifest(BaseModel):
    """What `manifest.json` says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format_version: int
    footnote_version: str
    created: str
    shelves: list[str]
    encoder: str
    encoder_backend: str
    late_interaction: str
    reader_version: str
    settings: dict[str, str | int | float | bool]
    documents: int
    passages: int
    tokens: int
    files: dict[str, FileEntry]


def list_files(folder: Path) -> dict[str, FileEntry]:
    """Measure every file of a generation's folder but the manifest and tantivy's lock files."""
    files = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and name != MANIFEST and not file.name.startswith(".tantivy-"):
            files[name] = FileEntry(size_bytes=file.stat().st_size, sha256=hash_file(file))
    return files


def load_manifest(folder: Path) -> Manifest:
    """Read a generation's manifest.

    Raises:
        IndexDamaged: It is missing or not a manifest.
        IndexMismatch: It is of another format version.
    """
    file = folder / MANIFEST
    try:
        manifest = Manifest.model_validate_json(file.read_bytes())
    except FileNotFoundError as error:
        raise IndexDamaged(f"{file} is missing", advice="run 'footnote index'") from error
    except ValidationError as error:
        raise IndexDamaged(f"{file} is not a manifest", advice="run 'footnote index'") from error
    if manifest.format_version != FORMAT_VERSION:
        raise IndexMismatch(
            f"{folder} has format {manifest.format_version}, this Footnote reads {FORMAT_VERSION}",
            advice="rebuild with 'footnote index --full'",
        )
    return manifest


def check_files(folder: Path, manifest: Manifest) -> None:
    """Compare every file with the manifest.

    Raises:
        IndexDamaged: One is missing, has another size or other bytes; it is named.
    """
    for name, entry in manifest.files.items():
        file = folder / name
        if not file.is_file():
            problem = "is missing"
        elif (size := file.stat().st_size) != entry.size_bytes:
            problem = f"has {size} bytes, its manifest says {entry.size_bytes}"
        elif hash_file(file) != entry.sha256:
            problem = "does not have the sha256 its manifest says"
        else:
            continue
        raise IndexDamaged(f"{file} {problem}", advice="run 'footnote index' to make a new one")
