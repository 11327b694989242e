"""The webhooks that Jira sends of changes, in its own shapes."""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

EVENTS = {"issue_moved": "jira:issue_updated", "issue_created": "jira:issue_created"}


class Hook(NamedTuple):
    """One webhook on its way."""

    body: bytes
    signature: str
    forged: bool = False


def hooks_of(changes: Iterable[Mapping[str, Any]], secret: str) -> list[Hook]:
    """One of each change of an issue, a comment or a worklog, signed."""
    return [_signed(body, secret) for change in changes if (body := _body(change)) is not None]


def on_a_bad_road(hooks: Sequence[Hook], rng: random.Random) -> list[Hook]:
    """A tenth is lost, a tenth comes twice, a twentieth is forged beside them, and all come in any order."""
    road = [hook for hook in hooks if rng.random() >= 0.1]
    road += [hook for hook in road if rng.random() < 0.1]
    road += [_forged(hook, rng) for hook in rng.choices(hooks, k=len(hooks) // 20)]
    rng.shuffle(road)
    return road


def _body(change: Mapping[str, Any]) -> dict[str, Any] | None:
    kind, event = change["kind"], change["type"]
    if kind == "issue":
        name = "jira:issue_deleted" if change["after"] is None else EVENTS.get(event, "jira:issue_updated")
        issue = change["after"] or {"id": change["id"], "fields": {"project": {"key": change["project"]}}}
        return {"timestamp": 1, "webhookEvent": name, "issue": issue}
    if kind == "comment":
        address = f"https://jira.test/rest/api/2/issue/{change['issueId']}/comment/{change['id']}"
        return {"webhookEvent": event, "comment": {"id": change["id"], "self": address}}
    if kind == "worklog":
        return {"webhookEvent": event, "worklog": {"id": change["id"], "issueId": change["issueId"]}}
    return None


def _signed(body: Mapping[str, Any], secret: str) -> Hook:
    content = msgspec.json.encode(body)
    return Hook(content, f"sha256={hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()}")


def _forged(hook: Hook, rng: random.Random) -> Hook:
    """Signed by another secret, or another body under a right signature, or not signed at all."""
    ways = (
        hook._replace(signature=f"sha256={rng.getrandbits(256):064x}"),
        hook._replace(body=hook.body + b" "),
        hook._replace(signature=""),
    )
    return rng.choice(ways)._replace(forged=True)
