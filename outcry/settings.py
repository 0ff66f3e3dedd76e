"""The only reader of configuration: one ``outcry.toml``, and secrets from the environment.

The file is read by `outcry.home`, for those who need no more than that.

Everything that a deployment writes lives under one folder, its *home*: ``OUTCRY_HOME``,
else the platform's data folder. A home without ``outcry.toml`` works with the defaults.

Environment:

    OUTCRY_HOME               the folder of a deployment
    OUTCRY_ELASTICSEARCH      address of Elasticsearch; chooses it over the embedded store
    OUTCRY_ES_API_KEY         its API key, or
    OUTCRY_ES_USER, OUTCRY_ES_PASSWORD
    OUTCRY_PSEUDONYM_KEY      secret that keys the pseudonyms of authors
    OUTCRY_WEBHOOK_SECRET     what senders to the webhook sign with
    OUTCRY_SOURCE_…           secrets of targets, as `listeners.registry` names them
    OUTCRY_ALERT_WEBHOOK      address that is told of new incidents
    OUTCRY_SMTP_USER, OUTCRY_SMTP_PASSWORD
                              for the server that mails alerts
    OUTCRY_HELPDESK_TOKEN     access token of the help desk
    OUTCRY_KIBANA_API_KEY     what `outcry kibana import` imports boards with
    OUTCRY_DESK_SECRET        what the desk signs its cookies with; else it makes one
    OUTCRY_DESK_OIDC_SECRET   the desk's secret at the identity provider
    OUTCRY_DESK_HOOK_SECRET   what the desk's webhooks are signed with
    OUTCRY_LABELLED_DATA      folder of labelled data for training and some tests
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import getproxies

import msgspec

from desk.deployment import DeskSettings
from listeners.contract import Target
from listeners.landing import Landing, scored
from listeners.places import is_local, place
from listeners.reach import Reach
from listeners.registry import secrets_of
from models.registry import folder as model_folder
from nlp.loading import model_id
from outcry.alerts import AlertSettings
from outcry.champions import Champions, Routers
from outcry.home import SettingsError, home_folder, read_document
from outcry.sections import (
    Brand,
    HelpdeskSettings,
    LandingSettings,
    ListenSettings,
    NlpSettings,
    RetrainingSettings,
    Secret,
    StoreSettings,
    WebhookSettings,
)
from triage.causes import IncidentRules
from triage.policy import ContactPolicy
from triage.rules import Rules
from triage.store import open_store
from triage.store.base import Store
from triage.templates import NOTICES, check_template

T = TypeVar("T")


STORE_SECRETS = {
    "api_key": "OUTCRY_ES_API_KEY",
    "user": "OUTCRY_ES_USER",
    "password": "OUTCRY_ES_PASSWORD",
}
ALERT_SECRETS = {
    "webhook": "OUTCRY_ALERT_WEBHOOK",
    "smtp_user": "OUTCRY_SMTP_USER",
    "smtp_password": "OUTCRY_SMTP_PASSWORD",
}
HELPDESK_SECRETS = {"token": "OUTCRY_HELPDESK_TOKEN"}
DESK_SECRETS = {
    "secret": "OUTCRY_DESK_SECRET",
    "oidc_secret": "OUTCRY_DESK_OIDC_SECRET",
    "hook_secret": "OUTCRY_DESK_HOOK_SECRET",
}
RULE_SECRETS = {"pseudonym_key": "OUTCRY_PSEUDONYM_KEY"}
"""The variables that hold secrets, by what they are called in the settings."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment."""

    home: Path
    brand: Brand
    store: StoreSettings
    zone: LandingSettings = LandingSettings()
    """``landing`` in the file."""
    listen: ListenSettings
    webhook: WebhookSettings
    nlp: NlpSettings
    rules: Rules
    targets: tuple[Target, ...]
    products: Mapping[str, tuple[str, ...]] = {}
    """What the brand sells, each with the other ways to write it."""
    places: Mapping[str, tuple[str, ...]] = {}
    """Branches and sites, likewise."""
    incidents: IncidentRules = IncidentRules()
    alerts: AlertSettings = AlertSettings()
    contact: ContactPolicy = ContactPolicy()
    templates: Mapping[str, str] = msgspec.field(default_factory=lambda: dict(NOTICES))
    """What is written to customers, by name."""
    retention: Mapping[str, float] = {}
    """Days after which what a source said is removed; ``*`` for all others, absent for ever."""
    helpdesk: HelpdeskSettings = HelpdeskSettings()
    retraining: RetrainingSettings = RetrainingSettings()
    desk: DeskSettings = DeskSettings()
    store_secrets: Mapping[str, Secret] = {}
    """Elasticsearch's ``api_key``, or ``user`` and ``password``."""

    def target(self, source: str, key: str) -> Target:
        """The configured target of that name.

        Raises:
            SettingsError: if there is none, or none any more.
        """
        for target in self.targets:
            if (target.source, target.key) == (source, key):
                return target
        raise SettingsError(f"no target {source}/{key} in {self.home / 'outcry.toml'}: add it")

    @property
    def landing(self) -> Landing:
        """The landing zone: under the home, or where the settings put it.

        Raises:
            listeners.errors.LandingError: if its address cannot be used.
        """
        if self.zone.url is None:
            return Landing(self.home / "landing")
        root = place(self.zone.url, **self.zone.options)
        return Landing(root, None if is_local(root) else self.home / "locks")

    @property
    def reach(self) -> Reach:
        """Where listeners may connect to: through the proxy, if the environment names one."""
        proxies = getproxies()
        allowed = self.listen.allow_networks
        return Reach(allow=allowed, proxy=proxies.get("https") or proxies.get("http"))

    @property
    def champions(self) -> Champions:
        """The models of the deployment's own that stem from the chosen one."""
        return Champions(self.home, model_folder(self.nlp.model))

    @property
    def routers(self) -> Routers:
        """What the deployment has learnt from agents' corrections of the routing."""
        return Routers(self.home)

    @property
    def model_folder(self) -> Path:
        """Where the files of the model in use are: the chosen one, or what was promoted."""
        return self.champions.champion

    @property
    def scored_kinds(self) -> list[str]:
        """The kinds of scored parts that count: of the model in use, then of those before it."""
        return [scored(one) for one in (model_id(self.model_folder), *self.champions.line.was)]

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
                **self.store_secrets,
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


