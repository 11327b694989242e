"""Who may ask, and for what: API tokens, sessions of the console, and the principal that both stand for.

Knows neither HTTP nor GraphQL. Its two tables live beside the read tables, but are no part of what a rebuild makes
anew: they are the only state of the system that is not in the event log. No secret is stored, only hashes.
"""

from libs.access.principal import Principal, Role
from libs.access.sessions import SESSION_LIFE, Session, SessionStore
from libs.access.tables import migrate
from libs.access.tokens import ApiToken, BadTokenError, TokenStore, UnknownTokenError

__all__ = [
    "SESSION_LIFE",
    "ApiToken",
    "BadTokenError",
    "Principal",
    "Role",
    "Session",
    "SessionStore",
    "TokenStore",
    "UnknownTokenError",
    "migrate",
]
