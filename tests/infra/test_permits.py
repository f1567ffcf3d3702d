import threading
import time
from collections.abc import Callable

import pytest

from notify.infra.errors import BusyError
from notify.infra.permits import Permits


def waiting(call: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    time.sleep(0.05)
    return thread


def test_restricted_callers_leave_permits_to_the_others() -> None:
    permits = Permits(3, 1, wait_seconds=0.01, max_waiting=5)
    permits.acquire(True)
    with pytest.raises(BusyError):
        permits.acquire(True)
    permits.acquire(False)
    permits.acquire(False)
    with pytest.raises(BusyError):
        permits.acquire(False)
    permits.release(True)
    permits.acquire(True)


def test_permits_go_to_those_who_waited_longest() -> None:
    permits = Permits(1, 1, wait_seconds=20, max_waiting=5)
    permits.acquire(False)
    order: list[str] = []

    def work(name: str, restricted: bool) -> None:
        permits.acquire(restricted)
        order.append(name)
        permits.release(restricted)

    threads = [
        waiting(lambda: work("first", True)),
        waiting(lambda: work("second", False)),
        waiting(lambda: work("third", True)),
    ]
    permits.release(False)
    for thread in threads:
        thread.join(20)
    assert order == ["first", "second", "third"]


def test_more_than_may_wait_are_refused_at_once() -> None:
    permits = Permits(1, 1, wait_seconds=60, max_waiting=1)
    permits.acquire(False)
    thread = waiting(lambda: permits.acquire(False))
    with pytest.raises(BusyError):
        permits.acquire(False)
    permits.release(False)
    thread.join(20)
    assert not thread.is_alive()


def test_a_stall_is_noticed_only_while_somebody_waits() -> None:
    permits = Permits(1, 1, wait_seconds=60, max_waiting=5)
    permits.acquire(False)
    time.sleep(0.1)
    assert permits.stalled_seconds() == 0
    thread = waiting(lambda: permits.acquire(False))
    assert permits.stalled_seconds() > 0
    permits.release(False)
    thread.join(20)
    assert permits.stalled_seconds() == 0


def test_no_permit_is_lost_or_made_in_a_crowd() -> None:
    permits = Permits(4, 2, wait_seconds=0.002, max_waiting=8)
    lock = threading.Lock()
    inside = {False: 0, True: 0}
    faults: list[str] = []

    def work(restricted: bool) -> None:
        for _ in range(200):
            try:
                permits.acquire(restricted)
            except BusyError:
                continue
            with lock:
                inside[restricted] += 1
                if sum(inside.values()) > 4 or inside[True] > 2:
                    faults.append(str(inside))
            time.sleep(0.0002)
            with lock:
                inside[restricted] -= 1
            permits.release(restricted)

    threads = [threading.Thread(target=work, args=(number % 2 == 0,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    for _ in range(4):
        permits.acquire(False)
