from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from notify.infra import tracing
from tests.servers.collector import Collector

ROOT = Path(__file__).parents[2]
FIRST, SECOND = "4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector() as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url)
        tracing.configure("test")
        yield server
        tracing.close()


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout


def test_without_an_exporter_nothing_is_imported() -> None:
    said = run(
        "import sys\n"
        "from notify import settings\n"
        "from notify.infra import tracing\n"
        "from notify.infra.parts import configure_traces\n"
        "import notify.app, notify.worker\n"
        "configure_traces(settings.load())\n"
        "with tracing.span('x'): pass\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk.trace', 'opentelemetry.exporter'))])"
    )
    assert said == "[]\n"


def test_an_exporter_without_its_library_is_refused_in_one_line() -> None:
    said = run(
        "import sys\n"
        "sys.modules['opentelemetry'] = None\n"
        "from notify import settings\n"
        "from notify.infra.parts import configure_traces\n"
        "try: configure_traces(settings.load(otel_exporter_otlp_endpoint='http://127.0.0.1:1'))\n"
        "except settings.SettingsError as error: print(error)"
    )
    assert said == "OTEL_EXPORTER_OTLP_ENDPOINT: needs the extra `tracing` (pip install 'notify[tracing]')\n"


def accept(request_id: str, message: str) -> None:
    with tracing.request_span({"REQUEST_METHOD": "POST"}, request_id):
        tracing.remember(message)


def test_messages_of_several_requests_in_one_task_stay_in_their_traces(collector: Collector) -> None:
    accept(FIRST, "first")
    accept(SECOND, "second")
    headers = tracing.task_headers([["first", "second", "third"], 0])
    tracing.close()  # as in another process, which knows nothing
    tracing.configure("worker")
    with tracing.task_span("deliver", headers):
        for message in ("first", "second", "third"):
            with tracing.message_span(f"send {message}", message):
                pass
    tracing.close()
    spans = {span.name: span for span in collector.spans}
    assert spans["deliver"].linked == {FIRST, SECOND}
    assert spans["send first"].trace_id == FIRST
    assert spans["send second"].trace_id == SECOND
    assert spans["send third"].trace_id == spans["deliver"].trace_id
    assert spans["deliver"].trace_id not in (FIRST, SECOND)


def test_a_task_that_a_task_publishes_is_below_it(collector: Collector) -> None:
    with tracing.task_span("outer", {}):
        headers = tracing.task_headers(["unknown"])
    with tracing.task_span("inner", headers):
        pass
    tracing.close()
    spans = {span.name: span for span in collector.spans}
    assert (spans["inner"].trace_id, spans["inner"].parent_id) == (spans["outer"].trace_id, spans["outer"].span_id)


def test_an_exception_leaves_its_class_and_not_its_text(collector: Collector) -> None:
    with pytest.raises(ValueError, match="Amala"), tracing.span("work"):
        raise ValueError("Amala")
    tracing.close()
    (span,) = collector.spans
    assert span.is_error
    assert span.attributes["error.type"] == "ValueError"
    assert b"Amala" not in collector.raw


@pytest.mark.parametrize("header", ["", "00-xyz", f"00-{'0' * 32}-{'0' * 16}-01", 5, None])
def test_headers_that_make_no_sense_are_ignored(collector: Collector, header: object) -> None:
    with tracing.task_span("work", {tracing.PARENT_HEADER: header, tracing.MESSAGES_HEADER: {"id": header}}):
        pass
    with tracing.task_span("more", {tracing.MESSAGES_HEADER: header}):
        pass
    tracing.close()
    assert {span.name: span.parent_id for span in collector.spans} == {"work": "", "more": ""}
