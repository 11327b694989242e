"""What differs from read to read though nothing has changed. Every change here flickers."""

from __future__ import annotations

import random
from typing import Any

from libs.jira_simulator.odd.kinds import Change, Kind, harmless

GATEWAY = "https://api.atlassian.com/ex/jira/5e0ffa57-0000-4000-8000-000000000000"
SLA_FIELD = "customfield_10300"
DEVELOPMENT_FIELD = "customfield_10301"


def _fields(change: Change) -> Change:
    def changed(issue: Any, rng: random.Random) -> Any:
        if isinstance(issue, dict) and isinstance(issue.get("fields"), dict):
            change(issue["fields"], rng)
        return issue

    return changed


def _service_level(fields: dict[str, Any], rng: random.Random) -> None:
    clock = rng.randrange(10**9)
    fields[SLA_FIELD] = {
        "id": "2",
        "name": "Time to resolution",
        "completedCycles": [],
        "ongoingCycle": {
            "startTime": {"epochMillis": 1767323045678, "friendly": rng.choice(("Today 10:15", "Yesterday"))},
            "breached": False,
            "paused": False,
            "withinCalendarHours": rng.random() < 0.5,
            "goalDuration": {"millis": 14_400_000, "friendly": "4h"},
            "elapsedTime": {"millis": clock, "friendly": f"{clock}m"},
            "remainingTime": {"millis": -clock, "friendly": f"-{clock}m"},
        },
    }


def _attachments(fields: dict[str, Any], rng: random.Random) -> None:
    address = f"https://api.media.atlassian.com/file/{rng.getrandbits(64):x}"
    fields["attachment"] = [
        {
            "id": "20001",
            "filename": "log.txt",
            "size": 12,
            "mimeType": "text/plain",
            "created": "2025-03-04T05:06:07.000+0000",
            "content": f"{address}/binary",
            "thumbnail": f"{address}/image",
        }
    ]


def _local_ids(fields: dict[str, Any], rng: random.Random) -> None:
    document = fields.get("description")
    for node in document.get("content") or () if isinstance(document, dict) else ():
        node.setdefault("attrs", {})["localId"] = f"{rng.getrandbits(48):012x}"


def _own_account(fields: dict[str, Any], rng: random.Random) -> None:
    fields["watches"] = {"watchCount": rng.randrange(9), "isWatching": rng.random() < 0.5}
    if isinstance(fields.get("votes"), dict):
        fields["votes"]["hasVoted"] = rng.random() < 0.5
    fields["lastViewed"] = f"2026-01-02T03:04:{rng.randrange(60):02}.000+0000"


def _admins_words(fields: dict[str, Any], rng: random.Random) -> None:
    for name in ("status", "priority", "issuetype"):
        if isinstance(fields.get(name), dict):
            fields[name] |= {"description": f"Edited {rng.randrange(9)}", "iconUrl": f"/icon/{rng.randrange(9)}"}
    category = (fields.get("status") or {}).get("statusCategory")
    if isinstance(category, dict):
        category["colorName"] = rng.choice(("green", "yellow", "blue-gray"))


def _development(fields: dict[str, Any], rng: random.Random) -> None:
    count = rng.randrange(9)
    fields[DEVELOPMENT_FIELD] = rng.choice(
        ("{}", f'{{pullrequest={{dataType=pullrequest, state=OPEN, stateCount={count}}}, json={{"isStale":true}}}}')
    )


def _gateway(issue: Any, rng: random.Random) -> Any:
    if isinstance(issue, dict) and isinstance(issue.get("self"), str):
        issue["self"] = rng.choice((issue["self"], f"{GATEWAY}/rest/api/3/issue/{issue.get('id')}"))
    return issue


NOISE: tuple[Kind, ...] = (
    harmless("clock of a service level", _fields(_service_level), flickers=True),
    harmless("addresses of attachments", _fields(_attachments), flickers=True),
    harmless("ids of nodes", _fields(_local_ids), flickers=True),
    harmless("what our account sees", _fields(_own_account), flickers=True),
    harmless("words of an admin", _fields(_admins_words), flickers=True),
    harmless("cache of the development panel", _fields(_development), flickers=True),
    harmless("address of the gateway", _gateway, flickers=True),
)
