"""Which environment variables a command understands, as its own settings class says."""

from __future__ import annotations

import dataclasses
import importlib

from libs.embedded import environment
from services.cli.settings import DatabaseSettings, DoctorSettings, SiteSettings, TokenSettings

SERVICES = environment.SERVICES
TRACES = frozenset({"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"})
EVERYWHERE = frozenset({"JDI_LOG_LEVEL", "JDI_LOG_FORMAT"}) | TRACES
"""Read before there are settings."""


CLI = (DatabaseSettings, DoctorSettings, SiteSettings, TokenSettings)


def known_variables(module: str) -> frozenset[str]:
    """Of `services.ingestor`, `services.ingestor.relay`, … or `services.cli`; each with its `_FILE` form."""
    package, _, name = module.partition(".")
    assert package == "services", module
    classes = CLI if name == "cli" else (importlib.import_module(f"services.{name}.settings").Settings,)
    names = {str(field.metadata["env"]) for cls in classes for field in dataclasses.fields(cls) if field.metadata}
    names |= set(derived(name))
    return frozenset(names | {f"{each}_FILE" for each in names}) | EVERYWHERE


def derived(name: str) -> tuple[str, ...]:
    """Variables from which others get their default: the site from the address."""
    return ("JIRA_BASE_URL",) if name in ("graphql", "cli", "ingestor.relay") else ()
