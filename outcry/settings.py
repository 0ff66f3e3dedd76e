"""The only reader of configuration: one ``outcry.toml``, and secrets from the environment.

Everything that a deployment writes lives under one folder, its *home*: ``OUTCRY_HOME``,
else the platform's data folder. A home without ``outcry.toml`` works with the defaults.

Environment:

    OUTCRY_HOME               the folder of a deployment
    OUTCRY_ELASTICSEARCH      address of Elasticsearch; chooses it over the embedded store
    OUTCRY_ES_API_KEY         its API key, or
    OUTCRY_ES_USER, OUTCRY_ES_PASSWORD
    OUTCRY_PSEUDONYM_KEY      secret that keys the pseudonyms of authors
    OUTCRY_MASTODON_TOKEN     access token for Mastodon targets
    OUTCRY_ALERT_WEBHOOK      address that is told of new incidents
    OUTCRY_SMTP_USER, OUTCRY_SMTP_PASSWORD
                              for the server that mails alerts
    OUTCRY_HELPDESK_TOKEN     access token of the help desk
    OUTCRY_LABELLED_DATA      folder of labelled data for training and some tests
"""

from __future__ import annotations

import getpass
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import platformdirs

from listeners.contract import Target
from listeners.landing import Landing
from models.registry import folder as model_folder
from outcry.alerts import AlertSettings
from triage.causes import IncidentRules
from triage.policy import ContactPolicy
from triage.rules import Rules
from triage.store import open_store
from triage.store.base import Store
from triage.templates import NOTICES, check_template

T = TypeVar("T")

SECRETS: Mapping[str, tuple[str, str]] = {"mastodon": ("access_token", "OUTCRY_MASTODON_TOKEN")}
"""By source: the target's parameter that is a secret, and where it comes from."""


class SettingsError(Exception):
    """The settings cannot be used; one line that names the key and what to write instead."""


class Brand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose complaints these are."""

    name: str = ""
    accounts: tuple[str, ...] = ()
    """The brand's own accounts, as ``source:handle``, or ``*:handle`` for every source."""


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where tickets live."""

    kind: Literal["sqlite", "elasticsearch"] = "sqlite"
    url: str | None = None
    prefix: str = "outcry"
    ca: str | None = None
    """Path of a certificate authority's file, for https with a private one."""


class ListenSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much one window takes from one target."""

    every_minutes: int = 15
    max_pages: int = 50
    deadline_minutes: int = 10


class NlpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How texts are read."""

    model: str = "baseline-en"
    phone_region: str = "US"
    """ISO 3166 code of the country whose telephone numbers have no country code."""
    cues: str | None = None
    """Path of a file of cues instead of ``nlp/cues.toml``, in its format."""


class HelpdeskSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The help desk that tickets are pushed to."""

    kind: Literal["zammad", "chatwoot", "zendesk"] | None = None
    url: str = ""
    user: str = ""
    """Zendesk: the e-mail address that the token belongs to."""
    account: str = ""
    """Chatwoot: the number of the account."""
    inbox: str = ""
    """Chatwoot: the number of an API inbox; Zammad: the name of a group."""
    token: str | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment."""

    home: Path
    brand: Brand
    store: StoreSettings
    listen: ListenSettings
    nlp: NlpSettings
    rules: Rules
    targets: tuple[Target, ...]
    incidents: IncidentRules = IncidentRules()
    alerts: AlertSettings = AlertSettings()
    contact: ContactPolicy = ContactPolicy()
    templates: Mapping[str, str] = msgspec.field(default_factory=lambda: dict(NOTICES))
    """What is written to customers, by name."""
    retention: Mapping[str, float] = {}
    """Days after which what a source said is removed; ``*`` for all others, absent for ever."""
    helpdesk: HelpdeskSettings = HelpdeskSettings()

    @property
    def landing(self) -> Landing:
        """The landing zone under the home."""
        return Landing(self.home / "landing")

    @property
    def model_folder(self) -> Path:
        """Where the chosen model's files are."""
        return model_folder(self.nlp.model)

    def open_store(self) -> Store:
        """The store, set up and ready; the caller closes it.

        Raises:
            triage.errors.StoreError: if it cannot be used.
        """
        if self.store.kind == "sqlite":
            self.make_home()
            store = open_store("sqlite", path=self.home / "outcry.db")
        else:
            store = open_store(
                "elasticsearch",
                url=self.store.url,
                prefix=self.store.prefix,
                ca=self.store.ca,
                api_key=os.environ.get("OUTCRY_ES_API_KEY"),
                user=os.environ.get("OUTCRY_ES_USER"),
                password=os.environ.get("OUTCRY_ES_PASSWORD"),
            )
        store.setup()
        return store

    def make_home(self) -> None:
        """Create the home.

        Raises:
            SettingsError: if it cannot be created.
        """
        try:
            self.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"cannot create {self.home}: {error.strerror}; "
                "set OUTCRY_HOME to a folder that can be written"
            ) from None


def home_folder() -> Path:
    """``OUTCRY_HOME``, else the platform's folder for user data."""
    given = os.environ.get("OUTCRY_HOME")
    return Path(given).expanduser() if given else Path(platformdirs.user_data_dir("outcry"))


