"""Error replies of mail servers."""

from __future__ import annotations

import pytest

from notify.providers.smtp.replies import Stage, read_refusal


@pytest.mark.parametrize(
    ("stage", "code", "text"),
    [
        ("rcpt", 550, "5.1.1 <a@example.com>: Recipient address rejected: User unknown in virtual mailbox table"),
        ("rcpt", 550, "5.4.1 Recipient address rejected: Access denied."),
        ("rcpt", 550, "5.5.0 Requested action not taken: mailbox unavailable"),
        ("rcpt", 550, "sorry, we do not have this one"),
        ("rcpt", 553, "5.1.3 bad address syntax"),
        ("data", 550, "5.1.1 The email account that you tried to reach does not exist."),
        ("data", 554, "delivery error: This user doesn't have an example.com account"),
        ("data", 550, "5.2.1 The email account that you tried to reach is disabled."),
        ("data", 552, "5.2.2 The recipient's inbox is out of storage space."),
        ("data", 550, "Unknown user"),
        ("data", 550, "5.0.0 No such user"),
        ("data", 554, "5.4.4 unable to route: no such domain"),
    ],
)
def test_a_refused_recipient_is_a_permanent_failure(stage: Stage, code: int, text: str) -> None:
    assert read_refusal(stage, code, text) == ("recipient_refused", False, "permanent-failure")


@pytest.mark.parametrize(
    ("stage", "code", "text"),
    [
        ("rcpt", 554, "5.7.1 <a@example.com>: Relay access denied"),
        ("rcpt", 550, "relaying denied"),
        ("rcpt", 550, "5.1.8 Sender address rejected: Domain not found"),
        ("rcpt", 550, "Sender address rejected: Domain not found"),
        ("data", 550, "5.7.26 This mail is unauthenticated"),
        ("data", 552, "5.3.4 Message too big for system"),
        ("data", 552, "5.2.3 Message length exceeds the limit of the recipient"),
        ("data", 554, "Transaction failed"),
        ("data", 550, "Message looks like spam: user unknown"),
        ("mail", 550, "5.1.1 user unknown"),
        ("mail", 553, "no such user"),
    ],
)
def test_other_refusals_for_good_are_not_about_the_recipient(stage: Stage, code: int, text: str) -> None:
    assert read_refusal(stage, code, text) == ("refused", False, "technical-failure")


@pytest.mark.parametrize(
    ("stage", "code", "text", "kind"),
    [
        ("data", 454, "Throttling failure: Maximum sending rate exceeded.", "throttled"),
        ("mail", 421, "4.7.0 Too many connections from your host", "throttled"),
        ("rcpt", 450, "4.2.1 The user you are trying to contact is receiving mail too quickly", "throttled"),
        ("rcpt", 452, "4.5.3 Domain policy size per transaction: rate limit", "throttled"),
        ("login", 454, "4.7.0 Temporary authentication failure", "authentication"),
        ("data", 454, "4.7.0 Temporary authentication failure", "authentication"),
        ("connect", 454, "TLS not available", "authentication"),
        ("mail", 530, "5.7.0 Must issue a STARTTLS command first", "authentication"),
        ("login", 535, "5.7.8 wrong", "authentication"),
        ("data", 454, "try again", "refused"),
        ("rcpt", 450, "4.1.1 user unknown", "refused"),
        ("connect", 554, "no service here", "refused"),
    ],
)
def test_what_is_tried_again(stage: Stage, code: int, text: str, kind: str) -> None:
    refusal = read_refusal(stage, code, text)
    assert (refusal.kind, refusal.retryable) == (kind, True)


def test_long_texts_are_read_in_time() -> None:
    for piece in ("user ", "rate ", "address address ", "a"):
        assert read_refusal("data", 550, piece * 50_000).retryable is False
        assert read_refusal("data", 450, piece * 50_000).retryable is True
