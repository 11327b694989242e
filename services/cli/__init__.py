"""`jdi`: start the whole system on one machine, and speak to one that runs.

Owns nothing: it starts services by module name, asks the ingestor by way of Temporal, and reads the event log and the
read tables. `commands` has every command; each other module is the body of one command or a part several share.
"""

from services.cli.commands import main

__all__ = ["main"]
