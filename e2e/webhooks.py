"""Webhooks as Twilio posts them, signed by its official SDK."""

import itertools
import urllib.parse

from harness import ACCOUNT, LINE, PHONE, TOKEN
from twilio.request_validator import RequestValidator

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8", "User-Agent": "TwilioProxy/1.1"}
EMPTY = "<Response/>"
numbers = itertools.count(1)


def sid(prefix):
    """A name that no other message of the test has."""
    return f"{prefix}{next(numbers):032x}"


def text(body, **more):
    """The parameters of a text that comes in, as Twilio sends them."""
    message = sid("SM")
    return {
        "ToCountry": "US", "ToState": "", "SmsMessageSid": message, "NumMedia": "0", "ToCity": "", "FromZip": "",
        "SmsSid": message, "FromState": "", "SmsStatus": "received", "FromCity": "", "Body": body, "FromCountry": "US",
        "To": LINE, "ToZip": "", "NumSegments": "1", "MessageSid": message, "AccountSid": ACCOUNT, "From": PHONE,
        "ApiVersion": "2010-04-01", **more,
    }  # fmt: skip


class Repeated(dict):
    """Parameters of which some have several values, in the way the SDK reads them."""

    def getlist(self, name):
        value = self[name]
        return value if isinstance(value, list) else [value]


def signature(url, parameters, token=TOKEN, algorithm=None):
    """What Twilio's SDK would sign a webhook to `url` with."""
    return RequestValidator(token).compute_signature(url, Repeated(parameters), algorithm)


def signed(url, parameters, **signing):
    """Headers and body of a webhook that Twilio calls `url` with."""
    headers = {**FORM, "X-Twilio-Signature": signature(url, parameters, **signing)}
    return headers, urllib.parse.urlencode(parameters, doseq=True).encode()
