"""Files that emails of a template link to (contract: internal-users-orgs-templates 8.2). Every function flushes; the
caller's transaction commits.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from notify.infra.errors import FieldProblemError, NotFoundProblemError
from notify.infra.times import utc_now
from notify.infra.versions import save_version
from notify.services import queries as services
from notify.templates.errors import DuplicateFilenameError, EmailFilesNotAllowedError, NotAnEmailError
from notify.templates.models import EmailFile, EmailFileHistory, Template

PENDING_HOURS: Final = 24
_IGNORED_IN_NAMES: Final = re.compile(r"[\s_-]")

_LIVE: Final[tuple[ColumnElement[bool], ...]] = (EmailFile.pending.is_(False), EmailFile.archived_at.is_(None))
_ORDER: Final = (EmailFile.created_at, EmailFile.id)


def list_files(session: Session, template_id: UUID) -> Sequence[EmailFile]:
    """A template's live files (neither pending nor archived), oldest first."""
    return session.scalars(
        select(EmailFile).where(EmailFile.template_id == template_id, *_LIVE).order_by(*_ORDER)
    ).all()


class CachedFile(NamedTuple):
    """The fields of a template's live file that sending needs. `retention_weeks` is how long its links work."""

    id: UUID
    filename: str
    link_text: str | None
    retention_weeks: int
    validate_users_email: bool


def files_to_send(session: Session, template_id: UUID, version: int | None) -> tuple[CachedFile, ...]:
    """The live files of a template, or of a version of it, oldest first."""
    files: Sequence[EmailFile | EmailFileHistory] = (
        files_of_versions(session, template_id, [version])[version] if version else list_files(session, template_id)
    )
    return tuple(
        CachedFile(file.id, file.filename, file.link_text, file.retention_period, file.validate_users_email)
        for file in files
    )


def get_file(session: Session, file_id: UUID) -> EmailFile:
    """A file in any state. Raises `NotFoundProblemError`."""
    file = session.get(EmailFile, file_id)
    if file is None:
        raise NotFoundProblemError
    return file


def files_of_versions(
    session: Session, template_id: UUID, versions: Collection[int]
) -> dict[int, list[EmailFileHistory]]:
    """The files that each of these versions of a template had, oldest first: for each file the newest state up to that
    version that was not pending, unless it was archived by then.
    """
    row_of = EmailFileHistory
    history = select(row_of).where(row_of.template_id == template_id, row_of.pending.is_(False))
    states: dict[UUID, list[EmailFileHistory]] = defaultdict(list)
    for row in session.scalars(history.order_by(row_of.created_at, row_of.id, row_of.version)):
        states[row.id].append(row)
    found: dict[int, list[EmailFileHistory]] = {version: [] for version in versions}
    for version, files in found.items():
        for rows in states.values():
            state = next((row for row in reversed(rows) if row.template_version <= version), None)
            if state is not None and state.archived_at is None:
                files.append(state)
    return found


def create_file(session: Session, service_id: UUID, template_id: UUID, values: Mapping[str, Any]) -> EmailFile:
    """Add a file to an email template. It is pending, and creates no version of itself or of the template.

    `values` are columns of the file. Raises `NotFoundProblemError` (no such template), `NotAnEmailError`,
    `EmailFilesNotAllowedError`, `DuplicateFilenameError` and `FieldProblemError` (no name or author).
    """
    template = session.get(Template, template_id, with_for_update=True)
    if template is None or template.service_id != service_id or template.hidden:
        raise NotFoundProblemError
    if template.template_type != "email":
        raise NotAnEmailError
    if "email" not in services.permissions(session, service_id):
        raise EmailFilesNotAllowedError
    for name in ("filename", "created_by_id"):
        if name not in values:
            raise FieldProblemError(name, "Missing data for required field.")
    file = EmailFile(**values, template_id=template_id, template_version=template.version, pending=True, version=0)
    _check_name(session, file)
    session.add(file)
    session.flush()
    return file


