"""Settings of providers."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from notify.infra.settings import EnvironmentSettings
from notify.safety import SHORTEST_KEY, host_of, to_server
from notify.setting_types import Connection, HeaderText, SettingsPart, SmtpAddress, WebAddress


class TextProviderSettings(SettingsPart):
    """Providers of text messages."""

    # -- providers of text messages
    mmg_url: WebAddress = Field("https://api.mmg.co.uk/jsonv2a/api.php", description="Address of MMG's sending API.")
    mmg_api_key: HeaderText = Field("", description="MMG's key. Empty: MMG is not used.")
    mmg_receipt_url: WebAddress = Field(
        "",
        description="Address for receipts, which is sent to MMG with each message. Empty: the address set up at MMG.",
    )
    mmg_delivery_status_callback_basic_auth_credentials: tuple[str, str] | None = Field(
        None,
        description="JSON `[user, password]` put into the receipt address given to MMG; its receipts must carry them. Outside development and test the password has at least 16 characters.",
    )
    mmg_inbound_sms_username: list[str] = Field(
        [], description="JSON list of user names MMG may use for inbound texts."
    )
    mmg_inbound_sms_auth: list[str] = Field(
        [],
        description="JSON list of passwords MMG may use for inbound texts; outside development and test of at least 16 characters.",
    )
    firetext_url: WebAddress = Field(
        "https://www.firetext.co.uk/api/sendsms/json", description="Address of Firetext's sending API."
    )
    firetext_api_key: HeaderText = Field("", description="Firetext's key. Empty: Firetext is not used.")
    firetext_international_api_key: HeaderText = Field(
        "", description="Firetext's key for international texts. Empty: the other one."
    )
    firetext_receipt_url: WebAddress = Field(
        "", description="Address for receipts, which is sent to Firetext with each message."
    )
    firetext_delivery_status_callback_basic_auth_credentials: tuple[str, str] | None = Field(
        None,
        description="JSON `[user, password]` put into the receipt address given to Firetext; its receipts must carry them. Outside development and test the password has at least 16 characters.",
    )
    firetext_inbound_sms_auth: list[str] = Field(
        [],
        description="JSON list of passwords Firetext may use for inbound texts; outside development and test of at least 16 characters.",
    )
    receipts_checked_in_front: bool = Field(
        False,
        description="`1`: a proxy in front of the API checks who sends receipts, and the API does not. `0`: outside development and test, a provider's receipts are only taken with its credentials (`MMG_DELIVERY_STATUS_CALLBACK_BASIC_AUTH_CREDENTIALS`, `FIRETEXT_DELIVERY_STATUS_CALLBACK_BASIC_AUTH_CREDENTIALS`).",
    )
    sms_provider_resting_points: dict[str, int] = Field(
        {"mmg": 51, "firetext": 49},
        description="JSON object: text message provider to the priority it drifts back to after it was changed automatically.",
    )
    check_slow_text_message_delivery: bool = Field(
        False,
        description="`1` logs an error when text messages have been slow for ten minutes: a tenth of them not delivered within five minutes.",
    )
    from_number: str = Field(
        "development",
        description="Text message sender where a service has none. Outside development and test it must be set where texts are sent.",
    )

    def providers(self) -> Iterator[tuple[str, str]]:
        """MMG and Firetext, if they have a key."""
        if self.mmg_api_key:
            yield "MMG_API_KEY", self.mmg_url
        if self.firetext_api_key or self.firetext_international_api_key:
            yield "FIRETEXT_API_KEY", self.firetext_url

    def links(self) -> Iterator[tuple[str, str]]:
        """Where providers send receipts."""
        for variable, address in (
            ("MMG_RECEIPT_URL", self.mmg_receipt_url),
            ("FIRETEXT_RECEIPT_URL", self.firetext_receipt_url),
        ):
            if address:
                yield variable, address

    def unset(self) -> Iterator[tuple[str, str]]:
        """The sender of texts, where they are sent."""
        if any(TextProviderSettings.providers(self)) and "from_number" not in self.model_fields_set:
            yield "FROM_NUMBER", f"text messages would come from {self.from_number!r}"

    def secrets(self) -> Iterator[tuple[str, str, int]]:
        """Passwords of providers for the endpoints of receipts and received texts."""
        for name in ("mmg", "firetext"):
            field = f"{name}_delivery_status_callback_basic_auth_credentials"
            credentials: tuple[str, str] | None = getattr(self, field)
            if credentials is not None:
                yield field.upper(), credentials[1], SHORTEST_KEY
            for password in getattr(self, f"{name}_inbound_sms_auth"):
                yield f"{name}_inbound_sms_auth".upper(), password, SHORTEST_KEY

    def connections(self) -> Iterator[Connection]:
        """To MMG and Firetext, if they have a key."""
        for variable, address in (
            ("MMG_URL", self.mmg_url if self.mmg_api_key else ""),
            ("FIRETEXT_URL", self.firetext_url if self.firetext_api_key else ""),
        ):
            if address:
                yield to_server(variable, address, ("http",), "set an https:// address")


class EmailProviderSettings(EnvironmentSettings):
    """Providers of email."""

    # -- providers of email
    ses_enabled: bool = Field(
        False,
        description="`1` sends email through Amazon SES. Credentials come from AWS's standard chain: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, shared files, or the role of the container or instance.",
    )
    ses_url: WebAddress = Field("", description="Address of the SES v2 API. Empty: Amazon's in `AWS_REGION`.")
    ses_configuration_set: str = Field(
        "", description="Configuration set that emails are sent with. Empty: the identity's default."
    )
    ses_stub_url: WebAddress = Field(
        "",
        description="Address of a stand-in for SES in load tests: it gets each email without its content, and sends nothing.",
    )
    ses_receipts_queue_url: WebAddress = Field(
        "", description="Address of the SQS queue that `notify ses-receipts` reads SES notifications from."
    )
    smtp_url: SmtpAddress = Field(
        "",
        description="`smtp://user:password@host:port` (STARTTLS; outside development it must be offered, with a certificate of a known authority) or `smtps://...`. Special characters of user and password are percent-encoded. Empty: SMTP is not used.",
    )
    smtp_connections: int = Field(
        10,
        ge=1,
        le=500,
        description="Connections a worker process keeps to the SMTP server, one email at a time on each.",
    )
    sandbox_url: WebAddress = Field(
        "",
        description="Address of the sandbox provider. Empty: it is not used; `notify up` starts one and sets this. Refused outside development and test.",
    )
    sandbox_receipt_delay_ms: int = Field(
        500, ge=0, description="Milliseconds that the sandbox waits before it sends a receipt."
    )

    def listeners(self) -> Iterator[tuple[str, str]]:
        """The address of the sandbox."""
        if self.sandbox_url:
            yield "SANDBOX_URL", host_of(self.sandbox_url)

    def providers(self) -> Iterator[tuple[str, str]]:
        """SES and SMTP, if they are switched on."""
        if self.ses_enabled:
            yield "SES_ENABLED", self.ses_url
        if self.smtp_url:
            yield "SMTP_URL", self.smtp_url

    def unset(self) -> Iterator[tuple[str, str]]:
        """The domain of senders, where emails are sent."""
        if any(EmailProviderSettings.providers(self)) and "notify_email_domain" not in self.model_fields_set:
            yield "NOTIFY_EMAIL_DOMAIN", f"emails would come from {self.notify_email_domain}, which is somebody else's"

    def stand_ins(self) -> Iterator[tuple[str, str]]:
        """The sandbox."""
        if self.sandbox_url:
            yield "SANDBOX_URL", "the sandbox provider"

    def connections(self) -> Iterator[Connection]:
        """To SES and its queue of receipts. SMTP has its own check when it connects."""
        for variable, address in (
            ("SES_URL", self.ses_url if self.ses_enabled else ""),
            ("SES_RECEIPTS_QUEUE_URL", self.ses_receipts_queue_url),
        ):
            if address:
                yield to_server(variable, address, ("http",), "set an https:// address")
