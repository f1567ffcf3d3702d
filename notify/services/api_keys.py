"""API keys (contract: internal-services 4). Every function flushes; the caller's transaction commits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from notify.infra.columns import violated_constraint
from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_public_id
from notify.infra.secrets import Encryptor, UndecipherableError
from notify.infra.times import utc_now
from notify.infra.versions import save_version
from notify.services.errors import DuplicateApiKeyNameError, InvalidApiKeyError, UnknownApiKeyError
from notify.services.models import API_KEY_SECRET, ApiKey, Service
from notify.services.names import key_prefix
from notify.services.queries import earliest_shown_expiry
from notify.vocabulary import KEY_TYPES


@dataclass(frozen=True)
class NewApiKey:
    """A new API key. `full` is shown to its user once: `name-serviceid-secret`; `secret` is its last part."""

    key: ApiKey
    secret: str

    @property
    def full(self) -> str:
        """The whole key."""
        return full_api_key(self.key.name, self.key.service_id, self.secret)

    def __repr__(self) -> str:
        return f"NewApiKey(id={self.key.id})"


def create_api_key(
    session: Session, encryptor: Encryptor, *, service_id: UUID, name: str, key_type: str, created_by_id: UUID
) -> NewApiKey:
    """Create an API key. Its secret is stored encrypted and never shown again.

    Raises `NotFoundProblemError` (no such service), `InvalidApiKeyError`, `DuplicateApiKeyNameError`.
    """
    if session.get(Service, service_id) is None:
        raise NotFoundProblemError
    if key_type not in KEY_TYPES:
        raise InvalidApiKeyError("key_type", f"Invalid key type: {key_type}")
    if len(name) > 255:
        raise InvalidApiKeyError("name", "Longer than maximum length 255.")
    id_, secret = new_public_id(), str(uuid4())
    key = ApiKey(
        id=id_,
        name=name,
        secret=encryptor.encrypt(secret, API_KEY_SECRET, id_),
        service_id=service_id,
        key_type=key_type,
        created_by_id=created_by_id,
    )
    try:
        save_version(session, key)
    except IntegrityError as error:
        if violated_constraint(error) == "uix_service_to_key_name":
            raise DuplicateApiKeyNameError(name) from None
        raise
    return NewApiKey(key, secret)


def ensure_api_key(
    session: Session, encryptor: Encryptor, *, service_id: UUID, name: str, key_type: str, created_by_id: UUID
) -> str:
    """The full key of this name; a new one if there is none, or its encryption key was lost. Only for keys of fixtures,
    which are not secret. Raises what `create_api_key` raises.
    """
    key = session.scalar(
        select(ApiKey).where(ApiKey.service_id == service_id, ApiKey.name == name, ApiKey.expiry_date.is_(None))
    )
    if key is not None:
        try:
            return full_api_key(key.name, service_id, encryptor.decrypt(key.secret, API_KEY_SECRET, key.id))
        except UndecipherableError:
            revoke_api_key(session, service_id, key.id)
    made = create_api_key(
        session, encryptor, service_id=service_id, name=name, key_type=key_type, created_by_id=created_by_id
    )
    return made.full


def full_api_key(name: str, service_id: UUID, secret: str) -> str:
    """The full key for its user. The name is made safe: no accents, `_` for blanks, lower-case letters, digits."""
    return f"{key_prefix(name)}-{service_id}-{secret}"


def revoke_api_key(
    session: Session, service_id: UUID, key_id: UUID, *, revoked_by_id: UUID | None = None, now: datetime | None = None
) -> ApiKey:
    """Revoke an API key now, for good; its name becomes free. Revoking it again updates its expiry date. Raises
    `NotFoundProblemError`, also for a key of another service.
    """
    moment = now or utc_now()
    wanted = select(ApiKey).where(ApiKey.id == key_id, ApiKey.service_id == service_id)
    key = session.scalar(wanted.with_for_update())
    if key is None:
        raise NotFoundProblemError
    key.expiry_date = moment
    if revoked_by_id is not None:
        key.created_by_id = revoked_by_id
    save_version(session, key, now=moment)
    return key


def get_api_key(session: Session, service_id: UUID, key_id: UUID) -> ApiKey:
    """A service's key that is not revoked. Raises `UnknownApiKeyError`."""
    key = session.get(ApiKey, key_id)
    if key is None or key.service_id != service_id or key.expiry_date is not None:
        raise UnknownApiKeyError(service_id)
    return key


def list_api_keys(session: Session, service_id: UUID, *, now: datetime | None = None) -> list[ApiKey]:
    """A service's keys, newest first: those not revoked, and those revoked less than 7 days ago, counted from the
    midnight (UTC) before.
    """
    shown = or_(ApiKey.expiry_date.is_(None), ApiKey.expiry_date >= earliest_shown_expiry(now or utc_now()))
    query = select(ApiKey).where(ApiKey.service_id == service_id, shown)
    return list(session.scalars(query.order_by(ApiKey.created_at.desc(), ApiKey.id)))
