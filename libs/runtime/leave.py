"""The end of a process that has used Temporal's client.

The client's native threads outlive the event loop; one that wakes while the interpreter tears itself down aborts the
process, after its work is done and with a wrong exit code (temporalio/sdk-python issue 300, open since 2023).
"""

import logging
import os
import sys
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End the process with this exit code; where the client was loaded, without the teardown that it disturbs."""
    if "temporalio" not in sys.modules:
        sys.exit(code)
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