def labelled_data() -> Path | None:
    """The folder of labelled data, if one is set."""
    given = os.environ.get("OUTCRY_LABELLED_DATA")
    return Path(given) if given else None


def load_settings(home: Path | None = None, secrets: Mapping[str, str] | None = None) -> Settings:
    """Settings of the deployment in ``home`` (default: `home_folder`).

    ``secrets``, by the names of their variables, win over the environment: a scheduler hands in
    what it keeps itself.

    Raises:
        SettingsError: if the file is not TOML, names an unknown key, or a value is wrong.
    """
    home = home or home_folder()
    file, document = read_document(home)
    known = {"brand", "store", "listen", "nlp", "triage", "departments", "customers", "targets"}
    known |= {"products", "places", "webhook", "landing"}
    known |= {"incidents", "alerts", "contact", "templates", "retention", "helpdesk", "retraining"}
    known |= {"desk"}
    unknown = sorted(set(document) - known)
    if unknown:
        raise SettingsError(
            f"{file} has an unknown section [{unknown[0]}]; known are {', '.join(sorted(known))}"
        )
    given = {**os.environ, **(secrets or {})}
    brand = _section(file, document, "brand", Brand)
    nlp = _section(file, document, "nlp", NlpSettings)
    return Settings(
        home=home,
        brand=brand,
        store=_store(_section(file, document, "store", StoreSettings), given),
        store_secrets=_secrets(given, STORE_SECRETS),
        zone=_section(file, document, "landing", LandingSettings),
        listen=_section(file, document, "listen", ListenSettings),
        webhook=_section(file, document, "webhook", WebhookSettings),
        nlp=nlp,
        rules=_rules(file, document, brand, nlp, given, Routers(home)),
        targets=_targets(file, document.get("targets", [])),
        products=_convert(
            file, "products", document.get("products", {}), dict[str, tuple[str, ...]]
        ),
        places=_convert(file, "places", document.get("places", {}), dict[str, tuple[str, ...]]),
        incidents=_section(file, document, "incidents", IncidentRules),
        alerts=_alerts(_section(file, document, "alerts", AlertSettings), given),
        contact=_section(file, document, "contact", ContactPolicy).check(),
        templates=_templates(file, document),
        retention=_section(file, document, "retention", dict[str, float]),
        helpdesk=_helpdesk(_section(file, document, "helpdesk", HelpdeskSettings), given),
        retraining=_section(file, document, "retraining", RetrainingSettings),
        desk=_desk(_section(file, document, "desk", DeskSettings), given),
    )


