"""Between events and stored rows, for the library: msgspec instead of its transcoder, our topics instead of its own."""

from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import Mapper, StoredEvent

from libs.events.log.batches import NewRow
from libs.events.types.event import Event
from libs.events.types.topics import TOPIC_OF, decode

_encode = msgspec.json.Encoder().encode


class EventMapper(Mapper[UUID]):
    """Encodes events; compression and encryption at rest, where configured, are the library's."""

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        return StoredEvent(*self.row(domain_event))

    def row(self, event: Event) -> NewRow:
        """An event as it is stored."""
        state = _encode(event)
        if self.compressor:
            state = self.compressor.compress(state)
        if self.cipher:
            state = self.cipher.encrypt(state)
        return event.stream_id, event.stream_version, TOPIC_OF[type(event)], state

    def plain(self, state: bytes) -> bytes:
        """The stored bytes, decrypted and decompressed."""
        if self.cipher:
            state = self.cipher.decrypt(state)
        if self.compressor:
            state = self.compressor.decompress(state)
        return state

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        return decode(stored_event.topic, self.plain(stored_event.state))
