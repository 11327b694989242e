import asyncio
import threading

from libs.runtime import Stop


async def test_a_stop_set_in_a_thread_wakes_every_coroutine() -> None:
    stop = Stop()
    waiting = [asyncio.create_task(stop.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    threading.Thread(target=stop.set).start()
    await asyncio.gather(*waiting)
    assert stop.is_set()


async def test_a_stop_that_is_already_set_returns_at_once() -> None:
    stop = Stop()
    stop.set()
    await stop.wait()
    assert stop.wait_blocking(0)


async def test_a_blocked_thread_wakes() -> None:
    stop = Stop()
    blocked = asyncio.create_task(asyncio.to_thread(stop.wait_blocking, 30))
    stop.set()
    assert await blocked


async def test_sleep_says_whether_the_stop_came() -> None:
    stop = Stop()
    assert not await stop.sleep(0.001)
    stop.set()
    assert await stop.sleep(30)


async def test_a_cancelled_waiter_is_forgotten() -> None:
    stop = Stop()
    waiting = asyncio.create_task(stop.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert not stop._waiters
    stop.set()


def test_what_is_to_come_then_comes_once_and_at_once_where_it_is_set() -> None:
    stop, called = Stop(), list[str]()
    stop.then(lambda: called.append("before"))
    assert not called
    stop.set()
    stop.set()
    assert called == ["before"]
    stop.then(lambda: called.append("after"))
    assert called == ["before", "after"]
