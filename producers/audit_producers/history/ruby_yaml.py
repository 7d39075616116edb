"""YAML as Rails writes it, read without making any object: what it says is data, tags or not.

Needs PyYAML, which only dumps with YAML in them need.
"""

import importlib
import re
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

import msgspec
from msgspec import Raw

from audit_producers.history.sources import EXTRA
from audit_schemas.errors import Invalid, Misconfigured
from audit_schemas.json_text import to_json_text

_NODES = 100_000
"""A document that unfolds to more is a bomb of aliases, no record."""
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_BIG_DECIMAL = "ruby/object:BigDecimal"


def yaml_as_json(text: str) -> Raw:
    """A YAML document as JSON text; numbers to the digit.

    Of Ruby's objects that what they hold stays: of a time with a zone the moment, of a BigDecimal the
    number as a string, of anything else its attributes.

    Raises:
        Invalid: it is no YAML, or unfolds without end.
        Misconfigured: PyYAML is not installed.
    """
    yaml, loader_class = _library()
    try:
        loader = loader_class(text)
        try:
            node = loader.get_single_node()
            _check_size(yaml, node)
            return _in_order(None if node is None else loader.construct_document(node))
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Invalid(f"is no YAML that can be read: {' '.join(str(error).split())}") from None


def _in_order(document: Any) -> Raw:
    """As JSON, with the keys of a mapping in the order in which they stand there."""
    if not isinstance(document, dict):
        return to_json_text(document)
    return Raw(msgspec.json.encode({str(key): to_json_text(value) for key, value in document.items()}))


def _check_size(yaml: Any, root: Any) -> None:
    waiting, count = [root], 0
    while waiting:
        node = waiting.pop()
        count += 1
        if count > _NODES:
            raise ValueError(f"it unfolds to more than {_NODES:,} values")
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]


@cache
def _library() -> tuple[Any, Any]:
    try:
        yaml = importlib.import_module("yaml")
    except ModuleNotFoundError:
        raise Misconfigured("the dump holds YAML, and PyYAML is not here", remedy=EXTRA) from None

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """The safe loader, with tags like !ruby/object read as what is below them."""

    def held_by(loader: Any, tag: str, node: Any) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return _decimal(node.value) if tag == _BIG_DECIMAL else node.value
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        held = loader.construct_mapping(node, deep=True)
        return held.get("utc", held.get("time", held)) if tag.endswith("TimeWithZone") else held

    def number(loader: Any, node: Any) -> Any:
        if _JSON_NUMBER.fullmatch(node.value):
            return Raw(node.value.encode())
        kind = node.tag.rpartition(":")[2]
        return getattr(loader, f"construct_yaml_{kind}")(node)

    Loader.add_multi_constructor("!", held_by)
    for kind in ("int", "float"):
        Loader.add_constructor(f"tag:yaml.org,2002:{kind}", number)
    return yaml, Loader


def _decimal(text: str) -> str:
    """Ruby writes 19.9 as 18:0.199e2: the digits that it has room for, and the number."""
    number = text.rpartition(":")[2]
    try:
        return f"{Decimal(number):f}"
    except InvalidOperation:
        return number
