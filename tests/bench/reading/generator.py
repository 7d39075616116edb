"""A helpdesk's log of three years, made by ClickHouse from the numbers of its rows: the same in every run.

`log.sql` says how; what it is like:
- 1,000 accounts: the largest has 30 % of the events, the others' shares fall with their rank, to 0.01 %.
- Events come in the order of their times; one in a thousand was held back by its client for up to three days,
  and one in a thousand comes twice, as after an acknowledgement that was lost.
- Modules, target types, fields and labels are the catalogue's; a quarter of the events are contacts'.
- Words come from a vocabulary of 10,000 by Zipf's law, in sentences, names and values. Of the values 40 % are
  a word, 25 % a number, 20 % a telephone number, 15 % a phrase of four words.
- An account has 5 to 2,000 agents, some far busier than others, each with three addresses and a client, a
  session for every eight hours, and a request for each action; a third of the actions are two events.
- A target's share of the changes falls with the root of its rank: a few have thousands, most have some.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from string import Template

from audit_schemas.catalogue import catalogue

BEGIN = datetime(2023, 7, 1, tzinfo=UTC)
END = datetime(2026, 7, 1, tzinfo=UTC)
CONTACTS = "number % 4 = 0"
"""Which rows are changes of contacts."""
REPEATED = "number % 1000 = 0"
"""Which rows come a second time, a minute later."""
_FREQUENT = ("contacts", "login_and_logout", "smart_rules", "agents", "agent_availability")
_FIELDS_OF_A_MODULE = 24
_SYLLABLES = [
    begin + end
    for begin in ("b", "dr", "f", "k", "l", "m", "p", "s", "t", "w")
    for end in ("an", "er", "il", "om", "us", "ax", "et", "in", "or", "ut")
]
_SQL = Template((Path(__file__).parent / "log.sql").read_text())


def account(rank: int) -> str:
    """The account of this rank; 0 is the largest, 999 the smallest."""
    return f"account-{rank:03}"


def word(rank: int) -> str:
    """The word of this rank in the vocabulary: 0 is the most frequent one, 9,999 the rarest."""
    return _SYLLABLES[rank % 100] + _SYLLABLES[rank // 100]


def rows(count: int, first: int, end: int, *, where: str = "1") -> str:
    """The SELECT of some rows of a log.

    Args:
        count: how many rows the log has, over its three years.
        first: the number of the first row, from 0.
        end: the number behind the last one.
        where: a condition on `number`.
    """
    microseconds = (END - BEGIN) // timedelta(microseconds=1)
    return _SQL.substitute(
        _literals(),
        count=count,
        first=first,
        end=end,
        rows=end - first,
        where=where,
        step=microseconds / count,
        begin=f"{BEGIN:%F %T}",
        version=catalogue().version,
    )


@cache
def _literals() -> Mapping[str, str]:
    """The catalogue's words: all modules' fields one after the other, and where each module's begin."""
    known = catalogue()
    modules = [*_FREQUENT, *(key for key in known.modules if key not in _FREQUENT)]
    begins, fields = [0], []
    for module in modules:
        of_module = [
            (type_, name, field.label)
            for type_, target in known.targets.items()
            if target.module == module and (module != "contacts" or type_ == "contact")
            for name, field in target.fields.items()
        ]
        fields += (of_module or [("agent", "status", "Status")])[:_FIELDS_OF_A_MODULE]
        begins.append(len(fields))
    types, names, labels = map(list, zip(*fields, strict=True))
    lists = {"modules": modules, "types": types, "names": names, "labels": labels, "syllables": _SYLLABLES}
    return {"begins": str(begins), **{name: _literal(words) for name, words in lists.items()}}


def _literal(words: list[str]) -> str:
    quoted = (word.replace("\\", "\\\\").replace("'", "\\'") for word in words)
    return "[" + ", ".join(f"'{word}'" for word in quoted) + "]"
