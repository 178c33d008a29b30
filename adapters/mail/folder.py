"""Reads the folder that mail goes into, as its recipients do: the demo, tests and benchmarks need their codes."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from labels.errors import OutOfReach
from labels.record.engine import Record
from labels.record.schema import Step, StepState
from labels.steps.codes import code_matches

ARRIVES_WITHIN = 600.0
"""Seconds for the mail of an open step to arrive. It takes less than one; a machine with ten times as much to do as
it has processors for may need minutes."""
_CODE = re.compile(r"\b[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{2}\b")


class MailFolder:
    """The messages of a folder of `.eml` files, each file read once for each time it was written."""

    def __init__(self, folder: Path, read: Callable[[bytes], EmailMessage] | None = None) -> None:
        self.folder = folder
        self._read_message = read or read_message
        self._read: dict[Path, tuple[int, EmailMessage]] = {}

    def messages(self) -> list[EmailMessage]:
        """All messages, the one that was written last at the end."""
        for path in self.folder.glob("*.eml"):
            written = path.stat().st_mtime_ns
            if self._read.get(path, (None,))[0] != written:
                self._read[path] = written, self._read_message(path.read_bytes())
        return [message for _, message in sorted(self._read.values(), key=lambda one: one[0])]

    def code(self, step: Step) -> str | None:
        """The code that counts for a step, where a message to its assignee has it; None where none has yet.

        The code is known by its hash in the record, not by the words around it.
        """
        for message in reversed(self.messages()):
            if step.assignee in str(message["To"]):
                for code in codes_in(plain_text(message)):
                    if code_matches(code, step.code_hash):
                        return code
        return None

    def wait_for_code(
        self, record: Record, step_id: str, stop: threading.Event, within: float = ARRIVES_WITHIN
    ) -> str | None:
        """The code of a step, once its mail is there: a step is in the record before its mail is in the folder.

        None where the step is not open any more, or where `stop` was set meanwhile.

        Raises:
            OutOfReach: no mail with the code arrived in so many seconds.
        """
        deadline = time.monotonic() + within
        while True:
            with record.reading() as session:
                step = session.get_one(Step, step_id)
            if step.state is not StepState.OPEN:
                return None
            if code := self.code(step):
                return code
            if time.monotonic() > deadline:
                raise OutOfReach("The mail", f"no message with the code of {step_id} is in {self.folder}.")
            if stop.wait(0.1):
                return None


def read_message(content: bytes) -> EmailMessage:
    """The message of an `.eml` file."""
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def plain_text(message: EmailMessage) -> str:
    """The text of a message as a mail program without HTML shows it."""
    body = message.get_body(("plain",))
    return str(body.get_content()) if body else ""


def codes_in(text: str) -> list[str]:
    """All that look like a one-time code in a text."""
    return _CODE.findall(text)
