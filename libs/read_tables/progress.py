"""How far the tables are, what could not be applied, what is absent."""

from typing import Final

from sqlalchemy import Index, Table

from libs.read_tables.columns import flag, key, number, optional, position, string, text, time, version
from libs.read_tables.version import metadata

projection: Final = Table(
    "projection",
    metadata,
    key("name"),
    version(),  # of the read tables, see `shape.py`; 0: incomplete, must be rebuilt
    position(),  # of the last event applied; moves in the transaction that writes its rows
    number("generation"),  # counts rebuilds; 0 in the rows that number shapes
)

dead_letter: Final = Table(
    "dead_letter",
    metadata,
    key("projection"),
    key("stream_id"),
    position(primary_key=True, autoincrement=False),
    string("topic"),
    text("error"),
    time("parked_at"),  # when the event was recorded, so that a rebuild writes the same row
)

# Tombstones, of what Jira no longer shows: an older event that comes late must not bring it back.
gone: Final = Table(
    "gone",
    metadata,
    key("site"),
    key("kind"),  # issue, comment, worklog
    key("entity_id"),
    string("project_key"),
    string("reason"),  # DELETED, MOVED, HIDDEN, UNTRACKED, POLICY
    flag("doubtful"),  # whether it may as well be deleted where it is called hidden, and the other way round
    optional("key"),  # of an issue: under which it lives on in another project, where that is known
    optional("former_key"),  # of an issue: under which it was shown, as the census says; see also table `former_key`
    time("gone_at"),
    version(),
    Index("gone_by_project", "site", "project_key", "gone_at", "kind", "entity_id"),
)
