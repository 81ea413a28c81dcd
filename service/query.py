"""What a person typed: free words, "exact phrases" and -excluded words."""

import re
from dataclasses import dataclass

# A phrase in straight or curly quotes, or an excluded word or phrase; a quote that is never
# closed is punctuation. A hyphen excludes only at the beginning of a word.
_PART = re.compile(
    r'(?P<minus>(?<!\S)-)?(?:"(?P<straight>[^"]+)"|“(?P<curly>[^”]+)”)|(?<!\S)-(?P<word>\w\S*)'
)


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A query in its parts.

    Attributes:
        text: What is ranked by: everything typed but exclusions and quotation marks.
        phrases: Each must occur word for word.
        excluded: None of these may occur.
    """

    text: str
    phrases: tuple[str, ...]
    excluded: tuple[str, ...]


def parse_query(query: str) -> ParsedQuery:
    """Part a query; anything that is not a quoted phrase or an exclusion is free text."""
    phrases: list[str] = []
    excluded: list[str] = []

    def take(match: re.Match[str]) -> str:
        phrase = match["straight"] or match["curly"]
        if match["minus"] or match["word"]:
            excluded.append(phrase or match["word"])
            return " "
        phrases.append(phrase)
        return f" {phrase} "

    text = _PART.sub(take, query)
    return ParsedQuery(" ".join(text.split()), tuple(phrases), tuple(excluded))
