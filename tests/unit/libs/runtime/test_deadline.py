import threading

from libs.runtime.deadline import within


def test_what_blocks_is_waited_for_no_longer_than_asked() -> None:
    blocked = threading.Event()
    assert within(lambda: None)
    assert not within(lambda: _wait(blocked), seconds=0.01)
    blocked.set()


def _wait(event: threading.Event) -> None:
    event.wait(60)