def environment_with(changes: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that we start; its programs are those of this Python."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, "PATH": path, **changes}


def plain_environment() -> dict[str, str]:
    """The environment of a program that needs no secret of ours, nor of the scheduler's."""
    ours = ("OUTCRY_", "AIRFLOW")
    return {name: word for name, word in os.environ.items() if not name.startswith(ours)}


def webhook_secret() -> str | None:
    """What senders sign with."""
    return os.environ.get("OUTCRY_WEBHOOK_SECRET") or None


def kibana_key() -> str | None:
    """The API key that boards are imported with."""
    return os.environ.get("OUTCRY_KIBANA_API_KEY") or None


def with_secrets(target: Target, secrets: Mapping[str, str] | None = None) -> Target:
    """The target with its source's secrets filled in.

    ``secrets`` (by parameter name) wins over the environment: a scheduler hands in what it
    keeps itself. A target with a ``credential`` looks for ``VARIABLE_CREDENTIAL`` alone.
    """
    suffix = f"_{target.credential}" if target.credential else ""
    found = {
        param: value
        for param, variable in secrets_of(target.source).items()
        if (value := (secrets or {}).get(param) or os.environ.get(variable + suffix))
    }
    return msgspec.structs.replace(target, params={**target.params, **found}) if found else target


def _secrets(given: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Secret]:
    """Those of the named variables that are set, by the names that they have here."""
    return {name: Secret(word) for name, variable in names.items() if (word := given.get(variable))}


def _alerts(settings: AlertSettings, given: Mapping[str, str]) -> AlertSettings:
    found: dict[str, str | None] = {"smtp_user": None, "smtp_password": None}
    return msgspec.structs.replace(settings, **{**found, **_secrets(given, ALERT_SECRETS)})


def _helpdesk(settings: HelpdeskSettings, given: Mapping[str, str]) -> HelpdeskSettings:
    if settings.kind and not settings.url.startswith(("https://", "http://")):
        raise SettingsError('helpdesk.url is missing; add url = "https://…"')
    found = _secrets(given, HELPDESK_SECRETS)
    return msgspec.structs.replace(settings, token=found.get("token"))


def _desk(settings: DeskSettings, given: Mapping[str, str]) -> DeskSettings:
    empty: dict[str, str | None] = dict.fromkeys(DESK_SECRETS)
    return msgspec.structs.replace(settings, **{**empty, **_secrets(given, DESK_SECRETS)})


def _templates(file: Path, document: Mapping[str, Any]) -> Mapping[str, str]:
    own = _section(file, document, "templates", dict[str, str])
    return {**NOTICES, **{name: check_template(text) for name, text in own.items()}}


def operator_name() -> str:
    """Who sits at this computer, for the vault's log."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _store(settings: StoreSettings, given: Mapping[str, str]) -> StoreSettings:
    url = given.get("OUTCRY_ELASTICSEARCH")
    if url:
        return msgspec.structs.replace(settings, kind="elasticsearch", url=url)
    if settings.kind == "elasticsearch" and not settings.url:
        raise SettingsError('store.kind is "elasticsearch" but store.url is missing; add url = "…"')
    return settings


def _rules(
    file: Path,
    document: Mapping[str, Any],
    brand: Brand,
    nlp: NlpSettings,
    given: Mapping[str, str],
    routers: Routers,
) -> Rules:
    derived = {
        "own_accounts": brand.accounts,
        "phone_region": nlp.phone_region,
        "brand": {"name": brand.name, "about": brand.about, "not_about": brand.not_about},
        "routing": str(routers.champion or ""),
    }
    values = {**document.get("triage", {}), **derived}
    values.update({k: document[k] for k in ("departments", "customers") if k in document})
    rules = _convert(file, "triage", values, Rules).check()
    return msgspec.structs.replace(rules, **_secrets(given, RULE_SECRETS))


def _targets(file: Path, tables: Any) -> tuple[Target, ...]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise SettingsError(f"{file}: targets must be written as [[targets]] tables")
    found: dict[tuple[str, str], Target] = {}
    for table in tables:
        own = ("source", "key", "credential")
        params = {k: v for k, v in table.items() if k not in own}
        fields = {k: v for k, v in table.items() if k in own}
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
