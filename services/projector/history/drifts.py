"""Fields of Jira's answers that changed, a row each."""

from libs.events import Recorded, SchemaDriftDetected
from services.projector.tables.rows import Row
from services.projector.tables.text import storable
from services.projector.tables.times import stamp


def drift_row(recorded: Recorded) -> Row | None:
    """The row of `schema_drift` for an event; None for every other event."""
    event = recorded.event
    if not isinstance(event, SchemaDriftDetected):
        return None
    return {
        "site": event.site,
        "position": recorded.position,
        "project_key": event.project,
        "run_id": event.run_id,
        "change": event.change,
        "field_id": storable(event.field_id),
        "field_name": storable(event.field_name),
        "before": event.before and storable(event.before),
        "after": event.after and storable(event.after),
        "at": stamp(event.occurred_at),
    }
