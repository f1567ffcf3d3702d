"""Settings of providers."""

from __future__ import annotations

from pydantic import Field

from notify.setting_types import HeaderText, SettingsPart, SmtpAddress, WebAddress


class TextProviderSettings(SettingsPart):
    """Providers of text messages."""

    # -- providers of text messages
    mmg_url: WebAddress = Field("https://api.mmg.co.uk/jsonv2a/api.php", description="Address of MMG's sending API.")
    mmg_api_key: HeaderText = Field("", description="MMG's key. Empty: MMG is not used.")
    mmg_receipt_url: WebAddress = Field(
        "", description="Address MMG is told to send receipts to. Empty: as agreed with MMG."
    )
    mmg_delivery_status_callback_basic_auth_credentials: tuple[str, str] | None = Field(
        None,
        description="JSON `[user, password]` put into the receipt address given to MMG; its receipts must carry them.",
    )
    mmg_inbound_sms_username: list[str] = Field(
        [], description="JSON list of user names MMG may use for inbound texts."
    )
    mmg_inbound_sms_auth: list[str] = Field([], description="JSON list of passwords MMG may use for inbound texts.")
    firetext_url: WebAddress = Field(
        "https://www.firetext.co.uk/api/sendsms/json", description="Address of Firetext's sending API."
    )
    firetext_api_key: HeaderText = Field("", description="Firetext's key. Empty: Firetext is not used.")
    firetext_international_api_key: HeaderText = Field(
        "", description="Firetext's key for international texts. Empty: the other one."
    )
    firetext_receipt_url: WebAddress = Field("", description="Address Firetext is told to send receipts to.")
    firetext_delivery_status_callback_basic_auth_credentials: tuple[str, str] | None = Field(
        None,
        description="JSON `[user, password]` put into the receipt address given to Firetext; its receipts must carry them.",
    )
    firetext_inbound_sms_auth: list[str] = Field(
        [], description="JSON list of passwords Firetext may use for inbound texts."
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
    from_number: str = Field("development", description="Text message sender where a service has none.")


class EmailProviderSettings(SettingsPart):
    """Providers of email."""

    # -- providers of email
    aws_region: str = Field(
        "eu-west-1", pattern=r"^[a-z0-9-]+$", description="Region of Amazon's services, such as SES and SQS."
    )
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
        description="Address of a stand-in for SES, for tests of load: it is told of each email, without its content, and nothing is sent.",
    )
    ses_topic_arns: list[str] = Field(
        [],
        description="JSON list of the SNS topics whose notifications `POST /notifications/email/ses` takes. Empty: there is no such endpoint.",
    )
    ses_receipts_queue_url: WebAddress = Field(
        "", description="Address of the SQS queue that `notify ses-receipts` reads SES notifications from."
    )
    sns_url: WebAddress = Field(
        "",
        description="Address of a stand-in for SNS, whose certificates are accepted too. Refused outside development and test.",
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
        500, ge=0, description="How long the sandbox waits before it sends a receipt."
    )
