"""Identifiers of events: fresh ones in the order of time, and ones derived from what an event is.

A fresh id takes its randomness from the operating system for every call. No generator's state is
kept in the process, so there is none that a fork could copy: parent and child never mint alike.
"""

import hashlib
import json
import os
import time
from uuid import UUID

_NAMESPACE = UUID("6f0e3a0c-52ab-4f0f-9d3b-6d9be0a3a3f4")
_PREFIX = _NAMESPACE.bytes
_VARIANT = 0b10 << 62
_VERSION_AND_VARIANT = 0xF000 << 64 | 0b11 << 62


def uuid7() -> UUID:
    """A new UUID of version 7 (RFC 9562, section 5.7): milliseconds since the epoch, 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    high = (milliseconds & 0xFFFF_FFFF_FFFF) << 16 | 0x7000 | (random >> 62 & 0x0FFF)
    low = _VARIANT | random & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=high << 64 | low)


def id_of_key(account: str, service: str, key: str) -> UUID:
    """The id of an event that its service names by an idempotency key."""
    return derived_id(json.dumps([account, service, key]).encode())


def derived_id(content: bytes) -> UUID:
    """The UUID of version 5 (RFC 9562, section 5.5) of some bytes, in the namespace of audit events."""
    digest = hashlib.sha1(_PREFIX + content, usedforsecurity=False).digest()
    name = int.from_bytes(digest[:16])
    return UUID(int=name & ~_VERSION_AND_VARIANT | 0x5000 << 64 | _VARIANT)
