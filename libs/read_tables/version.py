"""What the handlers mean, by number, and the metadata that the read tables hang on.

Read tables are never altered in place: a projector that finds other tables than its own in the database rebuilds
everything beside the old ones and switches over. A change of a table's shape is seen without help (`shape.py`). Raise
`VERSION` when a handler writes other values into the same columns, or when tables get back a shape they had before.
"""

from typing import Final

from sqlalchemy import MetaData

VERSION: Final = 7

PROJECTION: Final = "read_tables"
"""The name under which `projection` keeps the position that the tables have reached."""

NEVER: Final = "1970-01-01T00:00:00.000Z"

metadata: Final = MetaData()
