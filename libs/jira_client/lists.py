"""Lists of Jira's things, read entry by entry: one that is not as documented does not cost the others. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeVar, get_args

import msgspec
from msgspec import Raw

from libs.jira_client.failures.classify import Context, classify_exception
from libs.jira_client.failures.errors import error_for

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)

NAMED: Final = 5
"""Odd entries of a list that a note names; the others are counted."""

_entries: Final = msgspec.json.Decoder(dict[str, Raw])


class LeftOut(NamedTuple):
    """An entry of a list that could not be read."""

    name: str
    """What it calls itself, or its place."""
    why: str
    payload: Raw


class Listed(list[T]):
    """A list as far as Jira showed it, and what is known of the rest. Complete unless `cut` says otherwise."""

    def __init__(
        self,
        items: Iterable[T] = (),
        *,
        cut: str = "",
        notes: Sequence[str] = (),
        left_out: Sequence[LeftOut] = (),
        total: int | None = None,
    ) -> None:
        super().__init__(items)
        self.cut = cut
        """Why entries are missing that Jira has and may show when it is asked again; empty: none are."""
        self.notes = tuple(notes)
        """What is odd and stays odd however often Jira is asked: entries left out, a total that counts hidden ones."""
        self.left_out = tuple(left_out)
        """Entries that could not be read; the notes name them too."""
        self.total = total
        """How many there are, as Jira counts at the end of the list; None where it does not say."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """All that people should hear about the list."""
        return (*((self.cut,) if self.cut else ()), *self.notes)


def read_one(kind: type[S], payload: Raw, endpoint: str) -> S:
    """The typed value of a JSON object, with defaults for what cannot be read. Raises BadResponse without its id."""
    try:
        return _read(kind, payload)[0]
    except msgspec.DecodeError as error:
        raise error_for(classify_exception(error, Context(endpoint=endpoint))) from error


def read_all(kind: type[S], payloads: Iterable[Raw], endpoint: str) -> Listed[S]:
    """The typed values; those that cannot be read are left out, and the notes count and name what is odd."""
    values: list[S] = []
    odd: list[str] = []
    left_out: list[LeftOut] = []
    for place, payload in enumerate(payloads, 1):
        try:
            value, unread = _read(kind, payload)
        except msgspec.DecodeError as error:
            left_out.append(LeftOut(_name_of(payload) or f"entry {place}", str(error), payload))
            continue
        values.append(value)
        if unread:
            odd.append(f"{_name_of(payload) or f'entry {place}'} ({', '.join(unread)})")
    notes = [
        f"{endpoint}: {len(which)} {what}: {'; '.join(which[:NAMED])}{'; …' if len(which) > NAMED else ''}"
        for which, what in (
            ([f"{one.name} ({one.why})" for one in left_out], "left out, not readable"),
            (odd, "not as documented"),
        )
        if which
    ]
    return Listed(values, notes=notes, left_out=left_out)


def joined(parts: Iterable[Listed[T]]) -> Listed[T]:
    """One list of several; cut when one of them is."""
    whole: Listed[T] = Listed()
    for part in parts:
        whole += part
        whole.cut = whole.cut or part.cut
        whole.notes += part.notes
        whole.left_out += part.left_out
    return whole


def _read(kind: type[S], payload: Raw) -> tuple[S, list[str]]:
    """The value, and Jira's names of the fields that cannot be read. Raises DecodeError when one of them is needed."""
    unread: list[str] = []
    try:
        value = msgspec.json.decode(payload, type=kind)
    except msgspec.ValidationError:
        value, unread = _field_by_field(kind, payload)
    return (msgspec.structs.replace(value, payload=payload) if hasattr(value, "payload") else value), unread


def _field_by_field(kind: type[S], payload: Raw) -> tuple[S, list[str]]:
    shown = _entries.decode(payload)
    known: dict[str, Any] = {}
    unread: list[str] = []
    for field in msgspec.structs.fields(kind):
        raw = shown.get(field.encode_name)
        try:
            if raw is not None:
                known[field.name] = _value(field.type, raw)
        except msgspec.DecodeError as error:
            if field.required:
                raise msgspec.ValidationError(f"{error} - at `$.{field.encode_name}`") from error
            unread.append(field.encode_name)
        if raw is None and field.required:
            raise msgspec.ValidationError(f"Object missing required field `{field.encode_name}`")
    return kind(**known), unread


def _value(kind: Any, raw: Raw) -> Any:
    """As documented; a number as text, and a text as number; of an object what can be read. Raises DecodeError."""
    structs = [one for one in (kind, *get_args(kind)) if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    try:
        return msgspec.json.decode(raw, type=kind, strict=False)
    except msgspec.ValidationError:
        if structs:
            return _field_by_field(structs[0], raw)[0]
        if bytes(raw)[:1] in b"-0123456789":
            return msgspec.json.decode(b'"' + bytes(raw) + b'"', type=kind)
        raise


def _name_of(payload: Raw) -> str:
    """What an entry calls itself, for people."""
    try:
        shown = _entries.decode(payload)
    except msgspec.DecodeError:
        return ""
    raw = next((shown[name] for name in ("id", "accountId", "key", "name") if name in shown), Raw(b'""'))
    return bytes(raw).decode("utf-8", "replace").strip('"')[:60]
