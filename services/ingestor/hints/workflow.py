"""Rounds of hints, one after the other, until none waits."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from libs.temporal import names
    from libs.temporal.messages import HintsTakenUp, TakeUpHints

ROUNDS = 200
"""After which the run continues as new, to keep its history short."""

RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))


@workflow.defn(name=names.HINTS_WORKFLOW)
class TakeUpHintsWorkflow:
    """One for a site. A failed run is begun again with the next hint, or when the ingestor looks for hints left."""

    def __init__(self) -> None:
        self._hinted = False

    @workflow.signal(name=names.HINTED)
    def hinted(self) -> None:
        """There are hints."""
        self._hinted = True

    @workflow.run
    async def run(self, message: TakeUpHints) -> None:
        for _ in range(ROUNDS):
            self._hinted = False
            done: HintsTakenUp = await workflow.execute_activity(
                "take_up_hints",
                message,
                result_type=HintsTakenUp,
                task_queue=names.jira_queue(message.site),
                start_to_close_timeout=timedelta(minutes=5),
                schedule_to_close_timeout=timedelta(minutes=30),
                heartbeat_timeout=timedelta(seconds=15),
                retry_policy=RETRY,
            )
            # A signal that comes while the run ends makes Temporal call us once more.
            if not (done.left or self._hinted):
                return
            if done.wait_seconds:
                await workflow.sleep(done.wait_seconds)
        workflow.continue_as_new(message)
