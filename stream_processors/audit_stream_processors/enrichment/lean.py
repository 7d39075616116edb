"""Messages as the Structs that are made and written fastest."""

from typing import Any

from msgspec import Struct, defstruct

from audit_schemas.wire import struct_of


def lean(cls: Any, *, always: tuple[str, ...] = ()) -> type[Struct]:
    """The Struct of a dataclass that writes only what differs from its default, and `always` these.

    Structs are made several times faster than the dataclasses that they are derived from, and they can
    leave out what has its default: a third of the bytes that everyone behind us would carry and parse.
    """
    return defstruct(
        cls.__name__,
        [(name, str) for name in always],
        bases=(struct_of(cls, strict=True),),
        omit_defaults=True,
        kw_only=True,
        frozen=True,
        gc=False,
    )
