"""The contract's closed lists of words (data-model 1). Models, schemas and checks take them from here."""

from __future__ import annotations

from typing import Final, Literal, get_args

NotificationType = Literal["email", "sms", "letter"]
TemplateType = Literal["sms", "email", "letter"]
KeyType = Literal["normal", "team", "test"]
CallbackType = Literal["complaint", "delivery_status", "inbound_sms", "returned_letter"]
AuthType = Literal["sms_auth", "email_auth", "webauthn_auth"]
LetterLanguages = Literal["english", "welsh_then_english"]
RecipientType = Literal["mobile", "email"]
OrganisationType = Literal[
    "central",
    "emergency_service",
    "local",
    "nhs",
    "nhs_central",
    "nhs_gp",
    "nhs_local",
    "nhs_notify",
    "other",
    "school_or_college",
]
ServicePermissionType = Literal[
    "broadcast",
    "edit_folder_permissions",
    "email",
    "email_auth",
    "inbound_sms",
    "international_letters",
    "international_sms",
    "letter",
    "sms",
    "sms_to_uk_landlines",
]
UserPermissionType = Literal[
    "manage_users",
    "manage_templates",
    "manage_settings",
    "send_texts",
    "send_emails",
    "send_letters",
    "manage_api_keys",
    "platform_admin",
    "view_activity",
    "create_broadcasts",
    "approve_broadcasts",
    "cancel_broadcasts",
    "reject_broadcasts",
]
OrganisationUserPermissionType = Literal["can_make_services_live"]
OrganisationPermissionType = Literal["can_ask_to_join_a_service"]
InvitationStatus = Literal["pending", "accepted", "cancelled"]
JoinRequestStatus = Literal["pending", "approved", "rejected", "cancelled"]

NotificationStatus = Literal[
    "cancelled",
    "created",
    "sending",
    "sent",
    "delivered",
    "pending",
    "failed",
    "technical-failure",
    "temporary-failure",
    "permanent-failure",
    "pending-virus-check",
    "validation-failed",
    "virus-scan-failed",
    "returned-letter",
]

BroadcastStatus = Literal[
    "draft", "pending-approval", "rejected", "broadcasting", "completed", "cancelled", "technical-failure"
]
BroadcastEventType = Literal["alert", "update", "cancel"]
BroadcastProviderStatus = Literal["technical-failure", "sending", "returned-ack", "returned-error"]
BroadcastProvider = Literal["ee", "vodafone", "three", "o2"]
BroadcastProviderChoice = Literal["three", "o2", "vodafone", "ee", "all"]
BroadcastChannel = Literal["operator", "test", "severe", "government"]

NOTIFICATION_TYPES: Final = get_args(NotificationType)
STATUSES: Final = get_args(NotificationStatus)
"""Every status of a message, in the order in which the API's error text lists them."""
TEMPLATE_TYPES: Final = get_args(TemplateType)
"""The order in which the API lists them."""
KEY_TYPES: Final = get_args(KeyType)
CALLBACK_TYPES: Final = get_args(CallbackType)
AUTH_TYPES: Final = get_args(AuthType)
LETTER_LANGUAGES: Final = get_args(LetterLanguages)
RECIPIENT_TYPES: Final = get_args(RecipientType)
ORGANISATION_TYPES: Final = get_args(OrganisationType)
SERVICE_PERMISSIONS: Final = get_args(ServicePermissionType)
"""Permissions of a service (data-model 1.2, service_permission_types)."""
USER_PERMISSIONS: Final = get_args(UserPermissionType)
"""Permissions of a member of a service (data-model 1.1, permission_types)."""
ORGANISATION_USER_PERMISSIONS: Final = get_args(OrganisationUserPermissionType)
"""Permissions of a member of an organisation."""
ORGANISATION_PERMISSIONS: Final = get_args(OrganisationPermissionType)
"""Permissions that an organisation can give the members of its services."""
INVITATION_STATUSES: Final = get_args(InvitationStatus)
JOIN_REQUEST_STATUSES: Final = get_args(JoinRequestStatus)
BROADCAST_STATUSES: Final = get_args(BroadcastStatus)
"""Every status of an emergency alert, in the order in which the API's error text lists them."""
BROADCAST_EVENT_TYPES: Final = get_args(BroadcastEventType)
BROADCAST_PROVIDER_STATUSES: Final = get_args(BroadcastProviderStatus)
BROADCAST_PROVIDERS: Final = get_args(BroadcastProvider)
"""The mobile networks that broadcast alerts."""
BROADCAST_PROVIDER_CHOICES: Final = get_args(BroadcastProviderChoice)
"""The networks that a service's alerts can be restricted to; `all` is no restriction."""
BROADCAST_CHANNELS: Final = get_args(BroadcastChannel)
