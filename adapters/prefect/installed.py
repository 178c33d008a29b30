"""Which installation a server of Prefect belongs to, which a host compares with its own record and key."""

from __future__ import annotations

from collections.abc import Sequence

from prefect.client.schemas.actions import VariableCreate, VariableUpdate
from prefect.exceptions import ObjectAlreadyExists

from adapters.prefect.client import PrefectClient, prefect_client
from labels.errors import NotAllowed
from labels.keyring import key_mark
from labels.record.schema import Installation

NAME = "labels_installation"


def tell_installation(ours: Installation, *, takes_over: bool) -> None:
    """Notes in Prefect's server which installation it is deployed for.

    Args:
        ours: the installation of our record.
        takes_over: whether it may be another's: that of a machine that has its server for itself.

    Raises:
        NotAllowed: it is deployed for another record.
        OutOfReach: the server does not answer.
    """
    with prefect_client() as client:
        now = {"record": ours.name, "key": ours.known_by}
        told = _told(client)
        if told is None:
            try:
                client.create_variable(VariableCreate(name=NAME, value=now))
            except ObjectAlreadyExists:  # somebody deploys at the same moment, perhaps for another record
                told = _told(client)
            else:
                return
        if told and told["record"] != ours.name and not takes_over:
            raise NotAllowed(_ANOTHER_RECORD)
        if told != now:
            _renew(client, ours)


def see_that_the_server_is_ours(
    keys: Sequence[bytes], ours: Installation | None, *, another_key: bool = False
) -> None:
    """Compares what Prefect's server is deployed for with this host's keys, and with its record where it has one.

    A key that was replaced since the last deployment is known by the former one. A host that has the record then
    tells the server of the key in force, so that hosts without the former ones are known, too.

    Args:
        keys: the secret keys of this host, the one in force first.
        ours: the installation of our record; None where this host reaches none.
        another_key: whether its key takes the place of one that is lost for ever.

    Raises:
        NotAllowed: it is deployed for another record or with another key.
        OutOfReach: the server does not answer.
    """
    with prefect_client() as client:
        told = _told(client)
        if told is None:
            return
        if ours is not None and told["record"] != ours.name:
            raise NotAllowed(_ANOTHER_RECORD)
        if not another_key and told["key"] not in map(key_mark, keys):
            raise NotAllowed(_ANOTHER_KEY)
        if ours is not None and told["key"] != ours.known_by:
            _renew(client, ours)


def _renew(client: PrefectClient, ours: Installation) -> None:
    client.update_variable(VariableUpdate(name=NAME, value={"record": ours.name, "key": ours.known_by}))


def _told(client: PrefectClient) -> dict[str, str] | None:
    found = client.read_variable_by_name(NAME)
    if found is None or not isinstance(found.value, dict) or not {"record", "key"} <= found.value.keys():
        return None
    return {name: str(found.value[name]) for name in ("record", "key")}


_ANOTHER_RECORD = (
    "Prefect's server belongs to an installation with another record. Set LABELS_DATABASE_URL to that record, or "
    "PREFECT_API_URL to this installation's server; a new installation begins with an empty database of Prefect."
)
_ANOTHER_KEY = (
    "Prefect's server belongs to an installation with another secret key. Copy its secret.key and secret.former into the "
    "home (a key that was replaced is known by the former one), or set LABELS_SECRET to it. Where the former key is lost "
    "for ever: the same command with --with-another-key."
)
