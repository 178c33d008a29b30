"""What a row of the outbox keeps of its message, and the message read back from it."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from labels.errors import Fault, InvalidInput
from labels.mail.message import Message, Template
from labels.mail.messages import BY_TEMPLATE
from labels.record.schema import Mail

_MESSAGE = "message"


def context_of(message: Message) -> dict[str, Any]:
    """What `Mail.context` keeps of a message."""
    return {_MESSAGE: message.model_dump(mode="json")}


def message_of(mail: Mail) -> Message:
    """The message of a row.

    Raises:
        InvalidInput: there is no such message, or the row lacks what it tells.
    """
    try:
        return BY_TEMPLATE[Template(mail.template)].model_validate(mail.context[_MESSAGE])
    except (ValueError, KeyError, TypeError) as error:
        fault = Fault(
            mail.reason, f"can't be worded: {_said(error)}.", "Queue it with every value that it tells."
        )
        raise InvalidInput(f"mail {mail.template}", [fault]) from error


def _said(error: Exception) -> str:
    """What is wrong, without the values that somebody wrote."""
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False)
        )
    return f"{type(error).__name__} {error}"
