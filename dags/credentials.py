"""The deployment's settings with what Airflow's connections add; none of it is ever returned.

Importing this costs Airflow's Task SDK and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSecretsBackendAccessDenied

if TYPE_CHECKING:
    from outcry.settings import Settings


def house(*, callback: bool = False) -> Settings:
    """The settings of the deployment.

    A ``callback`` may not read what lies in Airflow's own database (in 3.3 the execution API
    refuses its token): to it such a connection is none. Those of ``AIRFLOW_CONN_…`` and of a
    secrets backend it reads as any task does.

    Connections win over the environment, each if it exists:

    * ``outcry_store``: Elasticsearch; host (and scheme, port) or extra ``url``; login and
      password, or extra ``api_key``
    * ``outcry_alerts``: extra ``webhook``; login and password of the mail server
    * ``outcry_helpdesk``: password: its access token
    """
    from outcry import settings

    given: dict[str, str] = {}
    if (store := _find("outcry_store", callback)) is not None:
        fields = {"user": store.login, "password": store.password, **store.extra_dejson}
        # An API key and a login exclude each other: one in the environment must not stay.
        given |= dict.fromkeys(settings.STORE_SECRETS.values(), "")
        given |= _named(settings.STORE_SECRETS, fields)
        given |= {"OUTCRY_ELASTICSEARCH": address} if (address := _address(store)) else {}
    if (alerts := _find("outcry_alerts", callback)) is not None:
        fields = {"smtp_user": alerts.login, "smtp_password": alerts.password}
        given |= _named(settings.ALERT_SECRETS, {**fields, **alerts.extra_dejson})
    if (desk := _find("outcry_helpdesk", callback)) is not None:
        given |= _named(settings.HELPDESK_SECRETS, {"token": desk.password})
    return settings.load_settings(secrets=given)


def connection_secrets(source: str, credential: str = "") -> dict[str, str]:
    """A source's secrets, by parameter, from the connection ``outcry_SOURCE``.

    A target with a credential of its own has ``outcry_SOURCE_CREDENTIAL``. The connection's
    extra fields are looked up by name; its password is the first secret that they do not
    name. Empty where there is no such connection: the environment then has the say. A
    source that needs no secret is not looked up.
    """
    from listeners.registry import secrets_of

    wanted = secrets_of(source)
    if not wanted:
        return {}
    suffix = f"_{credential}" if credential else ""
    if (connection := _find(f"outcry_{source}{suffix}")) is None:
        return {}
    found = {param: str(value) for param, value in connection.extra_dejson.items()}
    unnamed = [param for param in wanted if not found.get(param)]
    if connection.password and unnamed:
        found[unnamed[0]] = connection.password
    return {param: found[param] for param in wanted if found.get(param)}


def _find(name: str, callback: bool = False) -> Connection | None:
    try:
        found: Connection = Connection.get(name)
    except AirflowNotFoundException:
        return None
    except AirflowSecretsBackendAccessDenied:
        if callback:
            return None
        raise
    return found


def _address(store: Connection) -> str | None:
    if url := store.extra_dejson.get("url"):
        return str(url)
    if not store.host or "://" in store.host:
        return store.host
    port = f":{store.port}" if store.port else ""
    return f"{store.schema or 'https'}://{store.host}{port}"


def _named(names: Mapping[str, str], fields: Mapping[str, object]) -> dict[str, str]:
    """The fields that are set, by the names of their variables."""
    return {names[field]: str(word) for field, word in fields.items() if field in names and word}
