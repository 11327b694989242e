"""One user and one sprint, read by three readers who refuse different things; what makes facts refuses nothing."""

from typing import Any

import msgspec
import pytest

from libs.jira_client.models import Sprint, SprintFact, StoredSprint, StoredUser, User, UserFact, id_of

USER = {"accountId": "5b10", "displayName": "Anne", "active": True, "accountType": "atlassian"}
SPRINT = {"id": 3, "name": "S3", "state": "active", "goal": None, "boardId": 1, "originBoardId": 1}


def readers(known: dict[str, Any], change: dict[str, Any], kinds: tuple[type[msgspec.Struct], ...]) -> set[str]:
    """Who takes the thing with this change; a value of `UNSET` leaves the name out."""
    payload = msgspec.json.encode({name: new for name, new in (known | change).items() if new is not msgspec.UNSET})
    taken = set()
    for kind in kinds:
        try:
            msgspec.json.decode(payload, type=kind)
        except msgspec.ValidationError:
            continue
        taken.add(kind.__name__)
    return taken


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        ({}, {"User", "StoredUser"}),
        ({"accountId": msgspec.UNSET}, {"StoredUser"}),
        ({"accountId": None}, {"StoredUser"}),
        ({"accountId": 7}, set()),
        ({"displayName": None}, {"User", "StoredUser"}),
        ({"accountType": None}, {"User", "StoredUser"}),
        ({"displayName": msgspec.UNSET}, {"User", "StoredUser"}),
        ({"active": None}, {"User", "StoredUser"}),
        ({"avatarUrls": {"48x48": 1}}, set()),
    ],
)
def test_who_takes_which_user(change: dict[str, Any], taken: set[str]) -> None:
    assert readers(USER, change, (User, StoredUser)) == taken
    assert readers(USER, change, (UserFact,)) == {"UserFact"}


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        ({}, {"Sprint", "StoredSprint"}),
        ({"id": "3"}, {"StoredSprint"}),
        ({"id": msgspec.UNSET}, {"StoredSprint"}),
        ({"name": None}, {"StoredSprint"}),
        ({"state": None}, {"StoredSprint"}),
        ({"goal": 7}, {"Sprint"}),
        ({"startDate": 7}, {"Sprint"}),
        ({"boardId": []}, {"Sprint"}),
        ({"originBoardId": "1"}, {"StoredSprint"}),
        ({"originBoardId": []}, set()),
    ],
)
def test_who_takes_which_sprint(change: dict[str, Any], taken: set[str]) -> None:
    assert readers(SPRINT, change, (Sprint, StoredSprint)) == taken
    assert readers(SPRINT, change, (SprintFact,)) == {"SprintFact"}


@pytest.mark.parametrize(
    ("issue", "known"),
    [
        (b'{"id":"10001","key":"A-1"}', "10001"),
        (b'{"expand":"names,schema","id":"10001","key":"A-1","fields":{"id":"7"}}', "10001"),
        (b'{ "fields": {"id": "7"}, "id": 10001 }', "10001"),
        (b'{"expand":"a \\"quoted\\" one","id":"10001"}', "10001"),
        (b'{"id":"A","key":"A-1"}', "A"),
        (b'{"id":null,"key":"A-1"}', None),
        (b'{"key":"A-1","fields":{"id":"7"}}', None),
        (b'["id"]', None),
    ],
)
def test_the_id_of_an_issue_is_read_wherever_it_stands(issue: bytes, known: str | None) -> None:
    assert id_of(msgspec.Raw(issue)) == known
