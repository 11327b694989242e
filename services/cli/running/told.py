"""What the process that runs the demo's sync tells the one at the terminal, a JSON line each."""

import msgspec


class Said(msgspec.Struct, frozen=True, tag=True):
    """A line for people."""

    text: str


class Moved(msgspec.Struct, frozen=True, tag=True):
    """How far the sync is."""

    pages: int
    pages_total: int | None
    issues: int


class Outcome(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """How it ended: for scripts, and for people where more is to be said than `verdict` does."""

    verdict: str = "failed INTERRUPTED the sync was stopped before it ended; start the demo again to go on with it"
    ok: bool = False
    fatal: bool = False
    """Nothing was found out about the sync, because a part of the stack does not do what it should."""
    described: str = ""


Told = Said | Moved | Outcome
