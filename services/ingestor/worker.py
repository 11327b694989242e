"""Which worker runs what: one queue for workflows of syncs, one for the site's Jira, one for control."""

from temporalio.client import Client
from temporalio.worker import Worker, WorkerDeploymentVersion

from libs.temporal import names
from libs.temporal.worker import make_worker
from services.ingestor.census.activities import CensusActivities
from services.ingestor.census.workflow import ProveProjectWorkflow
from services.ingestor.control.activities import ControlActivities
from services.ingestor.control.discovery import DiscoveryActivities
from services.ingestor.hints.activities import HintActivities
from services.ingestor.hints.workflow import TakeUpHintsWorkflow
from services.ingestor.sync.activities import SyncActivities
from services.ingestor.workflows import AskJiraWorkflow, ControlProjectWorkflow, SyncProjectWorkflow

READING = (SyncProjectWorkflow, ProveProjectWorkflow, TakeUpHintsWorkflow)
STEERING = (ControlProjectWorkflow, AskJiraWorkflow)

JIRA_STEPS = 8
"""Steps of one site at a time; each sends a few requests, and the client's limits hold for all of them together."""


def make_workers(
    client: Client,
    site: str,
    sync: SyncActivities,
    census: CensusActivities,
    control: ControlActivities,
    discovery: DiscoveryActivities,
    hints: HintActivities,
    *,
    version: WorkerDeploymentVersion | None = None,
) -> tuple[Worker, ...]:
    """The ingestor's workers for one site."""
    return (
        make_worker(
            client,
            names.SYNC_QUEUE,
            workflows=READING,
            version=version,
        ),
        make_worker(
            client,
            names.jira_queue(site),
            activities=[
                sync.look_for_news,
                sync.prepare_scan,
                sync.fetch_and_record_page,
                sync.fetch_and_record_pages,
                sync.refresh_references,
                sync.mark_untracked,
                census.survey_project,
                census.list_issues,
                census.read_lacking,
                census.confirm_missing,
                census.complete_census,
                hints.take_up_hints,
                discovery.find_options,
                discovery.check_with_jira,
            ],
            max_concurrent_activities=JIRA_STEPS,
            version=version,
        ),
        make_worker(
            client,
            names.CONTROL_QUEUE,
            workflows=STEERING,
            activities=[
                sync.begin_sync,
                sync.complete_sync,
                sync.record_sync_failed,
                sync.record_sync_cancelled,
                census.begin_census,
                census.compare_issues,
                census.record_census_failed,
                control.adopt_schedule,
                control.record_command,
                control.apply_schedule,
                control.trigger_schedule,
            ],
            version=version,
        ),
    )
