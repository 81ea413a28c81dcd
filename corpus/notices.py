"""The warnings a source gives about itself, such as "preliminary, do not cite"."""

import re
from collections.abc import Iterable
from itertools import islice

# A notice stands at the head of a source and is short; the same words further down or in a long
# paragraph are about something else ("developers should not share weights").
_BLOCKS_LOOKED_AT = 30
_LONGEST = 300

_ACTS = r"(?:cit|quot|shar|distribut|circulat|redistribut|reproduc|rely|disseminat)\w*"
_NOTICE = re.compile(
    "|".join(
        (
            rf"\b(?:do|should|must|may|please do) not (?:be )?(?:\w+ (?:or|and) )?{_ACTS}\b",
            r"\bnot (?:be )?for (?:\w+ )?"
            r"(?:citation|quotation|attribution|release|distribution|circulation|publication)\b",
            r"\b(?:is|are|remains?|considered) (?:still )?(?:preliminary|provisional|a draft|"
            r"a work in progress|incomplete|out of date|outdated)\b",
            r"\bstill (?:being|under) (?:\w+ )?"
            r"(?:polish|updat|edit|revis|writ|prepar|develop|construct|review)\w*",
            r"\b(?:is|are|remains?) subject to (?:\w+ )?(?:change|revision|correction|review)\b",
            r"^(?:\W*)(?:preliminary|provisional|working|consultation|discussion|pre-publication)"
            r" (?:draft|version|copy)\b",
            r"\bdraft\b[^.]{0,80}\bnot\b(?! only)",
            r"\bdraft for (?:\w+ )?(?:consultation|comment|discussion|review)\b",
            r"\bembargoed (?:until|for)\b",
            r"\b(?:data|figures|page|results|content|information)\b[^.]{0,60}\b(?:may|might|will)"
            r" (?:still )?change\b",
        )
    ),
    re.IGNORECASE,
)


def find_notices(text_blocks: Iterable[str]) -> tuple[str, ...]:
    """Return the notices among a source's first blocks, in order, each once.

    Args:
        text_blocks: The text of each block from the top of the source.
    """
    found: dict[str, None] = {}
    for text in islice(text_blocks, _BLOCKS_LOOKED_AT):
        line = " ".join(text.split())
        if line and len(line) < _LONGEST and _NOTICE.search(line):
            found.setdefault(line)
    return tuple(found)
