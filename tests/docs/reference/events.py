"""docs/reference/events.md and its JSON Schema: every event, from its type and the texts at its fields."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from enum import Enum
from typing import Any

import msgspec

from libs.events import TOPICS, Event
from libs.events.nats.cloudevents import subject_end
from tests.docs.reference.tables import code, table

INTRODUCTION = """# Events

Everything that happens is one of these events, stored for ever in the log and published on NATS
([how to subscribe](../subscribe.md)). `make reference` writes this page from the code;
`docs/reference/events.schema.json` holds the same as JSON Schema (draft 2020-12): under `$defs` one schema for each
event.

The name is the topic, with its version. A shape never changes: an event with other fields is a new version. Pass over
events, versions and fields that you do not know.

"""
GROUPS = {
    "libs.events.types.facts": "Facts: what Jira showed",
    "libs.events.types.absences": "Absences: what Jira no longer shows",
    "libs.events.types.quarantine": "Quarantine: what could not be read",
    "libs.events.types.sync": "The course of a sync",
    "libs.events.types.census": "Censuses: what was proved",
    "libs.events.types.control": "What people decide",
    "libs.events.types.backoff": "How fast a schedule runs",
    "libs.events.types.stretch": "How webhooks slow a schedule down",
    "libs.events.types.alerts": "Alerts",
    "libs.events.types.notifications": "Notices to people",
}
SCHEMA_ID = "events.schema.json"


def page() -> str:
    common = set(Event.__struct_fields__)
    parts = [INTRODUCTION, "## Every event has\n\n", _fields(Event, set())]
    for module, title in GROUPS.items():
        parts.append(f"\n## {title}\n")
        for topic, kind in TOPICS.items():
            if kind.__module__ == module:
                parts += [
                    f"\n### {topic}\n\n{inspect.getdoc(kind)}\n\n",
                    f"Subject: `jira.<site>.<project>.{subject_end(topic)}`\n\n",
                ]
                parts.append(_fields(kind, common))
    parts.append("\n## Parts and words\n")
    for part in _parts():
        parts.append(f"\n### {part.__name__}\n\n{inspect.getdoc(part)}\n\n")
        parts.append(_words(part) if issubclass(part, Enum) else _fields(part, set()))
    return "".join(parts)


def schema() -> str:
    """The JSON Schema of all events, by topic."""
    kinds = list(TOPICS.values())
    _, components = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    topic_of = {kind.__name__: topic for topic, kind in TOPICS.items()}
    definitions = {topic_of.get(name, name): _described(name, shape) for name, shape in sorted(components.items())}
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Events of the Jira Data Integrator, by topic",
        "$defs": definitions,
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode() + "\n"


def _described(name: str, shape: dict[str, Any]) -> dict[str, Any]:
    """With the meanings that stand at the fields, which msgspec does not know of."""
    kinds = {kind.__name__: kind for kind in (*TOPICS.values(), *_parts())}
    meanings = meanings_of(kinds[name])
    properties = {
        field: {**said, "description": meanings[field]} if field in meanings else said
        for field, said in shape.get("properties", {}).items()
    }
    return {**shape, "properties": properties} if properties else shape


def _fields(kind: type[msgspec.Struct], known: set[str]) -> str:
    meanings = meanings_of(kind)
    rows = [
        (
            code(field.encode_name),
            _type(field.type) + ("" if field.required else ", may be missing"),
            meanings.get(field.name, ""),
        )
        for field in msgspec.structs.fields(kind)
        if field.name not in known
    ]
    return table(("field", "type", "meaning"), rows)


def _words(part: type[Enum]) -> str:
    meanings = meanings_of(part)
    return table(("word", "meaning"), [(code(str(word.value)), meanings.get(word.name, "")) for word in part])


def _parts() -> list[type[Any]]:
    """Types that events are made of, in the order of their first use."""
    found: list[type[Any]] = []
    for kind in TOPICS.values():
        _add_parts(found, kind)
    return found


def _add_parts(found: list[type[Any]], kind: type[msgspec.Struct]) -> None:
    """Those of one type, and those that these are made of in their turn."""
    for field in msgspec.structs.fields(kind):
        for part in (field.type, *getattr(field.type, "__args__", ())):
            ours = isinstance(part, type) and part.__module__.startswith("libs.events")
            if ours and part not in found:
                found.append(part)
                if issubclass(part, msgspec.Struct):
                    _add_parts(found, part)


_TYPES = {
    "str": "text",
    "int": "number",
    "float": "number",
    "bool": "true or false",
    "UUID": "UUID",
    "datetime": "time",
    "Raw": "JSON, as Jira gave it",
}


def _type(annotation: Any) -> str:
    """In words that a reader of another language knows."""
    arguments = [part for part in getattr(annotation, "__args__", ()) if part not in (type(None), Ellipsis)]
    name = getattr(annotation, "__name__", str(annotation))
    if type(None) in getattr(annotation, "__args__", ()):
        return " or ".join([*map(_type, arguments), "null"])
    if name == "tuple":
        return f"list of {_type(arguments[0])}"
    if name == "dict":
        return f"object of {_type(arguments[1])}"
    return _TYPES.get(name) or f"[{name}](#{name.lower()})"


def meanings_of(kind: type[Any]) -> dict[str, str]:
    """The texts that stand below the fields of a class and of its bases."""
    found: dict[str, str] = {}
    for cls in reversed(kind.__mro__):
        if cls.__module__.startswith("libs.events"):
            found |= _own_meanings(cls)
    return found


def _own_meanings(cls: type[Any]) -> dict[str, str]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)
    found: dict[str, str] = {}
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str):
            target = (
                field.target
                if isinstance(field, ast.AnnAssign)
                else field.targets[0]
                if isinstance(field, ast.Assign)
                else None
            )
            if isinstance(target, ast.Name):
                found[target.id] = re.sub(r"\s+", " ", text.value.value).strip()
    return found
