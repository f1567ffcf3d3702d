"""Only one worker at a time processes a letter, and only dead ones count as interrupted."""

from __future__ import annotations

import threading
from collections import Counter

from notify.infra.parts import Parts
from notify.letters.work import MOST_INTERRUPTED, LetterInHandError, PdfWork
from tests.letters.rows import Letters

WORKERS = 2 * MOST_INTERRUPTED


def test_workers_with_the_same_letter_at_the_same_time_do_not_end_it(own_parts: Parts) -> None:
    letters = Letters(own_parts)
    id_, other = letters.add(), letters.add()
    work = PdfWork(WORKERS, own_parts.database)
    outcomes: Counter[str] = Counter()
    begin, tried = threading.Barrier(WORKERS), threading.Barrier(WORKERS)

    def take() -> None:
        begin.wait(30)
        try:
            with work.on_letter(id_):
                tried.wait(30)  # until all others were refused
                outcomes["had it"] += 1
        except LetterInHandError:
            outcomes["left it"] += 1
            tried.wait(30)

    threads = [threading.Thread(target=take) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {"had it": 1, "left it": WORKERS - 1}
    assert letters.execute("SELECT interrupted FROM notifications WHERE id = %s", (id_,)) == [(0,)]
    with work.on_letter(id_), work.on_letter(other):
        pass
