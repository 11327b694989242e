import subprocess
import sys
import threading

import pytest

from libs.runtime.leave import within

PROGRAM = """
import asyncio, sys
from libs.runtime import leave
if sys.argv[1] == "client":
    from temporalio.client import Client
    async def fail():
        try:
            await Client.connect("127.0.0.1:9")
        except RuntimeError:
            pass
    asyncio.run(fail())
print("last output", end="")
leave(3)
"""


@pytest.mark.parametrize("kind", ["client", "plain"])
def test_the_exit_code_and_the_last_output_arrive(kind: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, kind], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "last output")


def test_what_blocks_is_waited_for_no_longer_than_asked() -> None:
    blocked = threading.Event()
    assert within(lambda: None)
    assert not within(lambda: _wait(blocked), seconds=0.01)
    blocked.set()


def _wait(event: threading.Event) -> None:
    event.wait(60)
