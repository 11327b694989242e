"""Run workers until told to stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.common import VersioningBehavior
from temporalio.worker import PollerBehaviorSimpleMaximum, Worker, WorkerDeploymentConfig, WorkerDeploymentVersion
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

# Our own modules and msgspec pass through the sandbox: they are pure at import, and re-importing them per workflow
# costs time (the deadlock detector allows 2 s) and breaks the identity of message classes.
SANDBOX = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules("msgspec", "libs.temporal")
)

BUILD_ID = "unversioned"
"""Where no version is given. By default the SDK reads the code of every loaded module at each start, to name it."""

POLLERS = PollerBehaviorSimpleMaximum(2)
"""Each asks the server for work once a minute also when there is none; two get hundreds of tasks a second.
(Pollers whose number follows the work wake the process dozens of times a second.)"""

WORKFLOW_STEPS = 8
"""Of workflows, at once: they share one processor, and one that the others hold up for 2 s counts as deadlocked."""

GRACE = timedelta(seconds=8)
"""Time that running activities get to finish on a stop; all of it may take little longer. The SDK's default is 0."""


def make_worker(
    client: Client,
    queue: str,
    *,
    workflows: Sequence[type] = (),
    activities: Sequence[Callable[..., Any]] = (),
    max_concurrent_activities: int = 20,
    version: WorkerDeploymentVersion | None = None,
) -> Worker:
    """A worker on `queue` with the project's sandbox and stopping rules.

    With a `version`, a workflow ends on the version on which it began (they are short), and Temporal says which version
    new ones begin on: somebody has to tell it, as the Worker Controller for Kubernetes does.
    """
    return Worker(
        client,
        task_queue=queue,
        workflows=workflows,
        activities=activities,
        workflow_runner=_runner(workflows),
        graceful_shutdown_timeout=GRACE,
        max_concurrent_activities=max_concurrent_activities,
        max_concurrent_workflow_tasks=WORKFLOW_STEPS,
        workflow_task_poller_behavior=POLLERS,
        activity_task_poller_behavior=POLLERS,
        build_id=BUILD_ID if version is None else None,
        # After a killed worker its cached runs wait this long for it before any worker takes them (default 10 s).
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
        deployment_config=None
        if version is None
        else WorkerDeploymentConfig(
            version=version,
            use_worker_versioning=True,
            default_versioning_behavior=VersioningBehavior.PINNED,
        ),
    )


def _runner(workflows: Sequence[type]) -> SandboxedWorkflowRunner:
    """Workflows' own modules pass through as well: to load one again takes 8 ms of each run.

    What is lost is that a clock, chance or a file is refused while a workflow runs. `SANDBOX` refuses it, and every
    kind of run is replayed under it before a version goes out (`tests/replay`).
    """
    modules = {workflow.__module__ for workflow in workflows}
    return SandboxedWorkflowRunner(restrictions=SANDBOX.restrictions.with_passthrough_modules(*modules))
