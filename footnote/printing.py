"""Passages, answers and verdicts for people to read."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from footnote.console import console, printable

if TYPE_CHECKING:
    from service.schemas import AskResponse, Citation, FoundPassage, Location, VerifyResponse

_SNIPPET_CHARS = 400


def print_passages(passages: "Sequence[FoundPassage]", *, explain: bool = False) -> None:
    """Print passages with their ranks, the words of the query in bold."""
    if not passages:
        console().print("nothing found")
    for rank, passage in enumerate(passages, start=1):
        _print_source(f"{rank}.", passage.document_title, passage.location, passage.permalink)
        for notice in passage.notices:
            _print_indented(Text(f"notice: {printable(notice)}", style="yellow"))
        if explain:
            scores = passage.scores.model_dump()
            parts = [f"{name} {value:.3f}" for name, value in scores.items() if value is not None]
            _print_indented(Text(" · ".join(parts), style="dim"))
        _print_indented(_snippet(passage))
        console().print()


def print_answer(answer: "AskResponse") -> None:
    """Print an answer with its numbered footnotes, or the refusal with what comes closest."""
    console().print(Text(printable(answer.answer)))
    console().print()
    for citation in answer.citations:
        _print_citation(citation)
    if answer.status == "not_in_corpus":
        searched = answer.searched
        console().print(
            f"searched: {searched.passages:,} passages of {searched.documents:,} documents"
        )
        if answer.closest:
            console().print("The closest passages:\n")
            print_passages(answer.closest)


def print_verdict(verdict: "VerifyResponse") -> None:
    """Print whether an answer holds, and what is wrong with it if not."""
    if verdict.valid:
        quotes = len(verdict.citations)
        console().print(f"valid: {quotes} of {quotes} citations are what they say they are")
        outdated = [str(citation.id) for citation in verdict.citations if not citation.current]
        if outdated:
            console().print(f"an older edition is cited by {', '.join(outdated)}")
        return
    console().print("not valid:")
    for reason in verdict.reasons:
        console().print(Text(f"  {printable(reason)}"))


def describe_place(location: "Location") -> str:
    """Return where a slice is, as a reader would look it up: page or pinpoint, then section."""
    parts = []
    if location.page_label:
        parts.append(f"p. {location.page_label}")
    if location.pinpoint:
        parts.append(location.pinpoint)
    parts.append(" › ".join(location.section_path))
    return printable(" · ".join(part for part in parts if part))


def _print_citation(citation: "Citation") -> None:
    _print_source(
        f"[{citation.id}]", citation.document_title, citation.location, citation.permalink
    )
    for notice in citation.notices:
        _print_indented(Text(f"notice: {printable(notice)}", style="yellow"))


def _print_source(label: str, title: str, location: "Location", permalink: str) -> None:
    console().print(Text.assemble(f"{label} ", (printable(title), "bold")))
    place = describe_place(location)
    if place:
        _print_indented(Text(place))
    # Not wrapped: it is there to be copied.
    console().print(Text(f"    {permalink}", style="dim"), soft_wrap=True)


def _print_indented(text: Text) -> None:
    console().print(Padding(text, (0, 0, 0, 4), expand=False))


def _snippet(passage: "FoundPassage") -> Text:
    """Return the passage's words, cut to where the query's words begin."""
    spans = [span for span in passage.highlights if span[1] <= len(passage.text)]
    first = spans[0][0] if spans else 0
    start = 0 if first < _SNIPPET_CHARS // 2 else passage.text.rfind(" ", 0, first - 40) + 1
    end = min(len(passage.text), start + _SNIPPET_CHARS)
    snippet = Text("… " if start else "")
    at = start
    for low, high in spans:
        if low >= at and high <= end:
            snippet.append(_flat(passage.text[at:low])).append(
                _flat(passage.text[low:high]), "bold"
            )
            at = high
    snippet.append(_flat(passage.text[at:end]))
    return snippet.append(" …") if end < len(passage.text) else snippet


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", printable(text))
