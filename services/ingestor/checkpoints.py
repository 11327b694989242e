"""What the ingestor remembers beside the log, by the names under which that is stored. The names stay as they are."""

from libs.events import ProjectKey, scan_checkpoints


class CheckpointNames:
    """Names of the checkpoints of one project."""

    def __init__(self, project: ProjectKey) -> None:
        self._project = project
        self._prefix = f"{project.site}/{project.key}/"

    @property
    def watermarks(self) -> str:
        return f"{self._prefix}watermarks"

    @property
    def jira_project(self) -> str:
        """Id and key of the project as Jira showed it last."""
        return f"{self._prefix}jira-project"

    @property
    def boards(self) -> str:
        """Ids of the project's boards that have sprints."""
        return f"{self._prefix}boards"

    @property
    def sprint_field(self) -> str:
        """The ids of the site's sprint fields, as `libs.jira_client.sprint_field` writes them."""
        return f"{self._prefix}sprint-field"

    @property
    def fields(self) -> str:
        """Jira's list of fields as it was seen last."""
        return f"{self._prefix}fields"

    @property
    def decode_errors(self) -> str:
        """Paths in answers that could not be decoded since the last run that succeeded; the rest is the path."""
        return f"{self._prefix}misfit/"

    @property
    def listed(self) -> str:
        """How many issues of the project the last full run has found."""
        return f"{self._prefix}listed"

    @property
    def refreshed(self) -> str:
        """When each of the references was read last."""
        return f"{self._prefix}looked-up"

    @property
    def requests(self) -> str:
        """Requests that no run has served yet; the rest is the request's id."""
        return f"{self._prefix}request/"

    @property
    def tracked(self) -> str:
        """The watch list: a list of account ids."""
        return f"{self._prefix}tracked"

    @property
    def users(self) -> str:
        """Users that were met in the project; the rest is the account id."""
        return f"{self._prefix}user/"

    @property
    def unfinished(self) -> str:
        """Issues of which something could not be read; the rest of the name is the issue's id, or its key without one.

        Holds a `Debt`; as earlier versions have written it, when it was tried last (ISO 8601), or nothing.
        """
        return f"{self._prefix}unfinished/"

    @property
    def sick(self) -> str:
        """Look-ups that could not be read whole; the rest of the name is the unit. Holds a `Debt`."""
        return f"{self._prefix}sick/"

    @property
    def nameless(self) -> str:
        """Issues that Jira shows without id and key; the rest of the name is a digest. Holds a `Nameless`."""
        return f"{self._prefix}nameless/"

    @property
    def went_back(self) -> str:
        """Holds how many issues a run has met that were older than before; until a census has weighed it."""
        return f"{self._prefix}went_back"

    @property
    def restricted(self) -> str:
        """Issues of which Jira counts more than it shows; the rest of the name is the issue's id.

        Holds how many, by `comment` and `worklog`.
        """
        return f"{self._prefix}restricted/"

    @property
    def reread(self) -> str:
        """The issue that was read last in its turn."""
        return f"{self._prefix}reread"

    @property
    def scans(self) -> str:
        """What runs remember while they last."""
        return scan_checkpoints(*self._project, "").removesuffix("/")

    def scan(self, run_id: str) -> str:
        """What one run remembers while it lasts."""
        return scan_checkpoints(*self._project, run_id)

    def page(self, run_id: str, page: int) -> str:
        """The ids of the issues of one page of a full run."""
        return f"{self.scan(run_id)}{page:06d}"

    def tokens(self, run_id: str) -> str:
        """Page tokens that the run has met; the rest is a digest of the token."""
        return f"{self.scan(run_id)}token/"

    def left(self, run_id: str, page: int) -> str:
        """The ids of the issues of one page that are still to be read; replaced by each part of the page."""
        return f"{self.scan(run_id)}left/{page:06d}"

    def late(self, run_id: str) -> str:
        """How late the changes were that pages of the run have shown; the rest of the name is the page's number."""
        return f"{self.scan(run_id)}late/"

    def shown(self, run_id: str) -> str:
        """What the pages of a search have shown; the rest of the name is the page's number."""
        return f"{self.scan(run_id)}shown/"

    def stored(self, run_id: str) -> str:
        """Pages of the run that are in the log; the rest of the name is the page's number."""
        return f"{self.scan(run_id)}stored/"


def registered_checkpoint(project: ProjectKey) -> str:
    """Says that a project is registered; no key of a project has an @."""
    return f"{project.site}/@registered/{project.key}"


def late_checkpoints(site: str) -> str:
    """How late Jira's search has served changes of a site; the rest of the name is the project. Holds a `Lateness`."""
    return f"{site}/@late/"


def told_deleted_checkpoints(site: str) -> str:
    """Issues of which a webhook told that they were deleted, and that nobody has marked so; the rest is the issue's id.

    Holds when that was heard (ISO 8601, UTC).
    """
    return f"{site}/@told-deleted/"


def deleted_worklogs_checkpoint(site: str) -> str:
    """How far the feed of deleted worklogs of a site has been read. Holds a `Reached`."""
    return f"{site}/@worklogs-deleted"


REFRESH_TOKENS = "@refresh-token/"
"""Refresh tokens, sealed; see `SpentOnce`. Not of one site: a person's grant may be for several."""
