"""Logs: one structured line per happening, on stderr, with secrets struck out last.

JSON when stderr is no terminal (or `JDI_LOG_FORMAT=json`), else coloured for people. Records of libraries that use the
standard `logging` pass the same processors, so that an error text of theirs is redacted as well.
"""

import logging
import os
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

from libs.runtime.environ import Secret
from libs.runtime.printable import printable

MASK: Final = "***"
_SECRET_KEY: Final = re.compile(r"(token|password|passwd|authorization|secret|api[_-]?key|cookie)$", re.IGNORECASE)
_SECRET_VALUES: Final = (
    (re.compile(r"ATATT[\w\-=+/.]+"), MASK),  # Atlassian API tokens
    (re.compile(r"\b(jdi_[0-9a-f]{12})_[\w\-]{43}"), rf"\1_{MASK}"),  # our own; the id may be known
    (re.compile(r"\b(Bearer|Basic)\s+[\w\-=+/.~:]+", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"hooks\.slack\.com/services/[\w/\-]+"), f"hooks.slack.com/services/{MASK}"),
    (re.compile(r"\bxox[a-z]-[\w\-]{6,}"), MASK),  # Slack tokens
    (re.compile(r"\bEAA[A-Za-z0-9]{20,}"), MASK),  # tokens of Meta's Graph API
    (re.compile(r"(://[^\s:/@]*):[^\s/@]+@"), rf"\1:{MASK}@"),  # passwords in URLs
)
_OF_LINES: Final = ("exception", "stack")
_QUIET: Final = ("aiohttp.access", "asyncio", "httpx", "httpcore")


def configure(service: str, level: str = "info", *, json_lines: bool | None = None) -> None:
    """Set up logging of this process.

    Args:
        service: bound to every line.
        level: debug, info, warning or error.
        json_lines: None decides by `JDI_LOG_FORMAT` (json or console), then by whether stderr is a terminal.

    Raises:
        ValueError: for an unknown level.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"JDI_LOG_LEVEL: {level!r} is not one of debug, info, warning, error")
    as_json = _wants_json() if json_lines is None else json_lines
    shared = _shared_processors()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact,
                *(_JSON if as_json else _FOR_PEOPLE),
            ],
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(number)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(service=service)


def plain_lines(program: str, stream: TextIO) -> None:
    """Have warnings and errors of libraries shown as plain lines: for a command, whose reader is at the terminal."""

    def as_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
        values = dict(event)
        text = values.pop("event")
        return f"{program}: {text}{''.join(f'; {name}: {value}' for name, value in values.items())}"

    structlog.configure(
        processors=[redact, as_line],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(stream),
    )


def with_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Name the trace in which the line was written, so that one leads to the other."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event.setdefault("trace_id", trace.format_trace_id(context.trace_id))
        event.setdefault("span_id", trace.format_span_id(context.span_id))
    return event


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Strike out what looks like a secret, by key and by shape, at any depth. Runs last before rendering."""
    return {key: _redacted(key, value) for key, value in event.items()}


def _on_one_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep what a stranger wrote from steering the terminal or forging a line; a traceback keeps its lines."""
    return {key: _escaped(value, lines=key in _OF_LINES) for key, value in event.items()}


def _escaped(value: Any, *, lines: bool = False) -> Any:
    if isinstance(value, MutableMapping):
        return {printable(str(inner)): _escaped(item) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(item) for item in value]
    if not isinstance(value, str):
        return value
    return "\n".join(map(printable, value.split("\n"))) if lines else printable(value)


def _escaped_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """The values as they are: what a terminal would obey is escaped as JSON itself escapes."""
    return printable(str(structlog.processors.JSONRenderer(ensure_ascii=False)(_logger, _method, event)))


_JSON: Final[tuple[Processor, ...]] = (_escaped_json,)
_FOR_PEOPLE: Final[tuple[Processor, ...]] = (_on_one_line, structlog.dev.ConsoleRenderer(colors=True))


def redact_text(text: str) -> str:
    """`text` without anything that has the shape of a credential."""
    for pattern, replacement in _SECRET_VALUES:
        text = pattern.sub(replacement, text)
    return text


def _redacted(key: str, value: Any) -> Any:
    if isinstance(value, Secret) or (value and isinstance(value, str | bytes) and _SECRET_KEY.search(key)):
        return MASK
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, MutableMapping):
        return {inner: _redacted(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(key, item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact_text(str(value))


def _wants_json() -> bool:
    form = os.environ.get("JDI_LOG_FORMAT", "").lower()
    return form == "json" if form in ("json", "console") else not sys.stderr.isatty()


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        with_trace,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,  # before the redaction: tracebacks quote values
    ]
