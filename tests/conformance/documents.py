"""Atlassian's OpenAPI documents: which answer an operation documents, and what of a given answer differs from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from openapi_schema_validator import OAS30Validator, oas30_format_checker

PLATFORM, SOFTWARE = "openapi-platform-v3.json", "openapi-software-2022.json"

FIELD_COMPONENTS = {
    "status": "StatusDetails",
    "priority": "Priority",
    "issuetype": "IssueTypeDetails",
    "project": "Project",
    "assignee": "UserDetails",
    "reporter": "UserDetails",
    "creator": "UserDetails",
    "comment": "PageOfComments",
    "worklog": "PageOfWorklogs",
}
"""The document leaves an issue's fields open; these have a component of their own."""


class Difference(NamedTuple):
    """Where an answer differs: the place in it, with ``*`` for positions in lists, and the rule of the schema it
    breaks.
    """

    where: str
    rule: str
    text: str


class Documents:
    """Both documents.

    Raises:
        FileNotFoundError: The folder does not hold them.
    """

    def __init__(self, folder: Path) -> None:
        self._documents = [json.loads((folder / name).read_text(encoding="utf-8")) for name in (PLATFORM, SOFTWARE)]
        self._validators: dict[str, Any] = {}

    def statuses(self, method: str, path: str) -> set[int]:
        """The status codes that the operation documents."""
        return {int(status) for status in self._operation(method, path)[1]["responses"] if status.isdecimal()}

    def differences(self, method: str, path: str, status: int, answer: Any) -> Iterator[Difference]:
        """What of an answer with this status is not as documented."""
        document, operation = self._operation(method, path)
        # The software document has no shape for errors; its answers are of the platform's.
        whole = self._documents[0] if status >= 400 else document
        yield from self._against(f"{method} {path} {status}", _schema(operation, status), whole, answer, "")
        for place, issue in _issues(answer):
            for name, component in FIELD_COMPONENTS.items():
                value = issue["fields"].get(name)
                if value is not None:
                    schema = {"$ref": f"#/components/schemas/{component}"}
                    yield from self._against(component, schema, document, value, f"{place}fields/{name}/")

    def _against(self, name: str, schema: Any, document: Any, answer: Any, place: str) -> Iterator[Difference]:
        validator = self._validators.get(name)
        if validator is None:
            whole = {**schema, "components": document["components"]}
            validator = self._validators[name] = OAS30Validator(whole, format_checker=oas30_format_checker)
        for error in validator.iter_errors(answer):
            parts = ("*" if isinstance(part, int) else str(part) for part in error.absolute_path)
            yield Difference(place + "/".join(parts), str(error.validator), error.message[:300])

    def _operation(self, method: str, path: str) -> tuple[Any, Any]:
        for document in self._documents:
            if path in document["paths"]:
                return document, document["paths"][path][method.lower()]
        raise KeyError(f"no document has the path {path}")


def _schema(operation: Any, status: int) -> Any:
    """The schema of an answer; of errors, the one shape that the platform has; of answers shown by example only,
    theirs.
    """
    if status >= 400:
        return {"$ref": "#/components/schemas/ErrorCollection"}
    content = operation["responses"][str(status)]["content"]["application/json"]
    if "schema" in content:
        return content["schema"]
    return _schema_like(json.loads(content["example"]))


def _schema_like(example: Any) -> dict[str, Any]:
    """A schema of what looks like the example: no other keys, the same types, every key optional."""
    if isinstance(example, dict):
        properties = {name: _schema_like(value) for name, value in example.items()}
        return {"type": "object", "properties": properties, "additionalProperties": False}
    if isinstance(example, list):
        merged: dict[str, Any] = {}
        for value in example:
            merged |= value
        return {"type": "array", "items": _schema_like(merged)}
    if isinstance(example, bool):
        return {"type": "boolean"}
    return {"type": "integer" if isinstance(example, int) else "string"}


def _issues(answer: Any) -> Iterator[tuple[str, Any]]:
    """The issues in an answer that show fields, and where they stand."""
    if isinstance(answer, dict) and "fields" in answer and "key" in answer:
        yield "", answer
    if isinstance(answer, dict):
        shown = answer.get("issues", [])
        yield from (("issues/*/", issue) for issue in shown if "fields" in issue)
