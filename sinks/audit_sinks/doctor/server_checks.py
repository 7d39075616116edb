"""Whether ClickHouse drops repeats and keeps what it confirmed, and whether the clocks agree."""

from datetime import timedelta

from audit_sinks.doctor.facts import Facts, TableFacts
from audit_sinks.doctor.finding import Finding, duration

_TESTED = (26, 3)
_CLOCKS_DIFFER = timedelta(seconds=5)
_LITTLE_SPACE = 0.1
_YEARS = 8
"""Of history in one insert, each a partition of the table."""
_REASSIGNMENT_INSERTS = 300
"""Inserts of one partition while the group is in motion: five minutes, one a second."""
_REASSIGNMENT = timedelta(minutes=5)
_BY_AGE = "replicated_deduplication_window_seconds"


def version(facts: Facts) -> Finding:
    """The oldest that the tests run on."""
    check, found = "ClickHouse", facts.clickhouse.version
    if tuple(map(int, found.split(".")[:2])) < _TESTED:
        tested = ".".join(map(str, _TESTED))
        return Finding.warning(check, f"{found} is older than any that is tested", f"run {tested} or newer")
    return Finding.ok(check, f"version {found}")


def migrations(facts: Facts) -> Finding:
    """The tables are those that the sink fills."""
    check = "migrations"
    if changed := facts.clickhouse.changed_migration:
        return Finding.broken(
            check, changed, "restore the file; a change of the tables is a migration of its own"
        )
    wrong = [f"{name} is pending" for name in facts.clickhouse.pending_migrations]
    return Finding.broken_if(check, wrong, remedy="run `audit migrate up`", otherwise="all are applied")


def deduplication(facts: Facts) -> Finding:
    """A block that is inserted again is known by its token, as long as the table remembers it.

    A token counts once for each part that its insert made. So a table needs
    Kafka's partitions x the table's partitions x the inserts during the longest reassignment.
    """
    check = "deduplication"
    short = {
        name: (found, needed)
        for name, table in facts.clickhouse.tables.items()
        if (found := int(table.settings[_window(table)])) < (needed := _tokens(facts, table))
    }
    if not short:
        return _remembered_long_enough(facts, check)
    remedy = "; ".join(
        f"ALTER TABLE {name} MODIFY SETTING {_window(facts.clickhouse.tables[name])} = {needed}"
        for name, (_, needed) in short.items()
    )
    if none := [name for name, (found, _) in short.items() if found == 0]:
        return Finding.broken(check, f"an insert that is repeated doubles rows of {', '.join(none)}", remedy)
    text = "a repeat can be older than the tokens that a table remembers, and stays until rows merge: "
    return Finding.warning(check, text + ", ".join(short), remedy)


def _remembered_long_enough(facts: Facts, check: str) -> Finding:
    """Enough tokens for the rule of thumb; for the present rate too, and on replicas for an outage?"""
    tables = facts.clickhouse.tables
    lasting = {
        name: timedelta(minutes=int(table.settings[_window(table)]) / table.inserts_a_minute)
        for name, table in tables.items()
        if table.inserts_a_minute
    }
    if busy := {name: kept for name, kept in lasting.items() if kept < _REASSIGNMENT}:
        text = ", ".join(f"{name} remembers {duration(kept)}" for name, kept in busy.items())
        remedy = "; ".join(
            f"ALTER TABLE {name} MODIFY SETTING {_window(tables[name])} = "
            f"{int(tables[name].inserts_a_minute * 10)}"
            for name in busy
        )
        return Finding.warning(check, f"at the present rate of inserts {text} of tokens", remedy)
    longest = _longest_outage(facts)
    if timed := [
        name
        for name, table in tables.items()
        if table.replicated and timedelta(seconds=int(table.settings[_BY_AGE])) < longest
    ]:
        text = f"a block that was in hand at an outage's begin is inserted twice after it: {', '.join(timed)}"
        remedy = "; ".join(
            f"ALTER TABLE {name} MODIFY SETTING {_BY_AGE} = {int(longest.total_seconds())}" for name in timed
        )
        return Finding.warning(check, text, remedy)
    said = "tables remember the tokens of the longest reassignment"
    shortest = min(lasting.values(), default=None)
    return Finding.ok(check, said + (f", at the present rate for {duration(shortest)}" if shortest else ""))


def durability(facts: Facts) -> Finding:
    """What ClickHouse confirms is on the disk, since its offset passes then."""
    check = "durability"
    loose = {
        name: off
        for name, table in facts.clickhouse.tables.items()
        if (off := [setting for setting in _FSYNC if table.settings[setting] in ("0", "false")])
    }
    if not loose:
        return Finding.ok(check, "an insert is on the disk before it is confirmed")
    text = f"a power cut can take confirmed rows of {', '.join(loose)}"
    remedy = "; ".join(
        f"ALTER TABLE {name} MODIFY SETTING {', '.join(f'{setting} = 1' for setting in off)}"
        for name, off in loose.items()
    )
    if all(facts.clickhouse.tables[name].replicated for name in loose):
        return Finding.warning(
            check, f"{text} that no other replica has", f"{remedy}; or set insert_quorum = 2"
        )
    return Finding.broken(check, text, remedy)


def disk_space(facts: Facts) -> Finding:
    """A full disk stops the sink; nothing is lost while Kafka keeps it."""
    check = "disk space"
    short = [
        f"{disk.name} has {disk.free / disk.total:.0%} left"
        for disk in facts.clickhouse.disks
        if disk.total and disk.free < _LITTLE_SPACE * disk.total
    ]
    if short:
        return Finding.warning(check, "; ".join(short), "add space before the sink has to wait")
    return Finding.ok(check, f"ClickHouse's disks have at least {_LITTLE_SPACE:.0%} left")


def clocks(facts: Facts) -> Finding:
    """The brokers' clocks say which window a change is in, ClickHouse's what is overdue."""
    check, remedy = "clocks", "let NTP keep the clocks of"
    newest, skew = facts.kafka.newest_append, abs(facts.clickhouse.ahead)
    if newest and newest - facts.now > _CLOCKS_DIFFER:
        text = f"the newest change was appended {duration(newest - facts.now)} in the future"
        return Finding.broken(check, text, f"{remedy} the brokers and of this machine: windows close by it")
    if skew > _CLOCKS_DIFFER:
        text = f"ClickHouse's clock and this machine's differ by {duration(skew)}"
        return Finding.warning(
            check, text, f"{remedy} ClickHouse and of this machine: what is overdue is told by it"
        )
    return Finding.ok(check, f"nothing differs by more than {duration(_CLOCKS_DIFFER)}")


_FSYNC = ("fsync_after_insert", "fsync_part_directory")


def _longest_outage(facts: Facts) -> timedelta:
    """As long as Kafka keeps what the tables are filled from."""
    topics = [facts.kafka.topics.get(table.topic) for table in facts.clickhouse.tables.values()]
    return max((topic.retention for topic in topics if topic and topic.retention), default=timedelta(0))


def _window(table: TableFacts) -> str:
    return f"{'' if table.replicated else 'non_'}replicated_deduplication_window"


def _tokens(facts: Facts, table: TableFacts) -> int:
    topic = facts.kafka.topics.get(table.topic)
    spread = 1 if table.partitions is None else max(_YEARS, table.partitions)
    return (topic.partitions if topic else 1) * spread * _REASSIGNMENT_INSERTS
