"""Current rates of messages (contract: internal-jobs-billing-platform 6). Errors have the v2 envelope."""

from __future__ import annotations

from sqlalchemy.orm import Session

from notify.billing import queries
from notify.infra.times import utc_now
from notify.internal.errors import Envelope
from notify.internal.fields import Money, NaiveMoment
from notify.internal.routes import Routes
from notify.internal.schemas import Answer

routes = Routes("rates", envelope=Envelope.V2)


class SmsRateAnswer(Answer):
    """Pounds per fragment of a text message."""

    rate: float
    valid_from: NaiveMoment


class LetterRateAnswer(Answer):
    """Pounds per letter of this many sheets in a class of post."""

    sheet_count: int
    start_date: NaiveMoment
    rate: Money
    post_class: str


@routes.get("/sms-rate/")
def get_sms_rate(session: Session) -> SmsRateAnswer:
    """Get the rate of text messages."""
    return SmsRateAnswer.of(queries.current_sms_rate(session, utc_now()))


@routes.get("/letter-rates/")
def list_letter_rates(session: Session) -> list[LetterRateAnswer]:
    """List the rates of letters."""
    return LetterRateAnswer.of_each(queries.current_letter_rates(session, utc_now()))
