"""Names that cross a process: queues, workflows, ids. Changing one strands what runs under the old name."""

from __future__ import annotations

SYNC_QUEUE = "sync"
"""Workflows of syncs and censuses. A site's activities have a queue of their own: a slow one delays no other."""

CONTROL_QUEUE = "control"
"""Short workflows that carry out what people ask for, and the steps that touch only the event log or a schedule."""

SYNC_WORKFLOW = "syncProjectWorkflow"
CENSUS_WORKFLOW = "proveProjectWorkflow"
CONTROL_WORKFLOW = "controlProjectWorkflow"
DISCOVERY_WORKFLOW = "askJiraWorkflow"
HINTS_WORKFLOW = "takeUpHintsWorkflow"
WORKFLOWS = (SYNC_WORKFLOW, CENSUS_WORKFLOW, CONTROL_WORKFLOW, DISCOVERY_WORKFLOW, HINTS_WORKFLOW)

HINTED = "hinted"
"""The signal that there are hints."""


def jira_queue(site: str) -> str:
    return f"jira.{site}"


def schedule_id(site: str, project: str) -> str:
    return f"jira-sync:{site}:{project}"


def census_schedule_id(site: str, project: str) -> str:
    return f"jira-prove:{site}:{project}"


def schedule_prefixes(site: str) -> tuple[str, ...]:
    """What the ids of all schedules of a site begin with."""
    return schedule_id(site, ""), census_schedule_id(site, "")


def sync_workflow_id(site: str, project: str) -> str:
    """The id of a project's sync; the scheduler adds the time of the tick."""
    return f"sync:{site}:{project}"


def census_workflow_id(site: str, project: str) -> str:
    """The id of a project's census; the scheduler adds the time of the tick."""
    return f"prove:{site}:{project}"


def control_workflow_id(site: str, project: str, command_id: str) -> str:
    """One workflow per command: a repeated command meets the first one."""
    return f"control:{site}:{project}:{command_id}"


def discovery_workflow_id(site: str, question_id: str) -> str:
    return f"ask:{site}:{question_id}"


def hints_workflow_id(site: str) -> str:
    """One workflow takes up the hints of a site, so that their budget is counted in one place."""
    return f"hints:{site}:all"


def workflow_prefixes(site: str) -> tuple[str, ...]:
    """What the ids of all workflows of a site begin with."""
    return tuple(f"{kind}:{site}:" for kind in ("sync", "prove", "control", "ask", "hints"))
