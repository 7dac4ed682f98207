"""Webhooks as Twilio posts them, signed by its official SDK."""

import itertools
import urllib.parse

from harness import ACCOUNT, LINE, PHONE, TOKEN
from twilio.request_validator import RequestValidator

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8", "User-Agent": "TwilioProxy/1.1"}
EMPTY = "<Response/>"
numbers = itertools.count(1)


def sid(prefix):
    """Returns a name that no other message of the test has."""
    return f"{prefix}{next(numbers):032x}"


def text(body, **more):
    """Returns the parameters of an incoming text, as Twilio sends them."""
    message = sid("SM")
    return {
        "ToCountry": "US", "ToState": "", "SmsMessageSid": message, "NumMedia": "0", "ToCity": "", "FromZip": "",
        "SmsSid": message, "FromState": "", "SmsStatus": "received", "FromCity": "", "Body": body, "FromCountry": "US",
        "To": LINE, "ToZip": "", "NumSegments": "1", "MessageSid": message, "AccountSid": ACCOUNT, "From": PHONE,
        "ApiVersion": "2010-04-01", **more,
    }  # fmt: skip


class Repeated(dict):
    """Parameters with multiple values, in the form that the SDK reads."""

    def getlist(self, name):
        value = self[name]
        return value if isinstance(value, list) else [value]


def signature(url, parameters, token=TOKEN, algorithm=None):
    """Returns the string that Twilio's SDK signs for a webhook to `url`."""
    return RequestValidator(token).compute_signature(url, Repeated(parameters), algorithm)


def signed(url, parameters, **signing):
    """Returns the headers and body of Twilio's webhook to `url`."""
    headers = {**FORM, "X-Twilio-Signature": signature(url, parameters, **signing)}
    return headers, urllib.parse.urlencode(parameters, doseq=True).encode()
