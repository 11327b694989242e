"""Hints: that something of an issue may have changed in Jira, as a webhook says.

They are never data: whoever takes one up asks Jira itself. They wait beside the log, each under a name of its own,
until Jira has been asked, so that one that comes while another of its issue is taken up is not lost with it.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

MOST_CHILDREN: Final = 100
"""Comments, and as many worklogs, of one hint. Of more the issue's own lists tell."""

_encoder: Final = msgspec.json.Encoder()


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """That an issue may have changed, or be gone."""

    issue: str
    """Jira's id of it, or its key where no id was given."""
    project: str = ""
    """Key of the project in which it was shown; empty where that was not said."""
    at: datetime
    """When we heard of it; UTC."""
    deleted: bool = False
    """Whether the issue itself is said to be deleted."""
    gone_comments: tuple[str, ...] = ()
    """Ids of its comments that somebody said are gone: a webhook, or a list that lacked them."""
    gone_worklogs: tuple[str, ...] = ()
    again: bool = False
    """Whether we ask for a second look ourselves, and nobody told of a change."""

    def __or__(self, later: "Hint") -> "Hint":
        """Both in one, of the same issue: nothing that either says is lost."""
        return Hint(
            issue=later.issue,
            project=later.project or self.project,
            at=later.at,
            deleted=self.deleted or later.deleted,
            again=self.again and later.again,
            gone_comments=bounded((*self.gone_comments, *later.gone_comments)),
            gone_worklogs=bounded((*self.gone_worklogs, *later.gone_worklogs)),
        )


def bounded(children: Iterable[str]) -> tuple[str, ...]:
    """Each once, and as many as a hint holds."""
    return tuple(dict.fromkeys(children))[:MOST_CHILDREN]


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What was heard last of a site's webhooks."""

    at: datetime
    event: str
    """What Jira calls it, such as `jira:issue_updated`."""
    signed: bool
    """Whether it was signed, with our secret or by Atlassian."""


def hint_prefix(site: str) -> str:
    """What the names of the checkpoints begin with under which a site's hints wait; no key of a project has an @."""
    return f"{site}/@hint/"


def heard_checkpoint(site: str) -> str:
    """The name of the checkpoint that holds `Heard`."""
    return f"{site}/@hooks"


def stored_hint(site: str, hint: Hint) -> tuple[str, bytes]:
    """The checkpoint of a hint: its name, which no other has, and its content."""
    return f"{hint_prefix(site)}{hint.issue}/{secrets.token_hex(6)}", _encoder.encode(hint)


def read_hint(content: bytes) -> Hint | None:
    """The hint of a checkpoint; None where it cannot be read, which is then nobody's."""
    try:
        return msgspec.json.decode(content, type=Hint)
    except msgspec.DecodeError:
        return None
