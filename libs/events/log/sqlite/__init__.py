"""The log in a file of SQLite: its recorder, the one connection that writes, and the file itself."""

from libs.events.log.sqlite.files import address_of, is_there, path_of

__all__ = ["address_of", "is_there", "path_of"]
