"""A streamed answer cut into whole rows and counted: what is not whole never gets into a file."""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from queue import Full, Queue
from threading import Event, Thread

from audit_exporter.clickhouse import broken_off
from audit_exporter.errors import QueryFailed

_WAIT_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole rows."""

    data: bytes
    rows: int

    def split(self, rows: int, end: bytes) -> tuple["Block", "Block"]:
        """The first so many rows, and the rest."""
        at = 0
        for _ in range(rows):
            at = self.data.index(end, at) + len(end)
        return Block(self.data[:at], rows), Block(self.data[at:], self.rows - rows)


def whole_rows(pieces: Iterable[bytes], end: bytes) -> Iterator[Block]:
    """Cut pieces where a row ends.

    Args:
        pieces: an answer as it comes.
        end: ends each row and occurs nowhere else.

    Raises:
        QueryFailed: the answer ends in the middle of a row; with ClickHouse's reason where it gave one.
    """
    rest = b""
    for piece in pieces:
        data = rest + piece
        cut = data.rfind(end) + len(end)
        if cut < len(end):
            rest = data
            continue
        rest = data[cut:]
        whole = data[:cut]
        yield Block(whole, whole.count(end))
    if rest:
        raise broken_off(rest) or QueryFailed("ClickHouse's answer ended in the middle of a row")


def ahead(blocks: Iterable[Block], depth: int = 8) -> Generator[Block, None, None]:
    """Read blocks in a thread of its own, a few in advance, so that rendering and deflating overlap.

    Closing the iterator ends the thread; what the thread raises is raised here.
    """
    queue: Queue[Block | BaseException | None] = Queue(depth)
    left = Event()
    thread = Thread(target=_fetch, args=(blocks, queue, left), name="reading", daemon=True)
    thread.start()
    try:
        while (item := queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        left.set()
        thread.join()


def _fetch(blocks: Iterable[Block], queue: "Queue[Block | BaseException | None]", left: Event) -> None:
    try:
        for block in blocks:
            if not _put(queue, block, left):
                return
        _put(queue, None, left)
    except BaseException as error:  # noqa: BLE001 - handed to the thread that reads
        _put(queue, error, left)


def _put(
    queue: "Queue[Block | BaseException | None]", item: Block | BaseException | None, left: Event
) -> bool:
    while not left.is_set():
        try:
            queue.put(item, timeout=_WAIT_SECONDS)
            return True
        except Full:
            continue
    return False
