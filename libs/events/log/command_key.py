"""The key by which commands prove that they are ours: whoever can read the log has it, and nobody else.

It is kept beside the log, so that no deployment needs a setting more, and a backup holds it.
"""

import secrets
from typing import Final

from libs.events.log.batches import Append
from libs.events.log.store import EventStore, open_store

CHECKPOINT: Final = "@command-key"
"""No site has an @ in its name."""
BYTES: Final = 32


def command_key(store: EventStore) -> bytes:
    """The key of this log, made by whoever asks first.

    Raises:
        StoreError: the database does not answer, or forbids it.
    """
    while (key := store.checkpoint(CHECKPOINT)) is None:
        store.append(Append(new_checkpoints={CHECKPOINT: secrets.token_bytes(BYTES)}))
    return key


def read_command_key(url: str) -> bytes:
    """The key of the log at an address, for those who need nothing else of it.

    Raises:
        StoreVersionError: there is no log of this version; the text says what to run.
        StoreError: the database does not answer, or forbids it.
    """
    store = open_store(url)
    try:
        return command_key(store)
    finally:
        store.close()
