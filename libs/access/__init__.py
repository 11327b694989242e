"""Who may ask, and for what: API tokens, sessions of the console, and the principal that both stand for.

Knows neither HTTP nor GraphQL. Its two tables are the only state of the system that is not in the event log: with
SQLite they have a file of their own and a safety copy beside it, with PostgreSQL they stand beside the read tables, and
no rebuild touches them. No secret is stored, only hashes.
"""

from libs.access.moving import move_over, salvage
from libs.access.principal import Principal, Role
from libs.access.safety_copy import NotCopiedError
from libs.access.sessions import SESSION_LIFE, Session, SessionStore
from libs.access.tokens import ApiToken, BadTokenError, TokenStore, UnknownTokenError
from libs.access.upkeep import migrate

__all__ = [
    "SESSION_LIFE",
    "ApiToken",
    "BadTokenError",
    "NotCopiedError",
    "Principal",
    "Role",
    "Session",
    "SessionStore",
    "TokenStore",
    "UnknownTokenError",
    "migrate",
    "move_over",
    "salvage",
]
