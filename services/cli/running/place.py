"""Where the demo's data are, and who may read them there."""

from typing import Final

SITE: Final = "demo"
PROJECT: Final = "DEMO"
EMAIL: Final = "sync@example.com"
TOKEN: Final = "simulated-token"  # noqa: S105 - opens nothing but the simulated Jira
