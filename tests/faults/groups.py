"""Leaving a consumer group in the name of a killed worker, so that a test need not wait for its session.

Kafka's clients have no such call for members without a name of their own; the request is five fields.
"""

import socket
import struct

from confluent_kafka.admin import AdminClient

_LEAVE_GROUP, _VERSION = 13, 1
_UNKNOWN_MEMBER = 25


def members(servers: str, group: str) -> list[str]:
    """The ids of a group's members, the dead ones included while their sessions last."""
    admin = AdminClient({"bootstrap.servers": servers})  # kept until the answer is there: who lets go of it
    (answer,) = admin.describe_consumer_groups([group], request_timeout=10).values()  # gets none, for ever
    return [member.member_id for member in answer.result(timeout=15).members]


def bury(servers: str, group: str) -> None:
    """Let all members of a group leave it; those who are still alive would have to join again."""
    for member in members(servers, group):
        _leave(servers, group, member)


def _leave(servers: str, group: str, member: str) -> None:
    """Tell the only broker, which coordinates all groups."""
    host, _, port = servers.partition(":")
    header = struct.pack(">hhi", _LEAVE_GROUP, _VERSION, 1) + _text("faults")
    request = header + _text(group) + _text(member)
    with socket.create_connection((host, int(port)), timeout=10) as broker:
        broker.sendall(struct.pack(">i", len(request)) + request)
        answer = broker.makefile("rb").read(14)
    error = struct.unpack(">iiih", answer)[3]
    assert error in (0, _UNKNOWN_MEMBER), f"Kafka does not let {member} leave {group}: {error}"


def _text(value: str) -> bytes:
    return struct.pack(">h", len(value)) + value.encode()
