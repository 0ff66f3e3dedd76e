"""The settings of an import, and the mapper that follows from them."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from listeners.contract import Target
from listeners.errors import BadTarget
from listeners.mention import Deletion, Mention
from listeners.sources.import_file.fields import FieldMap
from listeners.sources.import_file.presets import CANONICAL, LENIENT, PRESETS, USUAL

RowMapper = Callable[[Mapping[str, Any], datetime], Mention | Deletion]


class Options(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """The params of an import's target; `target_for` in this package makes them."""

    path: str
    sha256: str
    """Of the file as it lies there."""
    size: int
    preset: str | None = None
    """One of `PRESETS`, or ``canonical`` for JSON Lines of mentions."""
    fields: dict[str, Any] | None = None
    """A field map (`listeners.sources.import_file.fields`), instead of a preset."""
    source: str = "import"
    """The source of mentions whose row does not say."""
    timezone: str | None = None
    """Of times that have none, as in ``Europe/Berlin``."""
    encoding: str = "utf-8"
    delimiter: str | None = None
    """Of CSV; found in the header when not given."""
    format: Literal["csv", "jsonl"] | None = None
    """By the file's name, then by its first character, when not given."""

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.preset is not None and self.fields is not None:
            raise BadTarget("preset and fields exclude each other: give one of them")
        if self.preset is not None and self.preset not in (*PRESETS, CANONICAL):
            raise BadTarget(
                f"there is no preset {self.preset!r}: use one of "
                f"{', '.join((*PRESETS, CANONICAL))}, or a field map"
            )
        if not self.source:
            raise BadTarget("source is empty: name the network, as in 'helpdesk'")
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise BadTarget(f"delimiter {self.delimiter!r} is not one character, as in ';'")

    @property
    def zone(self) -> tzinfo | None:
        """The zone of times without one."""
        if self.timezone is None:
            return None
        try:
            return ZoneInfo(self.timezone)
        except (ValueError, OSError, LookupError) as error:
            raise BadTarget(
                f"timezone {self.timezone!r} is not known: name one as 'Europe/Berlin'"
            ) from error

    @property
    def codec(self) -> str:
        """The encoding's proper name."""
        try:
            codec = codecs.lookup(self.encoding).name.removesuffix("-sig")
            usable = '\n,"'.encode(codec) == b'\n,"'
        except (LookupError, UnicodeError):
            usable = False
        if not usable:
            raise BadTarget(
                f"encoding {self.encoding!r} cannot be read: "
                "save the file as UTF-8, or name one as 'cp1252'"
            )
        return codec


def options_of(target: Target) -> Options:
    """The target's params, checked.

    Raises:
        BadTarget: if they are wrong.
    """
    try:
        return msgspec.convert(target.params, Options)
    except msgspec.ValidationError as error:
        raise BadTarget(f"import target {target.key}: {error}: see the import's options") from error


def mapper_of(
    options: Options,
    listener: str,
    columns: Sequence[str] | None = None,
    *,
    lenient: bool = False,
) -> RowMapper:
    """What makes mentions of rows.

    ``columns``, where the file has a header, must hold all that the settings name; if
    ``lenient``, only those of the text and the time.

    Raises:
        BadTarget: if the settings are wrong or do not fit the columns.
    """
    if options.preset == CANONICAL:
        if columns is not None:
            raise BadTarget("the preset canonical reads JSON Lines only: give a field map for CSV")
        return lambda row, at: _canonical(row, at, listener)
    lenient = lenient or options.preset in LENIENT
    lenient = lenient or (options.preset is None and options.fields is None)
    fields = PRESETS[options.preset] if options.preset else options.fields or USUAL
    field_map = FieldMap(
        fields, source=options.source, zone=options.zone, lenient=lenient, columns=columns
    )
    return lambda row, at: field_map(row, collected_at=at, listener=listener)


def _canonical(row: Mapping[str, Any], at: datetime, listener: str) -> Mention | Deletion:
    kind: type[Mention | Deletion] = Mention
    ours: dict[str, Any] = {"collected_at": at, "listener": listener}
    if row.get("record") == "deletion":
        kind, ours = Deletion, {"seen_at": at}
    record = msgspec.convert({**row, **ours}, kind)
    if isinstance(record, Mention) and not record.text.strip():
        raise ValueError("it has no text")
    return record
