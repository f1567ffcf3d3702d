import threading
import time

import pytest

from notify.infra.batcher import Batcher


def in_threads(number: int, call: object) -> None:
    threads = [threading.Thread(target=call, args=(position,)) for position in range(number)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def test_a_lone_call_is_handled_at_once_and_alone() -> None:
    batches: list[list[int]] = []
    batcher: Batcher[int, int] = Batcher(lambda items: batches.append(items) or [item * 2 for item in items])  # type: ignore[func-returns-value]
    assert [batcher.submit(number) for number in (1, 2)] == [2, 4]
    assert batches == [[1], [2]]


@pytest.mark.parametrize("leaders", [1, 3])
def test_everybody_gets_an_answer_of_their_own_and_calls_share_batches(leaders: int) -> None:
    sizes: list[int] = []
    answers: dict[int, int] = {}
    under_way, most = 0, 0
    lock = threading.Lock()

    def handle(items: list[int]) -> list[int]:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
            sizes.append(len(items))
        time.sleep(0.002)
        with lock:
            under_way -= 1
        return [item + 1000 for item in items]

    batcher: Batcher[int, int] = Batcher(handle, max_size=20, leaders=leaders)

    def call(number: int) -> None:
        for _ in range(5):
            answers[number] = batcher.submit(number)

    in_threads(100, call)
    assert answers == {number: number + 1000 for number in range(100)}
    assert sum(sizes) == 500
    assert len(sizes) < 500
    assert max(sizes) <= 20
    assert most <= leaders


def test_an_item_may_fail_alone() -> None:
    batcher: Batcher[int, int] = Batcher(lambda items: [ValueError(item) if item % 2 else item for item in items])
    outcomes: dict[int, object] = {}

    def call(number: int) -> None:
        try:
            outcomes[number] = batcher.submit(number)
        except ValueError as error:
            outcomes[number] = error.args

    in_threads(20, call)
    assert outcomes == {number: (number,) if number % 2 else number for number in range(20)}


def test_when_a_batch_fails_all_callers_get_the_error_and_the_next_one_runs() -> None:
    failing = True

    def handle(items: list[int]) -> list[int]:
        if failing:
            raise OSError("down")
        return items

    batcher: Batcher[int, int] = Batcher(handle)
    failures = []

    def call(number: int) -> None:
        try:
            batcher.submit(number)
        except OSError:
            failures.append(number)

    in_threads(10, call)
    assert sorted(failures) == list(range(10))
    failing = False
    assert batcher.submit(7) == 7
