"""Filters on metadata, in the operators people know from document stores.

`{"publisher": "NIST", "year": {"$gte": 2024}}`, with $eq $ne $in $nin $gt $gte $lt $lte on fields
and $and $or around filters. A list field matches if any of its values does; a field that a passage
does not have matches nothing but $ne and $nin.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from corpus.model import Metadata, MetadataValue
from indexer.passages import PassageTable
from indexer.vectors import Mask
from service.errors import BadFilter

Predicate = Callable[[Metadata], bool]
_Scalar = str | int | float | bool
_MOST_DEPTH = 8
_MOST_CONDITIONS = 200

_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda found, wanted: found > wanted,
    "$gte": lambda found, wanted: found >= wanted,
    "$lt": lambda found, wanted: found < wanted,
    "$lte": lambda found, wanted: found <= wanted,
}
OPERATORS = ("$eq", "$ne", "$in", "$nin", *_ORDERED)


def compile_filter(filters: Mapping[str, object]) -> Predicate:
    """Turn a filter into a test of metadata.

    Raises:
        BadFilter: An operator is unknown, a value has the wrong type, or it nests too deeply.
    """
    budget = [_MOST_CONDITIONS]
    return _compile(filters, 0, budget)


def filtered_fields(filters: Mapping[str, object]) -> set[str]:
    """Return the metadata fields that a filter `compile_filter` accepts asks about."""
    fields: set[str] = set()
    for name, wanted in filters.items():
        if name in ("$and", "$or") and isinstance(wanted, list):
            fields.update(*(filtered_fields(one) for one in wanted))
        else:
            fields.add(name)
    return fields


def known_fields(passages: PassageTable) -> set[str]:
    """Return the metadata fields that any passage has."""
    rows = [*_first_rows(passages), *passages.overlaid]
    return {name for row in rows for name in passages.metadata(row)}


def allowed_rows(passages: PassageTable, predicate: Predicate) -> Mask:
    """Return (passages,) true where a passage's metadata passes; each document is tested once."""
    records = [passages.record(row) for row in _first_rows(passages)]
    positions = np.unique(passages.numbers[:, 0])
    passing = np.zeros(int(positions.max(initial=-1)) + 1, bool)
    for position, record in zip(positions, records, strict=True):
        passing[position] = predicate(record.metadata)
    mask: Mask = passing[passages.numbers[:, 0]]
    for row in passages.overlaid:
        mask[row] = predicate(passages.metadata(row))
    return mask


def _first_rows(passages: PassageTable) -> list[int]:
    _, first = np.unique(passages.numbers[:, 0], return_index=True)
    return [int(row) for row in first]


def _compile(filters: Mapping[str, object], depth: int, budget: list[int]) -> Predicate:
    if depth > _MOST_DEPTH:
        raise BadFilter(f"the filter nests more than {_MOST_DEPTH} deep", advice="flatten it")
    tests = [_field(name, wanted, depth, budget) for name, wanted in filters.items()]
    return lambda metadata: all(test(metadata) for test in tests)


def _field(name: str, wanted: object, depth: int, budget: list[int]) -> Predicate:
    if name in ("$and", "$or"):
        if not isinstance(wanted, list) or not all(isinstance(one, Mapping) for one in wanted):
            raise BadFilter(f"{name} takes a list of filters, not {wanted!r:.80}")
        tests = [_compile(one, depth + 1, budget) for one in wanted]
        join = all if name == "$and" else any
        return lambda metadata: join(test(metadata) for test in tests)
    if name.startswith("$"):
        raise BadFilter(
            f"the operator {name!r} stands where a field or $and or $or is wanted",
            advice=f"write {{'field': {{'$eq': value}}}} with one of {' '.join(OPERATORS)}",
        )
    conditions = wanted if isinstance(wanted, Mapping) else {"$eq": wanted}
    tests = [_condition(name, operator, value, budget) for operator, value in conditions.items()]
    return lambda metadata: all(test(metadata) for test in tests)


def _condition(name: str, operator: str, wanted: object, budget: list[int]) -> Predicate:
    budget[0] -= 1
    if budget[0] < 0:
        raise BadFilter(f"the filter has more than {_MOST_CONDITIONS} conditions")
    if operator in ("$in", "$nin"):
        if not isinstance(wanted, list) or not all(isinstance(one, _Scalar) for one in wanted):
            raise BadFilter(f"{operator} of {name!r} takes a list of values, not {wanted!r:.80}")
        inside = operator == "$in"
        return lambda metadata: (
            inside == any(_equal(value, one) for value in _values(metadata, name) for one in wanted)
        )
    if not isinstance(wanted, _Scalar):
        raise BadFilter(
            f"{operator} of {name!r} takes a text, number or true/false, not {wanted!r:.80}"
        )
    if operator in ("$eq", "$ne"):
        equal = operator == "$eq"
        return lambda metadata: (
            equal == any(_equal(value, wanted) for value in _values(metadata, name))
        )
    if operator in _ORDERED:
        compare = _ORDERED[operator]
        return lambda metadata: any(
            compare(value, wanted)
            for value in _values(metadata, name)
            if _comparable(value, wanted)
        )
    raise BadFilter(
        f"unknown operator {operator!r} on {name!r}", advice=f"use one of {' '.join(OPERATORS)}"
    )


def _values(metadata: Metadata, name: str) -> list[_Scalar]:
    value: MetadataValue | None = metadata.get(name)
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _equal(found: _Scalar, wanted: _Scalar) -> bool:
    """Compare without taking 1 for true."""
    return isinstance(found, bool) == isinstance(wanted, bool) and found == wanted


def _comparable(found: _Scalar, wanted: _Scalar) -> bool:
    if isinstance(found, bool) or isinstance(wanted, bool):
        return False
    return isinstance(found, str) == isinstance(wanted, str)
