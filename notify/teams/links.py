"""The links of invitations and the tokens in them (contract: internal-users-orgs-templates 0 "Tokens in links", 3)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Self
from uuid import UUID

from notify.infra.container import Container
from notify.infra.errors import NotFoundProblemError
from notify.infra.url_tokens import BadUrlTokenError, ExpiredUrlTokenError, UrlTokens
from notify.teams.errors import BrokenInvitationError, ExpiredInvitationError

LIFETIME: Final = timedelta(days=2)
"""How long an invitation can be accepted; it is deleted afterwards."""


class InvitationLinks:
    """Creates the links of invitations and reads the tokens in them. A token contains the invitation's id."""

    def __init__(self, tokens: UrlTokens, admin_url: str) -> None:
        self._tokens = tokens
        self._admin_url = admin_url

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.get(UrlTokens), container.parts.settings.admin_base_url)

    def make(self, path: str, invitation_id: UUID, admin_url: str | None = None) -> str:
        """The link of an invitation: `path` below `admin_url`, the address of the admin app; None means the one in the
        settings.
        """
        return f"{(admin_url or self._admin_url).rstrip('/')}/{path}/{self._tokens.make(str(invitation_id))}"

    def read(self, token: str) -> UUID:
        """The id of the invitation. Raises `ExpiredInvitationError`, `BrokenInvitationError`, and
        `NotFoundProblemError` for a token that contains no id.
        """
        try:
            return UUID(self._tokens.read(token, int(LIFETIME.total_seconds())))
        except ExpiredUrlTokenError:
            raise ExpiredInvitationError from None
        except BadUrlTokenError:
            raise BrokenInvitationError from None
        except ValueError:
            raise NotFoundProblemError from None
