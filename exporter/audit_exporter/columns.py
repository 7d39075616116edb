"""What the log shows of an event: one definition for the terminal and for the files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from audit_exporter.parameters import Value
from audit_schemas.catalogue import Catalogue
from audit_schemas.errors import Invalid

Kind = Literal["text", "moment"]

_MODULES = "module_keys"
_TITLES = "module_titles"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the log."""

    name: str
    """What `--columns` calls it."""
    heading: str
    sql: str
    """An expression over the view audit_log: a String, or a point in time (or null) for a moment."""
    kind: Kind = "text"
    width: int = 20
    """Characters, in a workbook."""
    parameters: Mapping[str, Value] = field(default_factory=dict, hash=False)
    """The values that the expression's placeholders stand for."""

    def title(self, zone: str) -> str:
        """The heading; a moment's names the zone that it is shown in."""
        return f"{self.heading} ({zone})" if self.kind == "moment" else self.heading


def _first(*columns: str) -> str:
    """The first that is not empty, or the last."""
    *some, last = columns
    pairs = ", ".join(f"{column} != '', {column}" for column in some)
    return f"multiIf({pairs}, {last})"


_BEHIND = _first("on_behalf_of_name", "on_behalf_of_email", "on_behalf_of_id")
_PLACE = "if(place != '', concat(ip, ' (', place, ')'), ip)"

ACCOUNT = Column("account", "Account", "account_id")
WHEN = Column("when", "When", "occurred_at", "moment", 21)
WHERE = Column("where", "Where", _first(f"if(ip != '', {_PLACE}, '')", "place", "address", "via"), width=38)
ACTOR = Column(
    "actor",
    "Actor",
    f"concat({_first('actor_name', 'actor_email', 'actor_id', 'actor_type')}, "
    f"if({_BEHIND} != '', concat(' for ', {_BEHIND}), ''))",
    width=28,
)
ACTION_TYPE = Column(
    "action_type",
    "Action Type",
    "if(outcome = 'failure', concat(action_type, ' (failed)'), action_type)",
    width=16,
)
"""create, update, delete, login, logout, export, view or a service's own; what failed says so."""
# A contact's sentences are those of its own page, and do not say whose they are.
_CONTACT = _first("target_name", "target_id")
ACTION = Column(
    "action",
    "Action",
    f"if(target_type = 'contact' AND position(description, {_CONTACT}) = 0, "
    f"concat({_CONTACT}, ': ', description), description)",
    width=90,
)


def target(catalogue: Catalogue) -> Column:
    """The module's title."""
    named = {**catalogue.modules, **catalogue.fallback}
    return Column(
        "target",
        "Target",
        f"transform(module, {{{_MODULES}:Array(String)}}, {{{_TITLES}:Array(String)}}, module)",
        width=22,
        parameters={_MODULES: list(named), _TITLES: list(named.values())},
    )


def log_columns(catalogue: Catalogue) -> tuple[Column, ...]:
    """The columns of the log, in the order in which people read them."""
    return (WHEN, WHERE, ACTOR, ACTION_TYPE, target(catalogue), ACTION)


def shown(accounts: Sequence[str], catalogue: Catalogue) -> tuple[Column, ...]:
    """The log's columns; with several accounts the first says which."""
    columns = log_columns(catalogue)
    return columns if len(accounts) == 1 else (ACCOUNT, *columns)


def values(columns: Iterable[Column]) -> dict[str, Value]:
    """The values of all their placeholders."""
    return {name: value for column in columns for name, value in column.parameters.items()}


def stored(name: str, type_: str) -> Column:
    """A column of the view audit_log as it is stored, by its name and its ClickHouse type."""
    heading = name.replace("_", " ").capitalize()
    if "DateTime" in type_:
        return Column(name, heading, name, "moment", 21)
    if type_.startswith(("Array", "Tuple", "Map")):
        return Column(name, heading, f"toJSONString({name})", width=40)
    return Column(name, heading, name if type_ == "String" else f"toString({name})")


def choose(names: Iterable[str], types: Mapping[str, str], catalogue: Catalogue) -> tuple[Column, ...]:
    """The columns of these names: those of the log first of all, then those of the view.

    Args:
        names: what was asked for, in the order of the file.
        types: the view's columns with their ClickHouse types.
        catalogue: has the modules' titles.

    Raises:
        Invalid: when there is no such column; lists those that there are.
    """
    known = {name: stored(name, type_) for name, type_ in types.items()}
    known |= {column.name: column for column in (ACCOUNT, *log_columns(catalogue))}
    found = []
    for name in names:
        if name not in known:
            raise Invalid(f"{name!r} is no column", remedy=f"there are {', '.join(sorted(known))}")
        found.append(known[name])
    return tuple(found)
