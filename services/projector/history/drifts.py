"""Fields of Jira's answers that changed, a row each."""

from libs.events import SchemaDriftDetected
from services.projector.tables.batch import Row
from services.projector.tables.text import storable
from services.projector.tables.times import stamp


def drift_row(position: int, event: SchemaDriftDetected) -> Row:
    """The row of `schema_drift` for an event."""
    return {
        "site": event.site,
        "position": position,
        "project_key": event.project,
        "run_id": event.run_id,
        "change": event.change,
        "field_id": storable(event.field_id),
        "field_name": storable(event.field_name),
        "before": None if event.before is None else storable(event.before),
        "after": None if event.after is None else storable(event.after),
        "at": stamp(event.occurred_at),
    }
