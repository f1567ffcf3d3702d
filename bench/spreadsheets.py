"""How fast lists of recipients are checked: `python -m bench.spreadsheets [--rows N] [--profile]`.

A list of valid UK numbers and three placeholders is read and checked in a separate process, which reports how long that
took, on the clock and of a processor, and how much more memory it had at most than a process that does nothing. Beside
it the naive way: the whole file as dictionaries, every number parsed by `phonenumbers`, and the template searched anew
for each row.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

CONTENT = "Dear ((name)), your appointment at ((place)) is on ((date)). Call 0300 123 4567 to change it."
NUMBERS = 100_000


def _write_files(folder: Path, rows: int) -> None:
    from openpyxl import Workbook

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("List")
    header = ["phone number", "name", "place", "date"]
    sheet.append(header)
    with (folder / "list.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for number in range(rows):
            row = [f"07900{900_000 + number % NUMBERS}", f"Amala Owusu {number}", "Leeds General", "1 March 2027"]
            writer.writerow(row)
            sheet.append(row)
    workbook.save(folder / "list.xlsx")


def preview(folder: Path, name: str = "list.csv") -> int:
    """Check all rows and keep the first: what the page does that shows a file before it is sent."""
    from notify.content.recipient_list import RecipientList
    from notify.content.sms import SmsTemplate
    from notify.content.spreadsheets import read_spreadsheet

    rows = read_spreadsheet((folder / name).read_bytes(), name)
    report = RecipientList(rows, SmsTemplate(CONTENT)).check(first_rows=50, first_errors=50)
    assert not report.has_errors
    return report.row_count


def preview_excel(folder: Path) -> int:
    """The same of a workbook."""
    return preview(folder, "list.xlsx")


def job(folder: Path) -> int:
    """Take what messages are made of, in batches, without looking for errors."""
    from notify.content.recipient_list import RecipientList
    from notify.content.sms import SmsTemplate
    from notify.content.spreadsheets import CsvText

    text = (folder / "list.csv").read_text(encoding="utf-8")
    count = 0
    for batch in RecipientList(CsvText(text), SmsTemplate(CONTENT), validate=False).batches(32):
        count += sum(bool(row.recipient and row.personalisation) for row in batch)
    return count


def naive(folder: Path) -> int:
    """Check all rows as a script of an afternoon would."""
    import phonenumbers

    from notify.content.gsm import downgrade_to_gsm

    rows = list(csv.DictReader(io.StringIO((folder / "list.csv").read_text(encoding="utf-8"))))
    errors = []
    for number, row in enumerate(rows):
        parsed = phonenumbers.parse(row["phone number"], "GB")
        message = re.sub(r"\(\(([^()]+)\)\)", lambda match, row=row: row[match[1]], CONTENT)  # type: ignore[misc]
        if not phonenumbers.is_valid_number(parsed) or len(downgrade_to_gsm(message)) > 918:
            errors.append(number)
    assert not errors
    return len(rows)


WAYS: dict[str, Callable[[Path], int]] = {
    "preview": preview,
    "preview of xlsx": preview_excel,
    "job": job,
    "naive": naive,
}


def _peak() -> float:
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _measure(way: str, folder: Path) -> None:
    import notify.content.recipient_list  # a worker has it already

    assert notify.content.recipient_list
    began, processor = time.perf_counter(), time.process_time()
    rows = WAYS[way](folder)
    seconds, processor = time.perf_counter() - began, time.process_time() - processor
    print(json.dumps({"rows": rows, "seconds": seconds, "processor": processor, "peak": _peak()}))


def _in_a_process(code: list[str]) -> str:
    return subprocess.run([sys.executable, *code], check=True, capture_output=True, text=True).stdout


def _profile(folder: Path) -> None:
    from pyinstrument import Profiler

    with Profiler(interval=0.001) as profiler:
        preview(folder)
    print(profiler.output_text(unicode=True, show_all=False))


def main() -> None:
    """Measure each way, or show where the time of the first goes."""
    parser = argparse.ArgumentParser(prog="python -m bench.spreadsheets", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--profile", action="store_true", help="show where the time of `preview` goes")
    parser.add_argument("--write", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        _write_files(options.folder, options.rows)
        return
    if options.way:
        _measure(options.way, options.folder)
        return
    # this process stays small: what it starts begins with its peak
    with tempfile.TemporaryDirectory(prefix="notify-bench-") as name:
        itself = ["-m", "bench.spreadsheets", "--folder", name]
        _in_a_process([*itself, "--write", "--rows", str(options.rows)])
        if options.profile:
            _profile(Path(name))
            return
        empty = float(_in_a_process(["-c", "from bench.spreadsheets import _peak; print(_peak())"]))
        print(f"an empty process: {empty:.0f} MiB")
        for way in WAYS:
            result = json.loads(_in_a_process([*itself, "--way", way]))
            print(
                f"{way:16} {result['rows']:7} rows  {result['rows'] / result['seconds']:8.0f}/s  "
                f"{result['rows'] / result['processor']:8.0f}/s of a processor  {result['peak'] - empty:5.0f} MiB more"
            )


if __name__ == "__main__":
    main()
