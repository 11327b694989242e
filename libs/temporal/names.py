"""Names that cross a process: queues, workflows, ids. Changing one strands what runs under the old name."""

from __future__ import annotations

SYNC_QUEUE = "sync"
"""Workflows of syncs. Activities of a site have a queue of their own, so that one slow site delays no other."""

CONTROL_QUEUE = "control"
"""Short workflows that carry out what people ask for: register, request."""

SYNC_WORKFLOW = "syncProjectWorkflow"
REGISTER_WORKFLOW = "registerProjectWorkflow"
REQUEST_WORKFLOW = "requestSyncWorkflow"


def jira_queue(site: str) -> str:
    return f"jira.{site}"


def schedule_id(site: str, project: str) -> str:
    return f"jira-sync:{site}:{project}"


def sync_workflow_id(site: str, project: str) -> str:
    """The id of a project's sync; the scheduler adds the time of the tick."""
    return f"sync:{site}:{project}"


def register_workflow_id(site: str, project: str) -> str:
    return f"register:{site}:{project}"


def request_workflow_id(site: str, project: str, request_id: str) -> str:
    return f"request:{site}:{project}:{request_id}"
