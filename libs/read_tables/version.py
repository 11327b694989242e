"""The version of all read tables together, and the metadata they hang on.

Read tables are never altered in place. Raise `VERSION` with any change of a table or of what a handler writes: a
projector that finds another version in the database rebuilds everything beside the old tables and switches over.
"""

from typing import Final

from sqlalchemy import MetaData

VERSION: Final = 4

PROJECTION: Final = "read_tables"
"""The name under which `projection` keeps the position that the tables have reached."""

NEVER: Final = "1970-01-01T00:00:00.000Z"

metadata: Final = MetaData()