def labelled_data() -> Path | None:
    """The folder of labelled data, if one is set."""
    given = os.environ.get("OUTCRY_LABELLED_DATA")
    return Path(given) if given else None


def load_settings(home: Path | None = None) -> Settings:
    """Settings of the deployment in ``home`` (default: `home_folder`).

    Raises:
        SettingsError: if the file is not TOML, names an unknown key, or a value is wrong.
    """
    home = home or home_folder()
    file = home / "outcry.toml"
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        document = {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read {file}: {error}; make it a readable text file") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not valid TOML: {error}; correct that line") from None
    known = {"brand", "store", "listen", "nlp", "triage", "departments", "customers", "targets"}
    known |= {"incidents", "alerts", "contact", "templates", "retention", "helpdesk"}
    unknown = sorted(set(document) - known)
    if unknown:
        raise SettingsError(
            f"{file} has an unknown section [{unknown[0]}]; known are {', '.join(sorted(known))}"
        )
    brand = _section(file, document, "brand", Brand)
    nlp = _section(file, document, "nlp", NlpSettings)
    return Settings(
        home=home,
        brand=brand,
        store=_store(_section(file, document, "store", StoreSettings)),
        listen=_section(file, document, "listen", ListenSettings),
        nlp=nlp,
        rules=_rules(file, document, brand, nlp),
        targets=_targets(file, document.get("targets", [])),
        incidents=_section(file, document, "incidents", IncidentRules),
        alerts=_alerts(_section(file, document, "alerts", AlertSettings)),
        contact=_section(file, document, "contact", ContactPolicy).check(),
        templates=_templates(file, document),
        retention=_section(file, document, "retention", dict[str, float]),
        helpdesk=_helpdesk(_section(file, document, "helpdesk", HelpdeskSettings)),
    )


def with_secrets(target: Target, secrets: Mapping[str, str] | None = None) -> Target:
    """The target with its source's secret filled in.

    ``secrets`` (by parameter name) wins over the environment: a scheduler hands in what it
    keeps itself. A target that needs none comes back as it is.
    """
    if target.source not in SECRETS:
        return target
    param, variable = SECRETS[target.source]
    value = (secrets or {}).get(param) or os.environ.get(variable)
    if not value:
        return target
    return msgspec.structs.replace(target, params={**target.params, param: value})


def _alerts(settings: AlertSettings) -> AlertSettings:
    return msgspec.structs.replace(
        settings,
        webhook=os.environ.get("OUTCRY_ALERT_WEBHOOK") or settings.webhook,
        smtp_user=os.environ.get("OUTCRY_SMTP_USER"),
        smtp_password=os.environ.get("OUTCRY_SMTP_PASSWORD"),
    )


def _helpdesk(settings: HelpdeskSettings) -> HelpdeskSettings:
    if settings.kind and not settings.url.startswith(("https://", "http://")):
        raise SettingsError('helpdesk.url is missing; add url = "https://…"')
    token = os.environ.get("OUTCRY_HELPDESK_TOKEN")
    return msgspec.structs.replace(settings, token=token)


def _templates(file: Path, document: Mapping[str, Any]) -> Mapping[str, str]:
    own = _section(file, document, "templates", dict[str, str])
    return {**NOTICES, **{name: check_template(text) for name, text in own.items()}}


def operator_name() -> str:
    """Who sits at this computer, for the vault's log."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _store(settings: StoreSettings) -> StoreSettings:
    url = os.environ.get("OUTCRY_ELASTICSEARCH")
    if url:
        return msgspec.structs.replace(settings, kind="elasticsearch", url=url)
    if settings.kind == "elasticsearch" and not settings.url:
        raise SettingsError('store.kind is "elasticsearch" but store.url is missing; add url = "…"')
    return settings


def _rules(file: Path, document: Mapping[str, Any], brand: Brand, nlp: NlpSettings) -> Rules:
    derived = {"own_accounts": brand.accounts, "phone_region": nlp.phone_region}
    values = {**document.get("triage", {}), **derived}
    values.update({k: document[k] for k in ("departments", "customers") if k in document})
    key = os.environ.get("OUTCRY_PSEUDONYM_KEY")
    if key:
        values["pseudonym_key"] = key
    return _convert(file, "triage", values, Rules).check()


def _targets(file: Path, tables: Any) -> tuple[Target, ...]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise SettingsError(f"{file}: targets must be written as [[targets]] tables")
    found: dict[tuple[str, str], Target] = {}
    for table in tables:
        params = {k: v for k, v in table.items() if k not in ("source", "key")}
        fields = {k: v for k, v in table.items() if k in ("source", "key")}
        target = _convert(file, "targets", {**fields, "params": params}, Target)
        name = (target.source, target.key)
        if name in found:
            raise SettingsError(f"{file}: two targets are called {name[0]}/{name[1]}; rename one")
        found[name] = target
    return tuple(found.values())


def _section(file: Path, document: Mapping[str, Any], name: str, kind: type[T]) -> T:
    return _convert(file, name, document.get(name, {}), kind)


def _convert(file: Path, section: str, values: Any, kind: type[T]) -> T:
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{file}: [{section}] {error}; correct it") from None
