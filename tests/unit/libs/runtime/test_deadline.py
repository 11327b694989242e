import threading

from libs.runtime.deadline import within


def test_what_blocks_is_waited_for_no_longer_than_asked() -> None:
    blocked = threading.Event()
    assert within(lambda: None)
    assert not within(lambda: bool(blocked.wait(60)) and None, seconds=0.01)
    blocked.set()
