"""Whether the topics and the brokers keep what is acknowledged, in its order and with its time."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from audit_schemas.topics import SAME_PARTITIONS, TOPICS, Topic
from audit_sinks.doctor.facts import Facts, TopicFacts
from audit_sinks.doctor.finding import Finding, duration

_APPLY = "run `audit topics apply`"


def topics_exist(facts: Facts) -> Finding:
    """All of them."""
    missing = [f"{name} does not exist" for name in TOPICS if name not in facts.kafka.topics]
    return Finding.broken_if("topics", missing, remedy=_APPLY, otherwise=f"all {len(TOPICS)} exist")


def append_time(facts: Facts) -> Finding:
    """A window is the window of the broker's time, and no producer's clock may delete history."""
    wrong = list(_differences(facts, "message.timestamp.type"))
    return Finding.broken_if(
        "append time", wrong, remedy=_APPLY, otherwise="records carry the broker's time of append"
    )


def cleanup_policy(facts: Facts) -> Finding:
    """Compaction would drop all events of a key but one; deletion would forget the directory."""
    wrong = list(_differences(facts, "cleanup.policy"))
    return Finding.broken_if(
        "cleanup policy", wrong, remedy=_APPLY, otherwise="events are kept by age, the directory by key"
    )


def leader_election(facts: Facts) -> Finding:
    """An unclean leader has not got what its forerunner acknowledged."""
    wrong = list(_differences(facts, "unclean.leader.election.enable"))
    return Finding.broken_if(
        "leader election", wrong, remedy=_APPLY, otherwise="a replica that lags behind never leads"
    )


def record_sizes(facts: Facts) -> Finding:
    """What fits into one topic fits, enriched, into the next."""
    check, setting = "record sizes", "max.message.bytes"
    if small := list(_differences(facts, setting, lambda found, wanted: int(found) >= int(wanted))):
        return Finding.broken(check, "; ".join(small), _APPLY)
    if large := list(_differences(facts, setting)):
        text = f"what is larger than the next topic takes becomes a dead letter: {'; '.join(large)}"
        return Finding.warning(check, text, _APPLY)
    return Finding.ok(check, "what fits into one topic fits into the next")


def retention(facts: Facts) -> Finding:
    """The longest outage that loses nothing."""
    wrong = [
        f"{topic.name} keeps records for {duration(found.retention)}, not {duration(topic.retention)}"
        for topic, found in _known(facts)
        if topic.retention and found.retention is not None and found.retention < topic.retention
    ]
    wrong += _differences(facts, "retention.bytes", lambda found, _: found == "-1")
    return Finding.broken_if("retention", wrong, remedy=_APPLY, otherwise="records are kept long enough")


def partition_counts(facts: Facts) -> Finding:
    """A record keeps its partition from topic to topic."""
    counts = {name: found.partitions for name, found in facts.kafka.topics.items() if name in _SAME}
    differ = len(set(counts.values())) > 1
    return Finding.broken_if(
        "partitions",
        [f"{name} has {count}" for name, count in counts.items() if differ],
        remedy=f"delete those without records and {_APPLY}",
        otherwise="topics between which records keep their partition have equally many",
    )


def replication(facts: Facts) -> Finding:
    """What is acknowledged shall lie on two disks."""
    check, topics = "replication", facts.kafka.topics
    text = "what is acknowledged survives the death of a process, not of a disk"
    if thin := [name for name, found in topics.items() if _insync(found) < 2 <= found.replication]:
        return Finding.broken(check, f"{text}: min.insync.replicas is 1 for {', '.join(thin)}", _APPLY)
    if [name for name, found in topics.items() if found.replication == 1]:
        remedy = (
            "in production run three brokers, and make the topics by `audit topics apply --replication 3`"
        )
        return Finding.warning(check, f"{text}: there is one replica", remedy)
    if rigid := [name for name, found in topics.items() if _insync(found) >= found.replication]:
        return Finding.warning(
            check, f"nothing can be written while one broker is away: {', '.join(rigid)}", _APPLY
        )
    return Finding.ok(check, "what is acknowledged lies on two brokers at least")


def offsets_retention(facts: Facts) -> Finding:
    """A group whose offsets are forgotten begins at the first record that is left, and nobody is told."""
    longest = max(
        (found.retention for found in facts.kafka.topics.values() if found.retention), default=timedelta(0)
    )
    wrong = [
        f"broker {broker} forgets an idle group's offsets after {duration(kept)}, "
        f"but records stay for {duration(longest)}: after that nobody is told what was lost"
        for broker, config in facts.kafka.brokers.items()
        if (kept := timedelta(minutes=int(config["offsets.retention.minutes"]))) < longest
    ]
    return Finding.broken_if(
        "offsets retention",
        wrong,
        remedy="set offsets.retention.minutes of the brokers to "
        f"{int(longest.total_seconds() // 60)} or more (server.properties, then restart)",
        otherwise="offsets are kept as long as records",
    )


def topic_creation(facts: Facts) -> Finding:
    """A topic that a typing error made has the brokers' settings, not ours."""
    check, setting = "topic creation", "auto.create.topics.enable"
    if lax := [broker for broker, config in facts.kafka.brokers.items() if config[setting] == "true"]:
        text = f"a misspelt topic is made in silence, with the defaults of broker {', '.join(lax)}"
        return Finding.warning(check, text, f"set {setting}=false (server.properties, then restart)")
    return Finding.ok(check, "topics are declared, never made by a typing error")


_SAME = frozenset(topic.name for topic in SAME_PARTITIONS)


def _insync(found: TopicFacts) -> int:
    return int(found.config["min.insync.replicas"])


def _known(facts: Facts) -> Iterator[tuple[Topic, TopicFacts]]:
    for name, found in facts.kafka.topics.items():
        yield TOPICS[name], found


def _differences(facts: Facts, setting: str, fits: Callable[[str, str], bool] = str.__eq__) -> Iterator[str]:
    """Where a topic that is to have the setting has a value that does not fit."""
    for topic, found in _known(facts):
        wanted = topic.config().get(setting)
        if wanted is not None and not fits(found.config[setting], wanted):
            yield f"{topic.name} has {setting} {found.config[setting]}, not {wanted}"