def change_file(session: Session, file_id: UUID, changes: Mapping[str, Any]) -> EmailFile:
    """Change a file. `pending` False makes a pending one live: its version 1, in the template's current version. A
    change of a live one creates a new version of the file and of its template.

    Raises `NotFoundProblemError`, `DuplicateFilenameError`.
    """
    file, template = _lock(session, file_id)
    if all(getattr(file, name) == value for name, value in changes.items()):
        return file
    was_pending = file.pending
    with session.no_autoflush:
        for name, value in changes.items():
            setattr(file, name, value)
        if was_pending and not file.pending:
            _check_name(session, file)
    if not was_pending:
        save_version(session, template)
    file.template_version = template.version if not (was_pending and file.pending) else file.template_version
    if was_pending and file.pending:
        file.updated_at = utc_now()
        session.flush()
    else:
        save_version(session, file)
    return file


def archive_file(session: Session, file_id: UUID, *, archived_by_id: UUID, now: datetime) -> None:
    """Archive a file: creates a new version of it and of its template. Raises `NotFoundProblemError`."""
    file, template = _lock(session, file_id)
    save_version(session, template, now=now)
    _archive(session, file, template, archived_by_id, now)


def archive_files(session: Session, template: Template, file_ids: Sequence[UUID], *, archived_by_id: UUID) -> None:
    """Archive these files of a locked template whose new version already exists. Raises `NotFoundProblemError`."""
    if not file_ids:
        return
    wanted = select(EmailFile).where(EmailFile.template_id == template.id, EmailFile.id.in_(file_ids))
    files = session.scalars(wanted.order_by(*_ORDER).with_for_update()).all()
    if len(files) < len(set(file_ids)):
        raise NotFoundProblemError
    for file in files:
        if file.archived_at is None:
            _archive(session, file, template, archived_by_id, utc_now())


def archive_all_files(session: Session, template: Template, *, archived_by_id: UUID) -> None:
    """Archive the live files of a locked template whose new version already exists."""
    live = select(EmailFile).where(EmailFile.template_id == template.id, *_LIVE)
    for file in session.scalars(live.order_by(*_ORDER).with_for_update()).all():
        _archive(session, file, template, archived_by_id, utc_now())


def archive_pending_files(session: Session, *, now: datetime) -> int:
    """Archive the files that have been pending for a day, on behalf of the users who added them; returns how many."""
    archived = session.execute(
        update(EmailFile)
        .where(
            EmailFile.pending,
            EmailFile.archived_at.is_(None),
            EmailFile.created_at < now - timedelta(hours=PENDING_HOURS),
            EmailFile.template_id == Template.id,
        )
        .values(archived_at=now, archived_by_id=EmailFile.created_by_id, template_version=Template.version)
        .returning(EmailFile.id)
        .execution_options(synchronize_session=False)
    )
    return len(archived.all())


def _lock(session: Session, file_id: UUID) -> tuple[EmailFile, Template]:
    """A file and its template, locked; the template first, as everywhere. Raises `NotFoundProblemError`."""
    template_id = session.scalar(select(EmailFile.template_id).where(EmailFile.id == file_id))
    if template_id is None:
        raise NotFoundProblemError
    template = session.get_one(Template, template_id, with_for_update=True)
    return session.get_one(EmailFile, file_id, with_for_update=True, populate_existing=True), template


def _archive(session: Session, file: EmailFile, template: Template, archived_by_id: UUID, now: datetime) -> None:
    file.archived_at, file.archived_by_id = now, archived_by_id
    file.template_version = template.version
    save_version(session, file, now=now)


def _name_key(filename: str) -> str:
    return _IGNORED_IN_NAMES.sub("", filename).casefold()


def _check_name(session: Session, file: EmailFile) -> None:
    """Check that no other live file of the template has this name, in any spelling. Raises `DuplicateFilenameError`."""
    others = select(EmailFile.filename).where(EmailFile.template_id == file.template_id, *_LIVE)
    if file.id is not None:
        others = others.where(EmailFile.id != file.id)
    if _name_key(file.filename) in map(_name_key, session.scalars(others)):
        raise DuplicateFilenameError(file.filename, file.template_id)
