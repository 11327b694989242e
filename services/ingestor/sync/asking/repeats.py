"""Whether a search goes round in a circle: with fresh page tokens, Jira shows the same issues again and again.

An issue that changes during the scan moves ahead of it and comes again, with a newer `updated`. One that comes again
with the same says nothing by itself; pages in a row that show nothing else are a loop.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Raw

from libs.jira_client.pages import REPEATED_PAGES, unbelievable

DIGEST_BYTES = 8

SEARCH = "POST /rest/api/3/search/jql"


class _Updated(msgspec.Struct, frozen=True):
    updated: Raw = Raw(b"")


class _Shown(msgspec.Struct, frozen=True):
    id: Raw
    fields: _Updated = _Updated()


def shown_by(raws: Iterable[Raw]) -> bytes:
    """What a page shows, as digests of the ids of its issues and when these were updated, one after another."""
    return b"".join(dict.fromkeys(_digest(raw) for raw in raws))


def noted(shown: bytes, before: Mapping[str, bytes]) -> bytes:
    """What to remember of a page: what it shows, or nothing when that is known.

    Args:
        shown: by this page.
        before: what was remembered of each page before it, by names in the pages' order.

    Raises:
        BadResponse: this page is one of several in a row that show only what is known.
    """
    known = {digest for page in before.values() for digest in _digests(page)}
    if not known.issuperset(_digests(shown)):
        return shown
    last = [before[name] for name in sorted(before)][1 - REPEATED_PAGES :]
    if len(last) == REPEATED_PAGES - 1 and not any(last):
        raise unbelievable(f"Jira shows the same issues again after {len(known)} of them.", SEARCH)
    return b""


def _digests(page: bytes) -> list[bytes]:
    return [page[start : start + DIGEST_BYTES] for start in range(0, len(page), DIGEST_BYTES)]


def _digest(raw: Raw) -> bytes:
    try:
        shown = msgspec.json.decode(raw, type=_Shown)
        told = b"%b %b" % (shown.id, shown.fields.updated)
    except msgspec.DecodeError:
        told = bytes(raw)
    return hashlib.blake2b(told, digest_size=DIGEST_BYTES).digest()
