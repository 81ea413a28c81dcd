"""An HTML page before its text is taken: its encoding, its main part, what it says of itself."""

import codecs
import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from corpus.builder import clean_text
from corpus.decoding import decode_text, find_mark, is_binary
from corpus.errors import ReadError
from corpus.model import MetadataValue

# The HTML standard stops looking here too.
_META_WITHIN = 1024
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})(?:[-/.](\d{1,2}))?(?:[-/.](\d{1,2}))?(?!\d)")
_UNSEEN = (
    "script, style, template, noscript, nav, aside, dialog, iframe, object, svg, canvas, button, "
    "select, textarea, [hidden], [aria-hidden='true'], [role='navigation'], [role='search']"
)
_INVISIBLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_TITLES = ("meta[name='citation_title']", "meta[property='og:title']", "meta[name='dc.title' i]")
_AUTHORS = ("meta[name='citation_author']", "meta[name='author' i]", "meta[name='dc.creator' i]")
_DATES = (
    "meta[name='citation_publication_date']",
    "meta[property='article:published_time']",
    "meta[name='dc.date' i]",
    "meta[name='dcterms.issued' i]",
    "meta[name='date' i]",
)


def decode_html(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Return a page's markup and what there is to warn about.

    A byte order mark decides, then valid UTF-8 (which nothing else is by chance), then the
    charset that the page declares, then Windows-1252; bytes that fit none become U+FFFD.

    Raises:
        ReadError: The bytes are binary.
    """
    if is_binary(data) or find_mark(data) is not None:
        return decode_text(data)
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError:
        pass
    declared = _CHARSET.search(data[:_META_WITHIN])
    name = _text_codec(declared[1].decode("ascii")) if declared else None
    if name is not None:
        try:
            return data.decode(name), ()
        except UnicodeDecodeError:
            pass
    warning = f"not UTF-8 nor the declared {name}" if name else "not UTF-8, and no charset declared"
    text = data.decode("cp1252", errors="replace")
    return text, (f"{warning}; read as Windows-1252",)


def find_main(tree: LexborHTMLParser) -> LexborNode:
    """Return the element that holds the page's content, with what is not content removed.

    That is main, else the only article, else body. A header or footer goes unless it is inside
    main or article and holds a heading; a form goes unless it wraps most of the page.

    Raises:
        ReadError: There is no body.
    """
    body = tree.body
    if body is None:
        raise ReadError("the HTML has no body", advice="check that the file is complete")
    _remove_unseen(body)
    articles = body.css("article")
    for selector in ("main", "[role='main']"):
        main = body.css_first(selector)
        if main is not None and main.text().strip():
            break
    else:
        main = articles[0] if len(articles) == 1 and articles[0].text().strip() else body
    _remove_frame(main)
    return main


def read_metadata(tree: LexborHTMLParser) -> dict[str, MetadataValue]:
    """Return the page's own title, authors, date, language, publisher and address."""
    metadata: dict[str, MetadataValue] = {}
    title_node = tree.css_first("head title") or tree.css_first("title")
    titles = _contents(tree, _TITLES) or [title_node.text() if title_node else ""]
    if title := clean_text(titles[0]):
        metadata["title"] = title
    if authors := [name for name in _contents(tree, _AUTHORS) if not name.startswith("http")]:
        metadata["authors"] = authors
    for content in _contents(tree, _DATES):
        if date := _iso_date(content):
            metadata["date"] = date
            break
    root = tree.css_first("html")
    language = root.attributes.get("lang") if root else None
    if language and language.strip():
        metadata["language"] = clean_text(language)
    if publishers := _contents(tree, ("meta[property='og:site_name']",)):
        metadata["publisher"] = publishers[0]
    link = tree.css_first("link[rel='canonical']")
    address = (link.attributes.get("href") or "") if link else ""
    if address.startswith(("https://", "http://")):
        metadata["source_url"] = clean_text(address)
    return metadata


def _contents(tree: LexborHTMLParser, selectors: tuple[str, ...]) -> list[str]:
    """Return the contents of the elements that the first fruitful selector finds."""
    for selector in selectors:
        found = [clean_text(node.attributes.get("content") or "") for node in tree.css(selector)]
        if any(found):
            return [content for content in found if content]
    return []


def _iso_date(text: str) -> str | None:
    match = _DATE.match(text.strip())
    if match is None:
        return None
    parts = [match[1], *(part.zfill(2) for part in (match[2], match[3]) if part)]
    return "-".join(parts)


def _text_codec(name: str) -> str | None:
    """Return the codec a charset label names, or None if Python has none that makes text."""
    try:
        found = codecs.lookup(name).name
        b"a".decode(found)
    except (LookupError, ValueError):
        return None
    # As browsers do: what calls itself Latin-1 or ASCII is Windows-1252.
    return "cp1252" if found in ("iso8859-1", "ascii") else found


def _remove_unseen(body: LexborNode) -> None:
    styled = body.css("[style]")
    hidden = [node for node in styled if _INVISIBLE.search(node.attributes.get("style") or "")]
    _remove(hidden)
    _remove(body.css(_UNSEEN))
    total = len(body.text())
    _remove([form for form in body.css("form") if 2 * len(form.text()) < total])


def _remove_frame(main: LexborNode) -> None:
    whole_page = main.tag == "body"
    frame = main.css("header, footer, [role='banner'], [role='contentinfo']")
    _remove(
        [
            node
            for node in frame
            if (whole_page and not _is_within(node, "article"))
            or node.css_first("h1, h2, h3, h4, h5, h6") is None
        ]
    )


def _remove(nodes: list[LexborNode]) -> None:
    """Remove nodes, leaving a space so that the words around them stay apart.

    Inner ones go first: removing a node frees those in it, which may be listed too.
    """
    for node in reversed(nodes):
        if node.tag not in ("script", "style", "template"):
            node.insert_before(" ")
        node.decompose()


def _is_within(node: LexborNode, tag: str) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.tag == tag:
            return True
        parent = parent.parent
    return False
