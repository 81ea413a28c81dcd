"""A table's row as text: each cell after its column's name, so that the row can stand alone."""

from collections.abc import Sequence


def row_text(headers: Sequence[str], cells: Sequence[str]) -> str:
    """Return `Header: cell | Header: cell`; an empty cell is left out, a nameless one goes bare."""
    parts = []
    for index, cell in enumerate(cells):
        cell = cell.strip()
        header = headers[index].strip().rstrip(":") if index < len(headers) else ""
        if cell:
            parts.append(f"{header}: {cell}" if header else cell)
    return " | ".join(parts)
