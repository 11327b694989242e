"""docs/reference/settings.md: every variable that a service or `jdi` reads, from their settings classes."""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections.abc import Iterator
from typing import Any, get_type_hints

import services.cli.settings as of_cli
from libs.embedded.environment import MODULES
from libs.runtime.environ import Secret
from tests.deploy.settings import SERVICES
from tests.docs.reference.tables import code, table

INTRODUCTION = """# Settings

Every variable that a service or `jdi` reads. `make reference` writes this page from the code.
[Configure](../configure.md) says which ones you need.

- Each can be given as a file: `JIRA_API_TOKEN_FILE=/run/secrets/token` in place of `JIRA_API_TOKEN`.
- An empty variable counts as not set.
- A wrong value is one clear line and exit code 2; every wrong value is named, not only the first.

"""
LOGS = """
## Logs

Read before all others, by every service.

| variable | default | meaning |
|---|---|---|
| `JDI_LOG_LEVEL` | `info` | `debug`, `info`, `warning` or `error` |
| `JDI_LOG_FORMAT` | `json`, on a terminal coloured text | `json`: one object a line, always |

## Traces

`OTEL_EXPORTER_OTLP_ENDPOINT` and OpenTelemetry's other variables, by every service: see
[traces](../observe.md#traces).
"""
TRACES = """
## Traces

OpenTelemetry's own variables, read by every service ([how](../observe.md#traces)): these, and all others that its SDK
for Python knows.

| variable | default | meaning |
|---|---|---|
| `OTEL_EXPORTER_OTLP_ENDPOINT` | no traces | the collector, as in `http://collector:4318`: OTLP over HTTP |
| `OTEL_TRACES_SAMPLER` | `parentbased_always_on` | which traces are kept; `parentbased_traceidratio`: a part |
| `OTEL_TRACES_SAMPLER_ARG` | `1.0` | which part |
| `OTEL_EXPORTER_OTLP_HEADERS` | none | what the collector wants to see, as in `authorization=Bearer%20abc` |
| `OTEL_RESOURCE_ATTRIBUTES` | none | what to say of every span, as in `deployment.environment.name=prod` |
| `OTEL_SDK_DISABLED` | `false` | `true`: no traces after all |
"""
FAMILIES = (
    ("Jira", "JIRA_", "NO_PROXY"),
    ("Schedules and failures", "SYNC_", "BACKOFF_", "ALERT_"),
    ("Database, Temporal, NATS", "DATABASE_", "TEMPORAL_", "NATS_"),
    ("Console, API and processes", "JDI_", "GRAPHQL_"),
    ("Notifications", "SMTP_", "NOTIFY_", "SLACK_", "WHATSAPP_"),
)
_SAME = re.compile(r"^`\w+`, (?:or|else) ")


@dataclasses.dataclass
class Variable:
    """One variable, and who reads it. The first who declares it says what it means."""

    name: str
    default: str
    meaning: str
    readers: list[str]


def page() -> str:
    found = variables()
    parts = [INTRODUCTION.rstrip() + "\n"]
    for title, *prefixes in FAMILIES:
        ours = sorted(name for name in found if name.startswith(tuple(prefixes)))
        rows = [(code(name), found[name].default, found[name].meaning, _readers(found.pop(name))) for name in ours]
        parts.append(f"\n## {title}\n\n{table(('variable', 'default', 'meaning', 'read by'), rows)}")
    assert not found, f"to which family do these belong: {', '.join(found)}"
    return "".join(parts) + LOGS + TRACES


def variables() -> dict[str, Variable]:
    """Everything that is declared, by name."""
    found: dict[str, Variable] = {}
    for reader, cls in _classes():
        kinds = get_type_hints(cls)
        for declared in dataclasses.fields(cls):
            if "env" not in declared.metadata:
                continue
            name = declared.metadata["env"]
            variable = found.setdefault(name, Variable(name, _default(declared, kinds), _meaning(declared), []))
            if reader not in variable.readers:
                variable.readers.append(reader)
    return found


def _classes() -> Iterator[tuple[str, Any]]:
    for service in SERVICES:
        yield service, importlib.import_module(f"{MODULES[service]}.settings").Settings
    for cls in vars(of_cli).values():
        if dataclasses.is_dataclass(cls) and cls.__module__ == of_cli.__name__:
            yield "jdi", cls


def _readers(variable: Variable) -> str:
    services = [reader for reader in variable.readers if reader != "jdi"]
    everybody = ["all services"] if services == list(SERVICES) else services
    return ", ".join([*everybody, *(["`jdi`"] if "jdi" in variable.readers else [])])


def _default(declared: dataclasses.Field[Any], kinds: dict[str, Any]) -> str:
    computed = declared.metadata["default_from"]
    if computed is not None:
        return _SAME.sub("", (computed.__doc__ or "").partition("\n")[0]).removesuffix(".") or "none"
    if declared.default is dataclasses.MISSING:
        return "**needed**"
    value = declared.default
    if value in (None, "", ()):
        return "none"
    if isinstance(value, bool):
        return code("1" if value else "0")
    kind = kinds[declared.name]
    if kind in (int, float, str, Secret, tuple[float, ...]):
        values = value if isinstance(value, tuple) else (value,)
        return code(",".join(f"{one:g}" if isinstance(one, float) else str(one) for one in values))
    return "built in"


def _meaning(declared: dataclasses.Field[Any]) -> str:
    why, unit = declared.metadata["why"], declared.metadata["unit"]
    return f"{why} ({unit})" if unit else str(why)
