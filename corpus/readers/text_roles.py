"""Which lines of a plain text are contents or references, told before any are joined."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

_LONGEST = 300
_LEADER = re.compile(
    r"(?:\.[ .]{3,}|…[ .]?…[ .…]*|[·_]{4,} *)(?:\d{1,4}|[ivxlc]{1,6})$", re.IGNORECASE
)
_ENDS_IN_PAGE = re.compile(r"(?:^|[\s.…])(\d{1,4})$")
_CONTENTS = re.compile(r"(?:table of )?contents|list of (?:figures|tables|boxes)", re.IGNORECASE)
_REFERENCES = re.compile(
    r"(?:\d{1,2}\.?\s+|[a-z]\.\s+)?(?:references|bibliography|works cited|literature cited|"
    r"list of references|references and notes)",
    re.IGNORECASE,
)
_AFTER_REFERENCES = re.compile(
    r"(?:annex|appendix|appendices|glossary|index|acknowledge?ments?|about the authors?|contact|"
    r"list of (?:figures|tables|abbreviations))\b.{0,80}",
    re.IGNORECASE,
)
_ENTRY = re.compile(r"\s*\[?(\d{1,4})(?:[\].)*†]*)\s+\S")
_SOURCED = re.compile(r"\b(?:19|20)\d\d[a-z]?\b|\bdoi\b|https?://|arxiv", re.IGNORECASE)
_SURNAME = re.compile(r"[^\W\d_][\w’'-]+,\s+[^\W\d_]")
# A list of references shows itself within this many lines of its heading.
_LOOK_AHEAD = 30
_FEWEST = 3


class Role(Enum):
    """What a line is part of."""

    BODY = 0
    CONTENTS = 1
    ENTRY = 2  # the first line of a reference
    ENTRY_REST = 3


@dataclass(slots=True)
class RoleFinder:
    """Tells the role of each line, page by page in order.

    A list of references begins under a heading that says so. If its entries are numbered it goes
    on as long as the numbers do: a page with none is no longer part of it.
    """

    _inside: bool = False
    _next_number: int = 0  # of the entry to come; 0 for a list without numbers
    _page: list[Role] = field(default_factory=list)

    def find_roles(self, lines: Sequence[str]) -> list[Role]:
        """Return the role of each of a page's lines."""
        roles = [Role.BODY] * len(lines)
        _mark_contents(lines, roles)
        filled = [index for index, line in enumerate(lines) if line.strip()]
        if self._inside and self._next_number and not self._has_entry(lines, filled):
            self._inside = False
        for place, index in enumerate(filled):
            text = lines[index].strip()
            if roles[index] is Role.CONTENTS:
                continue
            if len(text) < _LONGEST and _REFERENCES.fullmatch(text.rstrip(":")):
                self._begin([lines[at] for at in filled[place + 1 : place + 1 + _LOOK_AHEAD]])
            elif self._inside:
                after_gap = index == 0 or not lines[index - 1].strip()
                roles[index] = self._find_role(text, after_gap=after_gap)
        return roles

    def _begin(self, following: Sequence[str]) -> None:
        numbered = [_number(line) for line in following]
        sourced = sum(bool(_SOURCED.search(line[:_LONGEST])) for line in following)
        self._next_number = 1 if 1 in numbered and (2 in numbered or len(following) < 9) else 0
        self._inside = sourced >= min(_FEWEST, max(1, len(following) // 2))

    def _find_role(self, text: str, *, after_gap: bool) -> Role:
        if after_gap and _AFTER_REFERENCES.fullmatch(text):
            self._inside = False
            return Role.BODY
        if not self._next_number:
            starts = after_gap or _SURNAME.match(text) is not None
            return Role.ENTRY if starts else Role.ENTRY_REST
        if _number(text) == self._next_number:
            self._next_number += 1
            return Role.ENTRY
        return Role.ENTRY_REST if self._next_number > 1 else Role.BODY

    def _has_entry(self, lines: Sequence[str], filled: Sequence[int]) -> bool:
        return not filled or any(_number(lines[at]) == self._next_number for at in filled)


def _number(line: str) -> int:
    match = _ENTRY.match(line)
    return int(match[1]) if match else 0


def _mark_contents(lines: Sequence[str], roles: list[Role]) -> None:
    """Mark lines with dot leaders, and those under a Contents heading that end in page numbers."""
    led = [
        index
        for index, line in enumerate(lines)
        if len(line) < _LONGEST and _LEADER.search(line.strip())
    ]
    if len(led) >= _FEWEST:
        for index in led:
            roles[index] = Role.CONTENTS
    filled = [index for index, line in enumerate(lines) if line.strip()]
    for place, index in enumerate(filled):
        if roles[index] is Role.CONTENTS:
            continue
        if len(lines[index]) < _LONGEST and _CONTENTS.fullmatch(lines[index].strip().rstrip(":")):
            end = _find_contents_end(lines, filled, place + 1)
            for at in filled[place + 1 : end]:
                roles[at] = Role.CONTENTS


def _find_contents_end(lines: Sequence[str], filled: Sequence[int], start: int) -> int:
    """Return the place after which four lines in a row end in no page number that can follow."""
    last_page, end, found = 0, start, 0
    for place in range(start, len(filled)):
        line = lines[filled[place]].strip()
        match = _ENDS_IN_PAGE.search(line) if len(line) < _LONGEST else None
        if match is not None and int(match[1]) >= last_page:
            last_page, end, found = int(match[1]), place + 1, found + 1
        elif place - end >= 3:
            break
    return end if found >= _FEWEST else start
