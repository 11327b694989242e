"""The search index: what ``search/jql`` sees, which may be older than what reading by id sees.

On a real site the index follows a change after seconds, sometimes minutes. Here it follows after a lag that can be set,
at first 0.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Iterable, Mapping

from libs.jira_simulator.site.entities import IssueRecord


class SearchIndex:
    """Issues as search sees them. Times are of the monotonic clock, in seconds."""

    def __init__(self, issues: Mapping[int, IssueRecord]) -> None:
        self._seen = dict(issues)
        self._waiting: deque[tuple[float, int, IssueRecord | None]] = deque()
        self._lag = 0.0
        self._missing: frozenset[int] = frozenset()
        self.version = 0
        """Grows whenever search sees something new; results may be kept as long as it stands still."""

    @property
    def waiting(self) -> int:
        """How many changes search does not see yet."""
        self.refresh()
        return len(self._waiting)

    @property
    def lag_ms(self) -> float:
        return self._lag * 1000

    def set_lag(self, milliseconds: float) -> None:
        """From now on search follows a change after so long. A shorter lag also hastens the changes that wait."""
        self._lag = milliseconds / 1000
        latest = time.monotonic() + self._lag
        self._waiting = deque((min(at, latest), id_, record) for at, id_, record in self._waiting)

    def note(self, issue_id: int, record: IssueRecord | None) -> None:
        """An issue changed (None: was deleted)."""
        self._waiting.append((time.monotonic() + self._lag, issue_id, record))

    def lose(self, issue_ids: Iterable[int]) -> None:
        """Search does not see these issues, whatever changes, as while a site is indexed anew. None: it sees all."""
        self._missing = frozenset(issue_ids)
        self.version += 1

    def refresh(self) -> None:
        """Catch up with the changes whose lag has passed, in their order."""
        now = time.monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            _, issue_id, record = self._waiting.popleft()
            if record is None:
                self._seen.pop(issue_id, None)
            else:
                self._seen[issue_id] = record
            self.version += 1

    def records(self) -> Collection[IssueRecord]:
        """Everything that search sees now."""
        self.refresh()
        if not self._missing:
            return self._seen.values()
        return [record for id_, record in self._seen.items() if id_ not in self._missing]
