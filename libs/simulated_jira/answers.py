"""Issues as bytes, encoded once per state: a page of a hundred is then mostly joined together."""

from collections.abc import Sequence

import msgspec

from libs.simulated_jira import render
from libs.simulated_jira.dataset import Dataset, Issue

INLINE = 20
"""Comments and worklogs that come with an issue; the rest is paged."""

encode = msgspec.json.encode


class IssueAnswers:
    """Encoded issues of a data set."""

    def __init__(self, data: Dataset) -> None:
        self._data = data
        self._whole: dict[int, tuple[int, int, bytes]] = {}

    def issue(self, issue: Issue, fields: Sequence[str]) -> bytes:
        """One issue with the fields asked for; `*all` are all of them, comments and worklogs included."""
        if "*all" in fields:
            known = self._whole.get(issue.id)
            state = (issue.version, self._data.embedded)
            if known is not None and known[:2] == state and issue is self._data.issues.get(issue.id):
                return known[2]
            shown = render.issue(self._data, issue)
            shown["fields"] |= self._children(issue)
            encoded = encode(shown)
            if issue is self._data.issues.get(issue.id):
                self._whole[issue.id] = (*state, encoded)
            return encoded
        shown = render.issue(self._data, issue)
        every = shown["fields"] | self._children(issue)
        wanted = set(every) - {"comment", "worklog"} if "*navigable" in fields else set(fields)
        shown["fields"] = {name: value for name, value in every.items() if name in wanted}
        if not shown["fields"]:
            del shown["fields"]
        return encode(shown)

    def _children(self, issue: Issue) -> dict[str, object]:
        return {
            "comment": {
                "comments": [render.comment(self._data, issue, one) for one in issue.comments[:INLINE]],
                "self": f"{self._data.base_url}/rest/api/3/issue/{issue.id}/comment",
                "maxResults": INLINE,
                "total": len(issue.comments),
                "startAt": 0,
            },
            "worklog": {
                "startAt": 0,
                "maxResults": INLINE,
                "total": len(issue.worklogs),
                "worklogs": [render.worklog(self._data, issue, one) for one in issue.worklogs[:INLINE]],
            },
        }
