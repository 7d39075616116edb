"""Ties a command to its parent: when the parent dies in any way, kill -9 included, the command gets SIGTERM.

Run as `python -I -S tether.py COMMAND ...`; it imports next to nothing because it stands before every start.
Linux only (PR_SET_PDEATHSIG); elsewhere the command runs untied.
"""

import ctypes
import os
import signal
import sys

TETHER = (sys.executable, "-I", "-S", __file__)
"""What to put before a command."""

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process, then become the command."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before we were tied
            sys.exit(1)
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - a list, no shell


if __name__ == "__main__":
    main()
