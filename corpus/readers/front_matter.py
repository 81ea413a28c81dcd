"""YAML front matter: splitting it from a Markdown text, and what of it becomes metadata."""

import datetime
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from corpus.builder import clean_text
from corpus.model import MetadataValue

# The closing line may be "---" or YAML's own "...".
_OPENING = re.compile(r"\ufeff?---[ \t]*\n")
_CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
_KEY_LINE = re.compile(r"([A-Za-z_][\w-]*)[ \t]*:(?:[ \t]+(\S.*))?$")
# Kept letter for letter: YAML would make 2501.10010 a float without its last zero, 1.0 a number
# and "no" (Norwegian) a false.
_VERBATIM = re.compile(
    r"(?:.*[-_])?(?:id|doi|isbn|sha256|version|edition|title|language|lang|code|date|publisher)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What stood before a Markdown text.

    Attributes:
        metadata: Scalars and lists of scalars, empty ones left out.
        notices: The entry `notices`.
        warnings: What was dropped, one line each.
    """

    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def split_front_matter(text: str) -> tuple[FrontMatter | None, str]:
    """Return the front matter and the text after it; (None, text) if there is none.

    A rule (`---`) above ordinary prose is not front matter. Malformed YAML gives a warning and
    whatever plain `key: value` lines it holds.
    """
    opening = _OPENING.match(text)
    if opening is None:
        return None, text
    closing = _CLOSING.search(text, opening.end())
    if closing is None:
        return None, text
    source = text[opening.end() : closing.start()]
    body = text[closing.end() :]
    try:
        node = yaml.compose(source, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        lines = source.strip().splitlines()
        if not lines or _KEY_LINE.match(lines[0]) is None:
            return None, text
        return _salvage(source, error), body
    if node is None:
        return FrontMatter(), body
    if not isinstance(node, yaml.MappingNode):
        return None, text
    return _read_mapping(node), body


def _read_mapping(node: yaml.MappingNode) -> FrontMatter:
    metadata: dict[str, MetadataValue] = {}
    notices: tuple[str, ...] = ()
    warnings: list[str] = []
    for key_node, value_node in node.value:
        key = clean_text(str(key_node.value)) if isinstance(key_node, yaml.ScalarNode) else ""
        value = _convert(key, value_node)
        if not key or value is None:
            warnings.append(f"front matter: {key or 'an entry'!r} is nested; left out")
        elif key == "notices":
            notices = tuple(value if isinstance(value, list) else filter(None, [str(value)]))
        elif value not in ("", []):
            metadata[key] = value
    return FrontMatter(_tidy(metadata), notices, tuple(warnings))


def _convert(key: str, node: yaml.Node) -> MetadataValue | None:
    """Return a node's value; None if it is nested, "" or [] if it is empty."""
    if isinstance(node, yaml.ScalarNode):
        return _convert_scalar(key, node)
    if not isinstance(node, yaml.SequenceNode):
        return None
    items: list[str] = []
    for item in node.value:
        if not isinstance(item, yaml.ScalarNode):
            return None
        items.append(str(_convert_scalar("list_id", item)))
    return [item for item in items if item]


def _convert_scalar(key: str, node: yaml.ScalarNode) -> str | int | float | bool:
    if node.tag == "tag:yaml.org,2002:null":
        return ""
    if _VERBATIM.fullmatch(key):
        return clean_text(str(node.value))
    try:
        value = yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError, OverflowError):
        return clean_text(str(node.value))
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, datetime.date):
        return value.isoformat()
    return clean_text(str(node.value))


def _tidy(metadata: dict[str, MetadataValue]) -> dict[str, MetadataValue]:
    """Make `authors` a list, whichever of the usual ways it was written."""
    single = metadata.pop("author", None)
    if single is not None:
        metadata.setdefault("authors", single)
    authors = metadata.get("authors")
    if authors is not None and not isinstance(authors, list):
        metadata["authors"] = [name.strip() for name in str(authors).split(";") if name.strip()]
    return metadata


def _salvage(source: str, error: Exception) -> FrontMatter:
    mark = getattr(error, "problem_mark", None)
    where = f" at line {mark.line + 2}" if mark is not None else ""
    metadata: dict[str, MetadataValue] = {}
    for line in source.splitlines():
        match = _KEY_LINE.match(line)
        if match is not None and match[2] and match[2][0] not in "[{&*!|>%@`":
            metadata[match[1]] = clean_text(match[2].strip().strip("\"'"))
    notice = metadata.pop("notices", None)
    return FrontMatter(
        _tidy({key: value for key, value in metadata.items() if value}),
        (str(notice),) if notice else (),
        (f"front matter is not valid YAML{where}; only its plain 'key: value' lines were kept",),
    )
