"""From environment variables to frozen settings, once, at the entry point.

A settings class is a frozen, keyword-only dataclass whose fields are made by `setting`:

    @dataclass(frozen=True, kw_only=True)
    class Settings:
        port: int = setting("JDI_PORT", 8080, unit="TCP port", why="GraphQL and the console share it")
        token: Secret = setting("JDI_ADMIN_TOKEN", why="guards every mutation")

`read_settings` fills it. Each variable may come as `<NAME>_FILE` instead: the file's stripped content is the value,
as mounted secrets come. An empty variable counts as unset: Compose and Kubernetes write "nothing" that way.
"""

import os
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
S = TypeVar("S", bound="DataclassInstance")

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})


class SettingsError(ValueError):
    """One clear line per bad value; the entry point prints it and exits with code 2."""

    def __init__(self, lines: typing.Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


class Secret(str):
    """A string that does not show itself in a repr, so that printed settings give nothing away."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')"


@overload
def setting(env: str, *, parse: Callable[[str], T], unit: str = "", why: str) -> T: ...
@overload
def setting(env: str, *, unit: str = "", why: str) -> Any: ...
@overload
def setting(env: str, default: T, *, parse: Callable[[str], T] | None = None, unit: str = "", why: str) -> T: ...
@overload
def setting(
    env: str,
    *,
    default_from: Callable[[Mapping[str, str]], T],
    parse: Callable[[str], T] | None = None,
    unit: str = "",
    why: str,
) -> T: ...
def setting(
    env: str,
    default: Any = MISSING,
    *,
    default_from: Callable[[Mapping[str, str]], Any] | None = None,
    parse: Callable[[str], Any] | None = None,
    unit: str = "",
    why: str,
) -> Any:
    """Declare one field of a settings class.

    Args:
        env: name of the environment variable.
        default: value when it is unset; without one (and without `default_from`) the variable is required.
        default_from: computes the default from the environment, for values that follow from others.
        parse: reads the text where the field's type alone does not say how. A `ValueError` of these two is shown as is.
        unit: of what the number counts, for the reader of an error or of `--help`.
        why: what the value is for.
    """
    metadata = {"env": env, "unit": unit, "why": why, "default_from": default_from, "parse": parse}
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


def read_settings(cls: type[S], environ: Mapping[str, str] = os.environ) -> S:
    """Fill a settings class from the environment.

    Raises:
        SettingsError: with a line for every bad or missing value, not only for the first.
    """
    hints = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    problems: list[str] = []
    for declared in fields(cls):
        if "env" not in declared.metadata:
            continue
        try:
            value = _value(declared, hints[declared.name], environ)
        except ValueError as error:
            problems.append(str(error))
        else:
            if value is not MISSING:
                values[declared.name] = value
    if problems:
        raise SettingsError(problems)
    try:
        return cls(**values)
    except ValueError as error:  # a `__post_init__` that compares values
        raise SettingsError(str(error).splitlines()) from error


def read_variable(env: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """The text of one variable, from `<env>` or the file named by `<env>_FILE`; None when neither is set."""
    text = environ.get(env, "").strip()
    if text:
        return text
    path = environ.get(f"{env}_FILE", "").strip()
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ValueError(f"{env}_FILE={path} cannot be read: {reason}") from error


def _value(declared: "Field[Any]", hint: Any, environ: Mapping[str, str]) -> Any:
    env, unit, why = (declared.metadata[key] for key in ("env", "unit", "why"))
    text = read_variable(env, environ)
    if text is None:
        return _default(declared, environ)
    parse: Callable[[str], Any] | None = declared.metadata["parse"]
    if parse is not None:
        return parse(text)
    kind = _kind(hint)
    try:
        return _parse(kind, text)
    except ValueError as error:
        shown = "its value" if kind is Secret else repr(text)
        described = f" ({unit})" if unit else ""
        raise ValueError(f"{env}: {shown} is not {error}{described}; {why}") from error


def _default(declared: "Field[Any]", environ: Mapping[str, str]) -> Any:
    default_from: Callable[[Mapping[str, str]], Any] | None = declared.metadata["default_from"]
    if default_from is not None:
        return default_from(environ)
    if declared.default is MISSING and declared.default_factory is MISSING:
        env, unit, why = (declared.metadata[key] for key in ("env", "unit", "why"))
        described = f" ({unit})" if unit else ""
        raise ValueError(f"{env} is not set{described}; {why}")
    return MISSING


def _kind(hint: Any) -> Any:
    """`T | None` is read as T: None only ever comes from the default."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        options = [option for option in typing.get_args(hint) if option is not type(None)]
        if len(options) == 1:
            return options[0]
    return hint


def _parse(kind: Any, text: str) -> Any:
    if typing.get_origin(kind) is tuple:
        return tuple(part for part in (piece.strip() for piece in text.split(",")) if part)
    parser = _PARSERS.get(kind)
    if parser is None:
        raise TypeError(f"a setting cannot be of type {kind}: use one of {', '.join(k.__name__ for k in _PARSERS)}")
    return parser(text)


def _boolean(text: str) -> bool:
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("true or false")
    return word in _TRUE


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("a whole number") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("a number") from None


_PARSERS: Final[dict[Any, Callable[[str], Any]]] = {
    str: str,
    Secret: Secret,
    int: _integer,
    float: _number,
    bool: _boolean,
    Path: lambda text: Path(text).expanduser().absolute(),
}
