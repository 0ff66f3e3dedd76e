"""The only reader of configuration: one ``outcry.toml``, and secrets from the environment.

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
    OUTCRY_LABELLED_DATA      folder of labelled data for training and some tests
"""

from __future__ import annotations

import getpass
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.request import getproxies

import msgspec
import platformdirs

from listeners.contract import Rate, Target
from listeners.landing import Landing
from listeners.reach import Reach
from listeners.registry import secrets_of
from models.registry import folder as model_folder
from outcry.alerts import AlertSettings
from triage.causes import IncidentRules
from triage.policy import ContactPolicy
from triage.rules import Rules
from triage.store import open_store
from triage.store.base import Store
from triage.templates import NOTICES, check_template

T = TypeVar("T")


class SettingsError(Exception):
    """The settings cannot be used; one line that names the key and what to write instead."""


class Brand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose complaints these are."""

    name: str = ""
    accounts: tuple[str, ...] = ()
    """The brand's own accounts, as ``source:handle``, or ``*:handle`` for every source."""
    about: tuple[str, ...] = ()
    """Words of what the brand does, to tell it from others of its name."""
    not_about: tuple[str, ...] = ()
    """Words of others who bear the name; see `nlp.brand`."""


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
    allow_networks: tuple[str, ...] = ()
    """Networks that targets may lead to though they are not public, as ``10.0.0.0/8``."""
    rates: dict[str, dict[str, str]] = {}
    """By source: what a credential may use in a time, as ``calls = "450/15m"``."""

    def __post_init__(self) -> None:
        Reach(allow=self.allow_networks)
        for source, given in self.rates.items():
            for what, words in given.items():
                _rate(f"rates.{source}.{what}", what, words)

    def rates_of(self, source: str, otherwise: Sequence[Rate]) -> tuple[Rate, ...]:
        """A source's rates; what the settings name replaces what the source says of itself."""
        given = self.rates.get(source, {})
        own = [_rate(source, what, words) for what, words in given.items()]
        return (*own, *(rate for rate in otherwise if rate.what not in given))

    @property
    def reach(self) -> Reach:
        """Where listeners may connect to: through the proxy, if the environment names one."""
        proxies = getproxies()
        return Reach(allow=self.allow_networks, proxy=proxies.get("https") or proxies.get("http"))


class Channel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sender of posts: how its rows are read, as for an import."""

    preset: str | None = None
    fields: dict[str, Any] | None = None
    timezone: str | None = None
    source: str | None = None
    """The network that its mentions are of; the channel's name if not given."""
    max_mb_per_window: float = 64.0
    """Packed megabytes that it may bring in one window; then it is asked to come back."""


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be sent to us."""

    channels: dict[str, Channel] = {}
    max_mb: float = 8.0
    """Megabytes of one request."""


class NlpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How texts are read."""

    model: str = "baseline-en"
    phone_region: str = "US"
    """ISO 3166 code of the country whose telephone numbers have no country code."""
    cues: str | None = None
    """Path of a file of cues instead of, or added to, ``nlp/cues.toml``, in its format."""
    processes: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Processes that read a large number of texts; 0 is one a core."""


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
    known |= {"products", "places", "webhook"}
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
        webhook=_section(file, document, "webhook", WebhookSettings),
        nlp=nlp,
        rules=_rules(file, document, brand, nlp),
        targets=_targets(file, document.get("targets", [])),
        products=_convert(
            file, "products", document.get("products", {}), dict[str, tuple[str, ...]]
        ),
        places=_convert(file, "places", document.get("places", {}), dict[str, tuple[str, ...]]),
        incidents=_section(file, document, "incidents", IncidentRules),
        alerts=_alerts(_section(file, document, "alerts", AlertSettings)),
        contact=_section(file, document, "contact", ContactPolicy).check(),
        templates=_templates(file, document),
        retention=_section(file, document, "retention", dict[str, float]),
        helpdesk=_helpdesk(_section(file, document, "helpdesk", HelpdeskSettings)),
    )


def webhook_secret() -> str | None:
    """What senders sign with."""
    return os.environ.get("OUTCRY_WEBHOOK_SECRET") or None


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
    derived = {
        "own_accounts": brand.accounts,
        "phone_region": nlp.phone_region,
        "brand": {"name": brand.name, "about": brand.about, "not_about": brand.not_about},
    }
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
        own = ("source", "key", "credential")
        params = {k: v for k, v in table.items() if k not in own}
        fields = {k: v for k, v in table.items() if k in own}
        target = _convert(file, "targets", {**fields, "params": params}, Target)
        name = (target.source, target.key)
        if name in found:
            raise SettingsError(f"{file}: two targets are called {name[0]}/{name[1]}; rename one")
        found[name] = target
    return tuple(found.values())


_SECONDS = {"s": 1, "m": 60, "h": 3600}


def _rate(name: str, what: str, words: str) -> Rate:
    """The rate that is written ``100/60s``, ``450/15m``, ``10000/day`` or ``50/month``."""
    amount, _, per = words.partition("/")
    try:
        if per in ("day", "month"):
            return Rate(amount=float(amount), per=per, what=what)  # type: ignore[arg-type]
        seconds = float(per[:-1]) * _SECONDS[per[-1:]]
        if seconds > 0 and float(amount) > 0:
            return Rate(amount=float(amount), per=seconds, what=what)
    except (ValueError, KeyError):
        pass
    raise ValueError(f"{name} {words!r} is no rate: write it like 450/15m, 10000/day or 50/month")


def _section(file: Path, document: Mapping[str, Any], name: str, kind: type[T]) -> T:
    return _convert(file, name, document.get(name, {}), kind)


def _convert(file: Path, section: str, values: Any, kind: type[T]) -> T:
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{file}: [{section}] {error}; correct it") from None
