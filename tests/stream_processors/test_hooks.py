"""Every private part of Faust and aiokafka that the transport overrides or calls, as it must be.

Both are pinned. When a pin moves, what fails here is to be read again beside the transport.
"""

import inspect
from importlib.metadata import version
from typing import Any

import aiokafka
import pytest
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.subscription_state import Assignment, SubscriptionState, TopicPartitionState
from faust.transport import consumer as faust_consumer
from faust.transport.drivers import aiokafka as driver

from audit_stream_processors import transport

HOOKS = [
    (faust_consumer.Consumer, "_add_gap", "self, tp, offset_from, offset_to"),
    (faust_consumer.Consumer, "_new_offset", "self, tp"),
    (faust_consumer.Consumer, "_filter_tps_with_pending_acks", "self, topics"),
    (faust_consumer.Consumer, "_filter_committable_offsets", "self, tps"),
    (faust_consumer.Consumer, "on_buffer_full", "self, tp"),
    (faust_consumer.Consumer, "on_buffer_drop", "self, tp"),
    (faust_consumer.Consumer, "perform_seek", "self"),
    (faust_consumer.Consumer, "on_partitions_revoked", "self, revoked"),
    (faust_consumer.Consumer, "on_task_error", "self, exc"),
    (faust_consumer.ThreadDelegateConsumer, "_getmany", "self, active_partitions, timeout"),
    (driver.Consumer, "verify_event_path", "self, now, tp"),
    (driver.Consumer, "_to_message", "self, tp, record"),
    (driver.Consumer, "_new_consumer_thread", "self"),
    (driver.AIOKafkaConsumerThread, "__post_init__", "self"),
    (driver.AIOKafkaConsumerThread, "seek_to_committed", "self"),
    (
        driver.AIOKafkaConsumerThread,
        "_fetch_records",
        "self, consumer, active_partitions, timeout, max_records",
    ),
    (driver.AIOKafkaConsumerThread, "_ensure_consumer", "self"),
    (driver.AIOKafkaConsumerThread, "call_thread", "self, fun, args, kwargs"),
    (aiokafka.AIOKafkaConsumer, "committed", "self, partition"),
    (aiokafka.AIOKafkaConsumer, "seek", "self, partition, offset"),
    (aiokafka.AIOKafkaConsumer, "seek_to_beginning", "self, partitions"),
    (Fetcher, "fetched_records", "self, partitions, timeout, max_records"),
    (Assignment, "state_value", "self, tp"),
]


@pytest.mark.parametrize(
    ("owner", "name", "parameters"), HOOKS, ids=lambda value: getattr(value, "__name__", None)
)
def test_a_private_hook_is_as_the_transport_expects_it(owner: Any, name: str, parameters: str) -> None:
    hook = getattr(owner, name, None)
    assert hook is not None, (
        f"{owner.__name__}.{name} is gone: read transport.py again beside the new version"
    )
    found = ", ".join(inspect.signature(hook).parameters)
    assert parameters == found, f"{owner.__name__}.{name} has changed: read transport.py again beside it"


def test_the_states_that_the_transport_reads_are_there() -> None:
    assert isinstance(inspect.getattr_static(SubscriptionState, "subscription"), property)
    assert isinstance(inspect.getattr_static(TopicPartitionState, "position"), property)
    assert isinstance(inspect.getattr_static(Assignment, "tps"), property)


def test_the_stock_consumer_still_reads_what_the_transport_clears() -> None:
    source = inspect.getsource(faust_consumer.Consumer.ack)
    assert "_acked[tp]" in source
    assert "_acked_index[tp]" in source


def test_the_versions_are_those_that_were_read() -> None:
    assert (version("faust-streaming"), version("aiokafka")) == ("0.15.3", "0.14.0")


def test_the_transport_is_found_by_the_scheme_of_its_url() -> None:
    from faust.transport import by_url  # noqa: PLC0415 - reads the entry points when it is imported

    assert transport.Transport is by_url(f"{transport.SCHEME}://127.0.0.1:9092")
