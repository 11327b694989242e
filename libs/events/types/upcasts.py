"""Old shapes of events to new ones, on reading, so that every handler knows one shape only."""

from collections.abc import Callable
from typing import Any, Final

Upcast = Callable[[dict[str, Any]], dict[str, Any]]
"""From the decoded JSON of the old topic to that of the new one."""

UPCASTS: Final[dict[str, tuple[str, Upcast]]] = {}
"""Old topic to (newest topic, function)."""
