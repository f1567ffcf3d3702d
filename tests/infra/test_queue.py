from uuid import uuid4

from notify.infra.queue import Queue, create_celery


def queue(url: str) -> Queue:
    prefix = f"test-{uuid4()}-"
    return Queue(create_celery(url, prefix=prefix, queues=["one"]), prefix)


def test_depths_of_queues(valkey_url: str) -> None:
    tasks = queue(valkey_url)
    assert tasks.depths(["one", "two"]) == {"one": 0, "two": 0}
    for _ in range(3):
        assert tasks.publish("nothing", [], queue="one")
    assert tasks.depths(["one", "two"]) == {"one": 3, "two": 0}
    tasks.close()


def test_a_broker_that_is_down_has_no_depths() -> None:
    tasks = queue("redis://127.0.0.1:9/0")
    assert tasks.depths(["one"]) is None
    tasks.close()
