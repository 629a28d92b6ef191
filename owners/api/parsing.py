"""Request bodies: strict JSON of a sane size."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from owners.api.problems import Problem

BODY_MOST = 256 * 1024
DEPTH_MOST = 32


class StrictJSONParser(BaseParser):
    """Reads JSON as RFC 8259 means it: no NaN, no duplicate names, no endless nesting."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the value in the body; an empty body is an empty object."""
        raw = stream.read(BODY_MOST + 1)
        if len(raw) > BODY_MOST:
            raise Problem(413, code="too_large", detail="The body is too large.")
        if not raw.strip():
            return {}
        try:
            text = raw.decode("utf-8")
            if _depth(text) > DEPTH_MOST:
                raise ParseError("The body is nested too deeply.")
            return json.loads(text, parse_constant=_constant, object_pairs_hook=_once)
        except ValueError as error:  # also UnicodeDecodeError and over-long integers
            raise ParseError("The body is not JSON.") from error


def _depth(text: str) -> int:
    """Return how deep arrays and objects are nested, without parsing (no recursion)."""
    deepest = depth = 0
    in_string = is_escaped = False
    for ch in text:
        if in_string:
            if is_escaped:
                is_escaped = False
            elif ch == "\\":
                is_escaped = True
            elif ch == '"':
                in_string = False
        elif ch == '"':
            in_string = True
        elif ch in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif ch in "]}":
            depth -= 1
    return deepest


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found
