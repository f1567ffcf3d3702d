import pytest

from notify.messages.statuses import filter_statuses, shown_status
from notify.vocabulary import STATUSES


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        ([], None),
        (["accepted"], {"created", "sending"}),
        (["received"], {"delivered"}),
        (
            ["failed", "sent"],
            {
                "sent",
                "technical-failure",
                "temporary-failure",
                "permanent-failure",
                "validation-failed",
                "virus-scan-failed",
                "returned-letter",
            },
        ),
        ([status for status in STATUSES if status != "failed"], None),
    ],
)
def test_filters(names: list[str], meant: set[str] | None) -> None:
    assert filter_statuses(names) == (None if meant is None else frozenset(meant))


@pytest.mark.parametrize(
    ("kind", "status", "shown"),
    [
        ("letter", "created", "accepted"),
        ("letter", "returned-letter", "received"),
        ("letter", "cancelled", "cancelled"),
        ("sms", "created", "created"),
    ],
)
def test_letters_have_words_of_their_own(kind: str, status: str, shown: str) -> None:
    assert shown_status(kind, status) == shown
