"""What a row, a key and a set of tables are to those who write them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table

Row = dict[str, Any]
"""Column -> value."""

Key = tuple[str, str]
"""Site and the entity's id."""

Tables = Mapping[str, Table]
"""Live name -> table: the live ones, or those of a generation beside them."""
