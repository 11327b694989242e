"""The end of a process that has used Temporal's client.

The client's native threads outlive the event loop; one that wakes while the interpreter tears itself down aborts the
process, after its work is done and with a wrong exit code (temporalio/sdk-python issue 300, open since 2023).
"""

import contextlib
import logging
import os
import sys
from typing import NoReturn

from libs.runtime.deadline import flush, within


def leave(code: int) -> NoReturn:
    """End the process with this exit code; where the client was loaded, without the teardown that it disturbs."""
    if "temporalio" not in sys.modules:
        sys.exit(code)
    within(_last_words)
    os._exit(code)


def _last_words() -> None:
    with contextlib.suppress(OSError, ValueError):  # a full disk, or a pipe without a reader, is told by nobody
        logging.shutdown()
        flush()
