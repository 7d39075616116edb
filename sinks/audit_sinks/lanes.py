"""Inserting several blocks side by side: ClickHouse parses a block with one core, so two lanes use two."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future

from audit_sinks.batches import Batch, Place

Blocks = Mapping[Place, Batch]
Insert = Callable[[Place, Batch], None]
"""Inserts a block; used by one lane only."""


def nothing() -> "Future[None]":
    """What is done already."""
    future = Future[None]()
    future.set_result(None)
    return future


def dealt(blocks: Blocks, lanes: int) -> list[list[tuple[Place, Batch]]]:
    """Share blocks out, so that the lanes have about as many rows each; none is empty."""
    hands: list[list[tuple[Place, Batch]]] = [[] for _ in range(lanes)]
    for place, batch in sorted(blocks.items(), key=lambda block: -len(block[1].rows)):
        min(hands, key=_rows).append((place, batch))
    return [hand for hand in hands if hand]


def _rows(hand: Iterable[tuple[Place, Batch]]) -> int:
    return sum(len(batch.rows) for _, batch in hand)


def insert_all(blocks: Blocks, lanes: Sequence[Insert]) -> "Future[None]":
    """Begin to insert blocks.

    Returns:
        Done when all of them are inserted, or with the first lane's error when every lane has ended.
    """
    hands = dealt(blocks, len(lanes))
    whole, ends = Future[None](), [Future[None]() for _ in hands]
    for hand, insert, end in zip(hands, lanes, ends, strict=False):
        end.add_done_callback(lambda _: _settle(whole, ends))
        # A daemon: it may wait for ClickHouse for hours, and must not keep the process.
        threading.Thread(target=_run, args=(hand, insert, end), name="inserting", daemon=True).start()
    return whole if hands else nothing()


_settling = threading.Lock()


def _settle(whole: "Future[None]", ends: Sequence["Future[None]"]) -> None:
    with _settling:
        if whole.done() or not all(end.done() for end in ends):
            return
        error = next((found for end in ends if (found := end.exception())), None)
        if error is None:
            whole.set_result(None)
        else:
            whole.set_exception(error)


def _run(hand: Iterable[tuple[Place, Batch]], insert: Insert, end: "Future[None]") -> None:
    try:
        for place, batch in hand:
            insert(place, batch)
    except BaseException as error:  # noqa: BLE001 - it is raised again by whoever waits
        end.set_exception(error)
    else:
        end.set_result(None)
