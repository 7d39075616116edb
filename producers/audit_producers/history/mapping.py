"""What a mapping file says: for each part of an event, where in a record it comes from."""

import hashlib
from collections.abc import Mapping as MappingOf
from datetime import tzinfo
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from audit_producers.history.formats import Format
from audit_schemas.errors import Misconfigured
from audit_schemas.toml_files import TomlFile
from audit_schemas.types import Key

READY = ("django-auditlog", "paper-trail")
"""The mappings that come with Auditlane."""
_REMEDY = "audit import --print-mapping django-auditlog shows one that works"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Paths = Annotated[tuple[Key, ...], BeforeValidator(_as_list), Field(min_length=1)]
"""Columns, or paths with dots; the first that is there counts."""


class Source(_Part):
    """Where one text comes from: a column or path for short, or a table of these keys."""

    from_: Paths | None = Field(default=None, alias="from")
    value: str | None = None
    """A constant."""
    template: str | None = None
    """A text with paths in braces; nothing where one of them is not there."""
    values: MappingOf[str, str] | None = None
    """What stands there -> what it means; any other text is refused, unless `otherwise` says more."""
    otherwise: str | None = None
    """What all other texts mean; {} in it is the text itself."""
    spelling: Literal["snake"] | None = None
    """SmartRule and Smart::Rule become smart_rule."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> "Source":
        if sum(it is not None for it in (self.from_, self.value, self.template)) != 1:
            raise ValueError("needs one of `from`, `value` and `template`")
        if self.otherwise is not None and self.values is None:
            raise ValueError("`otherwise` needs `values`")
        if self.template is not None:
            list(Formatter().parse(self.template))  # raises ValueError where a brace is open
        return self


def _spelled_out(value: Any) -> Any:
    return {"from": value} if isinstance(value, str | list) else value


From = Annotated[Source, BeforeValidator(_spelled_out)]


class PrincipalSources(_Part):
    """Somebody; nobody where neither id, name nor e-mail address is there."""

    type: From | None = None
    id: From | None = None
    name: From | None = None
    email: From | None = None


class ActorSources(PrincipalSources):
    """Who did it."""

    on_behalf_of: PrincipalSources | None = None


class TargetSources(_Part):
    """What it was done to."""

    type: From
    id: From
    name: From | None = None
    url: From | None = None


class OriginSources(_Part):
    """From where."""

    address: From | None = None
    ip: From | None = None
    ip_trust: From | None = None
    forwarded_for: From | None = None
    user_agent: From | None = None
    session: From | None = None
    request_id: From | None = None
    via: From | None = None
    batch: From | None = None


class Keys(_Part):
    """The keys, or columns, of one change."""

    field: Key = "field"
    label: Key = "label"
    old: Key = "old"
    new: Key = "new"


class ChangesSource(_Part):
    """What changed."""

    from_: Paths | None = Field(default=None, alias="from")
    """An object of field -> [old, new], or a list of objects; as JSON, or as YAML as Rails writes it."""
    each: Keys | None = None
    """The keys of a list's objects; without `from` the columns of the record, which then is one change."""
    before: Paths | None = None
    """An object of the values before a delete, for records that say nothing else."""
    null: str | None = None
    """A text that stands for null."""
    leave_out: frozenset[str] = frozenset()
    """Fields that say nothing: updated_at."""

    @model_validator(mode="after")
    def _says_something(self) -> "ChangesSource":
        if self.from_ is None and self.each is None:
            raise ValueError("needs `from`, `each`, or both")
        return self


class EventSources(_Part):
    """The parts of an event."""

    account: From | None = None
    """Left out where the command's --account says it."""
    occurred_at: From
    action: From
    target: TargetSources
    actor: ActorSources | None = None
    outcome: From | None = None
    outcome_reason: From | None = None
    related: tuple[TargetSources, ...] = ()
    changes: ChangesSource | None = None
    origin: OriginSources | None = None
    module: From | None = None
    reason: From | None = None
    metadata: MappingOf[str, From] = {}
    """JSON stays JSON."""
    id: From | None = None
    """A UUID that the record has."""
    idempotency_key: From | None = None
    """What names the record within its source: its primary key."""


def _known_zone(name: str | None) -> str | None:
    try:
        return name if name is None else ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; they are named like Europe/Berlin") from None


class Times(_Part):
    """How times are written."""

    format: str = "iso"
    """iso, unix, unix-ms, unix-us, or as strptime has it."""
    zone: Annotated[str | None, AfterValidator(_known_zone)] = None
    """Of times that name none."""

    @property
    def tzinfo(self) -> tzinfo | None:
        """The zone."""
        return ZoneInfo(self.zone) if self.zone else None


class Csv(_Part):
    """How CSV is written, where it is not as usual."""

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"


class Mapping(_Part):
    """A mapping file."""

    source: Key
    """The system that the records come from: keys name a record within it."""
    format: Format | None = None
    """Left out: as the file's name and first letter say."""
    time: Times = Times()
    csv: Csv = Csv()
    event: EventSources


def read_mapping(name: str) -> Mapping:
    """Read a mapping file, or one of the ready ones by its name.

    Raises:
        Misconfigured: naming file, line and key of each thing that is wrong.
    """
    if name in READY:
        return TomlFile.of(ready_text(name).encode(), f"{name}.toml", _REMEDY).read_as(Mapping)
    path = Path(name)
    if not path.exists():
        raise Misconfigured(
            f"there is no mapping {name!r}", remedy=f"name a TOML file, or one of {', '.join(READY)}"
        )
    return TomlFile.read(path, _REMEDY).read_as(Mapping)


@cache
def ready_text(name: str) -> str:
    """The text of a ready mapping."""
    return files("audit_producers.history").joinpath(f"mappings/{name}.toml").read_text("utf-8")


def digest_of(mapping: Mapping | None) -> str:
    """What tells two mappings apart, whatever their comments and spelling."""
    return hashlib.sha256(mapping.model_dump_json().encode() if mapping else b"").hexdigest()[:16]
