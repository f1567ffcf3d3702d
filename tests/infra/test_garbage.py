"""The garbage collector ignores what was loaded at start. In a separate process, so that that of the tests is not changed."""

from __future__ import annotations

import json
from subprocess import run
from sys import executable

PROGRAM = """
import gc, json
from notify.infra.garbage import settle_garbage_collector
loaded = [[] for _ in range(100_000)]
settle_garbage_collector()
looks = gc.get_stats()[2]["collections"]
class Node:
    alive = 0
    def __init__(self):
        Node.alive += 1
        self.me = self
    def __del__(self):
        Node.alive -= 1
made = 200_000
for _ in range(made):
    Node()
print(json.dumps({"frozen": gc.get_freeze_count(), "alive": Node.alive, "looks": gc.get_stats()[2]["collections"] - looks}))
"""


def test_what_is_loaded_is_left_alone_and_cycles_are_still_freed() -> None:
    answer = json.loads(run([executable, "-c", PROGRAM], check=True, capture_output=True, text=True).stdout)
    assert answer["frozen"] > 100_000
    assert answer["looks"] == 0
    assert answer["alive"] < 50_000
