"""Letters while workers are killed: each gets its PDF, and is counted once."""

from __future__ import annotations

import base64
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from notify.infra.times import utc_now
from notify.letters.files import LetterFiles
from notify.letters.sanitising import LetterSanitising
from notify.letters.virus_scan import VirusScan
from notify.messages.maintenance import Sweeper
from tests.api import Api
from tests.letters.pdfs import a_pdf
from tests.letters.test_templated import row
from tests.workers.processes import WorkerProcess, environment_of

NUMBER = 30


def test_letters_survive_a_worker_that_is_killed(make_api: Callable[..., Api], tmp_path: Path) -> None:
    api = make_api(letter_printer="none")
    content = base64.b64encode(a_pdf(3)).decode()
    ids = [api.sent("letter") for _ in range(NUMBER)]
    for _ in range(NUMBER):
        answer = api.call("POST", "/v2/notifications/letter", {"reference": "mine", "content": content})
        ids.append(UUID(answer.get_json()["id"]))

    def ready() -> int:
        query = "SELECT count(*) FROM notifications WHERE notification_status = 'created' AND billable_units > 0"
        number: int = api.execute(query)[0][0]
        return number

    environment = environment_of(api.parts.settings)
    for wanted in (1, NUMBER):
        with WorkerProcess(environment, tmp_path / "log", "--role=letters") as worker:
            worker.wait_for(lambda wanted=wanted: ready() >= wanted)  # type: ignore[misc]
            worker.process.send_signal(signal.SIGKILL)
            worker.process.wait()
        # its tasks are lost for an hour: the rows say what is left
        soon = utc_now() + timedelta(minutes=2)
        api.container.get(Sweeper).sweep(now=soon, first=timedelta(minutes=1), every=timedelta(hours=1))
        api.container.get(VirusScan).rescan(oldest=timedelta(hours=1), youngest=timedelta(0))
    with WorkerProcess(environment, tmp_path / "log", "--role=letters") as worker:
        worker.wait_for(lambda: ready() == 2 * NUMBER)
    files = api.container.get(LetterFiles)
    for id_ in ids:
        assert files.read(row(api, id_)).startswith(b"%PDF")
    assert api.execute("SELECT sum(billable_units), max(interrupted) <= 2 FROM notifications") == [(3 * NUMBER, True)]
    # a worker that dies between a letter's row and the file as it came leaves that to the task when it comes again
    for name in list(files.scan.keys()):
        api.container.get(LetterSanitising).check(name)
    assert list(files.scan.keys()) == []
    assert len(list(files.live.keys())) == 2 * NUMBER
