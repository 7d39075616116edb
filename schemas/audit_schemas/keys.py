"""Kafka's keys of several parts, so that no two different things ever share one."""


def joined(*parts: str) -> bytes:
    """Parts with slashes between them; a slash within any but the last is written as %2F."""
    return "/".join([*map(_escaped, parts[:-1]), parts[-1]]).encode()


def split(key: bytes, count: int) -> list[str]:
    """The parts of a key that `joined` has made of `count` parts."""
    *parts, last = key.decode(errors="replace").split("/", count - 1)
    return [*(part.replace("%2F", "/").replace("%25", "%") for part in parts), last]


def _escaped(part: str) -> str:
    if "/" not in part and "%" not in part:
        return part
    return part.replace("%", "%25").replace("/", "%2F")
