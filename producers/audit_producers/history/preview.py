"""What an import would do: counts, the first events, and what would be rejected and why."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from audit_schemas.event import Event
from audit_schemas.wording.module import Decide

_FIRST = 3
_VARYING = re.compile(r"'[^']*'|\"[^\"]*\"|\d[\d:.,T+-]*")


class Preview:
    """Counts events and faults.

    Args:
        module_of: decides an event's module, as the processor will.
    """

    def __init__(self, module_of: Decide) -> None:
        self.read = 0
        self.rejected = 0
        self.first: list[Any] = []
        self._module_of = module_of
        self._accounts: Counter[str] = Counter()
        self._years: Counter[str] = Counter()
        self._actions: Counter[tuple[str, str, str]] = Counter()
        self._reasons: Counter[str] = Counter()
        self._examples: dict[str, tuple[int, str]] = {}

    def good(self, event: Event, body: bytes) -> None:
        """Count an event."""
        self.read += 1
        self._accounts[event.account] += 1
        self._years[str(event.occurred_at.year)] += 1
        self._actions[self._module_of(event)[0], event.target.type, event.action] += 1
        if len(self.first) < _FIRST:
            self.first.append(msgspec.json.decode(body))

    def bad(self, line: int, reason: str) -> None:
        """Count a rejected record: those that differ only in their values are one kind."""
        self.read += 1
        self.rejected += 1
        kind = _VARYING.sub("…", reason)
        self._reasons[kind] += 1
        self._examples.setdefault(kind, (line, reason))

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "read": self.read,
            "would_import": self.read - self.rejected,
            "would_reject": self.rejected,
            "accounts": dict(self._accounts.most_common()),
            "years": dict(sorted(self._years.items())),
            "actions": [
                {"module": module, "target_type": target, "action": action, "events": count}
                for (module, target, action), count in self._actions.most_common()
            ],
            "rejected": [
                {"records": count, "first_line": self._examples[kind][0], "reason": self._examples[kind][1]}
                for kind, count in self._reasons.most_common()
            ],
            "first_events": self.first,
        }

    def as_lines(self) -> Iterator[str]:
        """All of it, for a person."""
        good = self.read - self.rejected
        yield f"{self.read:,} records: {good:,} would be imported, {self.rejected:,} rejected"
        yield from _counted("by account", self._accounts.most_common(20), len(self._accounts))
        yield from _counted("by year", sorted(self._years.items()), len(self._years))
        told = [(" ".join(key), count) for key, count in self._actions.most_common(40)]
        yield from _counted("by module, target and action", told, len(self._actions))
        for kind, count in self._reasons.most_common(20):
            line, reason = self._examples[kind]
            yield f"rejected {count:,} times, first on line {line}: {reason}"
        for number, event in enumerate(self.first, 1):
            yield f"event {number}: {msgspec.json.format(msgspec.json.encode(event), indent=2).decode()}"


def _counted(title: str, counts: list[tuple[str, int]], kinds: int) -> Iterator[str]:
    if counts:
        yield f"{title}:"
        width = max(len(f"{count:,}") for _, count in counts)
        yield from (f"  {count:>{width},}  {name}" for name, count in counts)
        if kinds > len(counts):
            yield f"  … and {kinds - len(counts):,} more"
