"""Events of Amazon SES that SNS posts to us (the contract, public-api 11, only has a queue).

SNS only retries after a 5xx, so we answer 5xx if the message itself is not the problem.
"""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from notify.infra.container import Container
from notify.infra.http import json_answer, result_error
from notify.infra.request_gate import allow_large_body
from notify.infra.sns import LARGEST_BYTES, SNSError, SNSMessage, SNSVerifier
from notify.messages.ses_events import BrokerDownError, SesEvents
from notify.providers.base import ReceiptError

logger = structlog.get_logger(__name__)


def blueprint(container: Container) -> Blueprint:
    """`POST /notifications/email/ses`: answers after the event is committed."""
    verifier, receipts = container.get(SNSVerifier), container.get(SesEvents)
    routes = Blueprint("ses_receipts", __name__)

    @routes.post("/notifications/email/ses")
    def ses_receipt() -> Response:
        if not verifier.expects_messages:
            raise NotFound
        request.max_content_length = LARGEST_BYTES
        allow_large_body(request.environ, LARGEST_BYTES)
        try:
            message = SNSMessage.read(request.get_data(cache=False, parse_form_data=False))
            verifier.verify(message)
            if message.Type == "SubscriptionConfirmation":
                verifier.confirm(message)
            elif message.Type == "UnsubscribeConfirmation":
                logger.warning("SNS subscription ended", topic=message.TopicArn)
            else:
                receipts.take({"Message": message.Message})
        except SNSError as error:
            logger.warning("message of SNS refused", reason=str(error))
            return result_error(error.status, [f"SES callback failed: {error}"])
        except ReceiptError as error:
            logger.warning("notification of SES refused", reason=str(error))
            return result_error(400, error.messages)
        except BrokerDownError:
            return result_error(503, ["SES callback failed: try again later"])
        return json_answer({"result": "success"})

    return routes
