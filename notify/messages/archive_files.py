"""Files of the deep archive: the rows of an hour of the history, in ORC (contract: workers 14.3). Needs `pyarrow`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

COLUMNS: Final = (
    "id",
    "job_id",
    "job_row_number",
    "service_id",
    "template_id",
    "template_version",
    "api_key_id",
    "key_type",
    "notification_type",
    "created_at",
    "sent_at",
    "sent_by",
    "updated_at",
    "reference",
    "billable_units",
    "client_reference",
    "international",
    "phone_prefix",
    "rate_multiplier",
    "notification_status",
    "created_by_id",
    "postage",
    "document_download_count",
)
"""Every column of the history, in the order of the file."""
UUIDS: Final = ("id", "job_id", "service_id", "template_id", "api_key_id", "created_by_id")
"""Columns stored as 16 bytes."""
_NUMBERS: Final = ("job_row_number", "template_version", "billable_units", "document_download_count")
_TIMES: Final = ("created_at", "sent_at", "updated_at")
LOOKED_UP: Final = (*UUIDS, "reference", "client_reference")
"""Columns with bloom filters."""


def can_write() -> bool:
    """Whether the library is installed."""
    return find_spec("pyarrow") is not None


class ArchiveFile:
    """Writes a file. Use it as a context manager: the file is complete when the block ends."""

    def __init__(self, path: Path) -> None:
        self._arrow = import_module("pyarrow")
        orc = import_module("pyarrow.orc")
        self._schema = self._arrow.schema([(name, self._type(name)) for name in COLUMNS])
        self._writer: Any = orc.ORCWriter(
            str(path), compression="zstd", bloom_filter_columns=[COLUMNS.index(name) + 1 for name in LOOKED_UP]
        )

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows, whose values are in the order of `COLUMNS`."""
        columns = [
            [value.bytes if value is not None and name in UUIDS else value for value in values]
            for name, values in zip(COLUMNS, zip(*rows, strict=True), strict=True)
        ]
        arrays = [
            self._arrow.array(values, self._schema.field(name).type)
            for name, values in zip(COLUMNS, columns, strict=True)
        ]
        self._writer.write(self._arrow.Table.from_arrays(arrays, schema=self._schema))

    def _type(self, name: str) -> Any:
        if name in UUIDS:
            return self._arrow.binary()
        if name in _NUMBERS:
            return self._arrow.int32()
        if name in _TIMES:
            return self._arrow.timestamp("us", tz="UTC")
        if name == "international":
            return self._arrow.bool_()
        return self._arrow.decimal128(38, 10) if name == "rate_multiplier" else self._arrow.string()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
