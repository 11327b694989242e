"""Can what queries read be read? A check for `/readyz`: tables may be of the right version, and not readable."""

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError

from libs.read_tables import FOLDED, metadata


def unreadable(engine: Engine) -> str | None:
    """Why queries would fail; None when a row of every table can be read."""
    with engine.connect() as connection:
        for name in FOLDED:
            table = metadata.tables[name]
            try:
                connection.execute(select(table).limit(1)).all()
            except DBAPIError as error:
                return f"the read tables cannot be read: {name}: {str(error.orig).strip().splitlines()[0]}"
    return None
