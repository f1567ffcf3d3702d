"""Settings of delivery."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from notify.setting_types import SettingsPart, words


class SchedulingSettings(SettingsPart):
    """The services that may schedule messages."""

    # -- the public API
    scheduling_services: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Ids of services, with commas, that may have messages sent later by `scheduled_for`, up to four days ahead; `all`: every service. For all others it is checked and ignored, as in the original.",
    )

    @field_validator("scheduling_services", mode="before")
    @classmethod
    def _ids(cls, value: Any) -> Any:
        try:
            return [word if word == "all" else str(UUID(str(word))) for word in words(value)]
        except ValueError:
            raise ValueError("must be ids of services with commas between them, or `all`") from None


class DeliverySettings(SettingsPart):
    """Retries and time limits of delivery."""

    # -- workers
    delivery_retry_seconds: int = Field(
        300, ge=0, description="Seconds between two attempts to send a message to a provider."
    )
    delivery_max_retries: int = Field(
        48, ge=0, description="Attempts after the first one, before a message ends as `technical-failure`."
    )
    one_off_wait_ms: int = Field(
        1000,
        ge=0,
        le=10_000,
        description="Longest wait in milliseconds for a one-off text or email from the admin app to be sent or to fail, before the request is answered: the status read next is then `sending`. 0: the request is answered immediately.",
    )
    sweep_after_seconds: int = Field(
        60,
        ge=1,
        description="Messages still `created` after this time are published to the queue again by the sweeper, and again each time they are twice as old; from an hour on, every quarter of an hour.",
    )
    sweep_every_seconds: int = Field(30, ge=1, description="Seconds between two runs of that sweeper.")
    message_expiry_seconds: int = Field(
        0,
        ge=0,
        description="A text or email that could not be handed to a provider for so long ends as `technical-failure` instead of going out late. 0: it is tried as long as `DELIVERY_MAX_RETRIES` says.",
    )
    message_expiry_seconds_by_template: dict[UUID, int] = Field(
        {},
        description="JSON object: template id to the same for its messages, such as one-time codes. 0: never.",
    )
    test_letters_fake_delivery: bool = Field(
        False,
        description="`1`: letters of test keys become `sending`, and a fake callback of the print provider follows. `0`: they are `delivered` at once.",
    )
    sending_notifications_timeout_period: int = Field(
        259_200, ge=60, description="Seconds after which a text or email without a receipt becomes `temporary-failure`."
    )


class DeepHistorySettings(SettingsPart):
    """Archiving the history outside the database."""

    # -- history of messages
    s3_bucket_notification_deep_history: str = Field(
        "",
        description="Bucket to which the oldest hours of the history of messages are moved each night, as ORC files; needs the library `pyarrow`. Empty: the history stays in the database.",
    )
    notification_deep_history_prefix: str = Field("", description="Prefix of the names of these files.")
    notification_deep_history_min_age_days: int = Field(
        365, ge=30, description="Days after which messages in the history are moved."
    )
    notification_deep_history_max_hours_archived_in_run: int = Field(
        240, ge=1, description="Most hours of the history that are moved in one night."
    )
    notification_deep_history_delete_archived: bool = Field(
        True, description="`0` keeps rows in the database that were written to files."
    )
