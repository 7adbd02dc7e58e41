"""Values of a JSON Schema, for property tests over the SDKs' own type definitions."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

DEEP = 5
"""From this depth on only what is required is made, and the first of several shapes."""
TEXT = st.text(max_size=12)
ANY = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), TEXT, st.lists(TEXT, max_size=1))


def values(schema: dict[str, Any], root: dict[str, Any] | None = None, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that fit a schema, optional members and shapes drawn at random."""
    root = schema if root is None else root
    if "$ref" in schema:
        return st.deferred(lambda: values(_referred(schema["$ref"], root), root, depth))
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for name in ("anyOf", "oneOf"):
        if name in schema:
            shapes = _flat(schema[name]) if depth >= DEEP else schema[name]
            return st.one_of([values(one, root, depth + 1) for one in shapes])
    match schema.get("type"):
        case "object":
            return _object(schema, root, depth)
        case "array":
            inside = values(schema.get("items") or {}, root, depth + 1)
            return st.lists(inside, max_size=0 if depth >= DEEP else 2)
        case "string":
            return TEXT
        case "integer":
            return st.integers(0, 10**6)
        case "number":
            return st.floats(0, 100, allow_nan=False).map(lambda number: round(number, 3))
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
    return ANY


def _referred(name: str, root: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = root["$defs"][name.removeprefix("#/$defs/")]
    return found


def _flat(shapes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The shapes that hold nothing, where there are some: the way out of a recursion."""
    plain = [one for one in shapes if "$ref" not in one and one.get("type") not in ("array", "object")]
    return plain or shapes[:1]


def _object(schema: dict[str, Any], root: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    members, required = schema.get("properties") or {}, schema.get("required") or []
    made = {name: values(one, root, depth + 1) for name, one in members.items()}
    needed = {name: made[name] for name in required if name in made}
    optional = {} if depth >= DEEP else {name: one for name, one in made.items() if name not in needed}
    return st.fixed_dictionaries(needed, optional=optional)
