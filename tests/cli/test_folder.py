"""The data folder: used by one process at a time, no newer version, no foreign files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from notify.cli.folder import LARGEST_LOG_BYTES, DataFolder, FolderError
from notify.cli.reset import reset
from notify.settings import load
from tests.production import PRODUCTION


def test_a_new_folder_is_closed_to_others_and_can_be_taken_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "data"
    folder = DataFolder(path)
    folder.take()
    assert path.stat().st_mode & 0o066 == 0
    assert folder.logs.is_dir()
    folder.release()
    DataFolder(path).take()


def test_its_secrets_are_random_kept_and_closed_to_others(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "one")
    folder.take()
    made = folder.secrets()
    assert folder.secrets() == made
    assert folder.secrets_file.stat().st_mode & 0o077 == 0
    assert load(**PRODUCTION | made).data_encryption_keys == made["data_encryption_keys"]
    other = DataFolder(tmp_path / "two")
    other.take()
    assert all(other.secrets()[name] != value for name, value in made.items())


def test_a_secret_that_a_newer_version_needs_is_added(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.take()
    made = folder.secrets()
    folder.secrets_file.write_text(json.dumps({"data_encryption_keys": made["data_encryption_keys"]}))
    again = folder.secrets()
    assert again["data_encryption_keys"] == made["data_encryption_keys"]
    assert again.keys() == made.keys()


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_damaged_secrets_are_not_replaced(tmp_path: Path, content: str) -> None:
    folder = DataFolder(tmp_path)
    folder.take()
    folder.secrets_file.write_text(content)
    with pytest.raises(FolderError, match="is damaged: restore it from a backup"):
        folder.secrets()
    assert folder.secrets_file.read_text() == content


def test_a_second_process_gets_an_error_that_names_the_first(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.take()
    code = (
        "import sys; from pathlib import Path; from notify.cli.folder import *\n"
        "try: DataFolder(Path(sys.argv[1])).take()\n"
        "except FolderError as error: print(error)"
    )
    second = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert second.stdout == f"notify is already running on {tmp_path} (process {os.getpid()})\n"
    folder.release()
    third = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert third.stdout == ""


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("version", "2\n", "was made by a newer version of notify"),
        ("version", "two", "does not hold a number"),
        ("thesis.odt", "", r"is not notify's \(it holds thesis.odt\)"),
    ],
)
def test_a_folder_that_is_not_ours_to_use_is_left_alone(
    tmp_path: Path, name: str, content: str, complaint: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(FolderError, match=complaint) as refusal:
        DataFolder(tmp_path).take()
    assert "\n" not in str(refusal.value)
    assert (tmp_path / name).read_text() == content


def test_a_path_that_cannot_be_a_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match="cannot be used: Not a directory"):
        DataFolder(tmp_path / "file" / "data").take()


def test_a_large_log_makes_way(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.take()
    folder.release()
    with (folder.logs / "web.log").open("wb") as file:
        file.truncate(LARGEST_LOG_BYTES + 1)
    (folder.logs / "beat.log").write_text("short")
    folder.take()
    assert sorted(log.name for log in folder.logs.iterdir()) == ["beat.log", "web.log.1"]


def make_data(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    folder.take()
    folder.release()
    away = tmp_path / "away"
    away.mkdir()
    (away / "cluster").mkdir()
    (folder.path / "postgres").symlink_to(away)
    (folder.path / "dev.json").write_text("{}")
    return folder


def test_reset_asks_and_then_empties(tmp_path: Path) -> None:
    folder = make_data(tmp_path)
    command = ["--data-dir", str(folder.path)]
    refused = CliRunner().invoke(reset, command, input="n\n")
    assert refused.exit_code == 1
    assert (folder.path / "dev.json").exists()

    done = CliRunner().invoke(reset, command, input="y\n")
    assert done.exit_code == 0
    assert [entry.name for entry in folder.path.iterdir()] == ["lock"]
    assert not (tmp_path / "away").exists()
    folder.take()


def test_reset_refuses_while_it_runs(tmp_path: Path) -> None:
    folder = make_data(tmp_path)
    folder.take()
    result = CliRunner().invoke(reset, ["--data-dir", str(folder.path), "--yes"])
    assert result.exit_code == 1
    assert "notify is already running" in result.output
    assert (folder.path / "dev.json").exists()


def test_reset_deletes_nothing_in_a_folder_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "thesis.odt").write_text("42")
    result = CliRunner().invoke(reset, ["--data-dir", str(tmp_path), "--yes"])
    assert result.exit_code == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.odt"]


def test_reset_of_nothing_makes_nothing(tmp_path: Path) -> None:
    result = CliRunner().invoke(reset, ["--data-dir", str(tmp_path / "none"), "--yes"])
    assert result.exit_code == 0
    assert not (tmp_path / "none").exists()
