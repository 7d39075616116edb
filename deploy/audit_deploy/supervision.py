"""Supervisord starts, watches, restarts and stops the processes; here it is configured and asked."""

import shlex
import signal
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, cast

import psutil
from supervisor.xmlrpc import Faults, SupervisorTransport

from audit_deploy.errors import NotRunning, ProgramFailed
from audit_deploy.folder import Folder
from audit_deploy.tether import TETHER

_STOP_SECONDS = 20
"""A process that has not ended then is killed."""


@dataclass(frozen=True)
class Job:
    """One process to keep running."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    """Beside supervisord's own environment; no secrets, it is written to a file."""
    priority: int
    """Lower ones are stopped later."""
    at_once: bool
    """Started with supervisord, else when asked for."""


@dataclass(frozen=True)
class Process:
    """What supervisord knows of a process."""

    name: str
    state: str
    """STOPPED, STARTING, RUNNING, BACKOFF, STOPPING, EXITED or FATAL."""
    pid: int | None
    uptime_seconds: int

    @property
    def given_up(self) -> bool:
        """It ended more often than supervisord tries."""
        return self.state == "FATAL"


def render(folder: Folder, jobs: Sequence[Job]) -> str:
    """Write supervisord's configuration file."""
    sections: dict[str, dict[str, Any]] = {
        "unix_http_server": {"file": folder.socket, "chmod": "0700"},
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        },
        "supervisord": {
            "pidfile": folder.supervisor_pid,
            "logfile": folder.log("supervisord"),
            "logfile_maxbytes": "10MB",
            "logfile_backups": 3,
            "childlogdir": folder.logs,
        },
    }
    sections |= {f"program:{job.name}": _program(folder, job) for job in jobs}
    return "\n".join(
        f"[{title}]\n" + "".join(f"{key} = {_escape(value)}\n" for key, value in options.items())
        for title, options in sections.items()
    )


def _program(folder: Folder, job: Job) -> dict[str, Any]:
    return {
        "command": shlex.join([*TETHER, *job.command]),
        "environment": ",".join(f'{name}="{value}"' for name, value in job.environment.items()),
        "directory": folder.root,
        "priority": job.priority,
        "autostart": str(job.at_once).lower(),
        "autorestart": "true",
        "startsecs": 1,
        "startretries": 3,
        "stopsignal": "TERM",
        "stopwaitsecs": _STOP_SECONDS,
        "redirect_stderr": "true",
        "stdout_logfile": folder.log(job.name),
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": 3,
    }


def _escape(value: object) -> str:
    return str(value).replace("%", "%%")


class Supervisor:
    """A supervisord that may or may not run for a folder."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def start(self, jobs: Sequence[Job], environment: Mapping[str, str], *, tied: bool) -> None:
        """Start supervisord and the jobs that start at once; returns when it answers.

        Args:
            jobs: all that it will keep running.
            environment: the environment of all of them.
            tied: end everything when this thread's process ends, however it does.

        Raises:
            ProgramFailed: supervisord does not come up.
        """
        # One that does not answer is on its way out, or hangs: two of them would fight for the ports.
        self.shut_down()
        config = self._folder.supervisor_config
        config.write_text(render(self._folder, jobs))
        daemon = [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "--silent", "--configuration"]
        # A session of its own: Ctrl-C in a terminal is for us to handle, in order.
        with self._folder.log("supervisord-start").open("wb") as output:
            process = subprocess.Popen(
                [*(TETHER if tied else ()), *daemon, str(config)],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + 15
        while not self.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                process.wait()
                said = self._folder.log("supervisord-start").read_text(errors="replace").strip()
                raise ProgramFailed(
                    f"supervisord does not start: {said.splitlines()[-1] if said else 'no reason given'}"
                )
            time.sleep(0.02)
        # Popen warns of children that outlive it, which this one is meant to do.
        process.returncode = 0

    def answers(self) -> bool:
        """Whether it runs."""
        try:
            self._call("getState")
        except NotRunning:
            return False
        return True

    def processes(self) -> list[Process]:
        """All processes, in the order of their names."""
        return [
            Process(
                name=info["name"],
                state=info["statename"],
                pid=info["pid"] or None,
                uptime_seconds=max(0, info["now"] - info["start"]) if info["pid"] else 0,
            )
            for info in cast("list[dict[str, Any]]", self._call("getAllProcessInfo"))
        ]

    def begin(self, name: str) -> None:
        """Start a process unless it runs."""
        try:
            self._call("startProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != Faults.ALREADY_STARTED:
                raise

    def end(self, name: str) -> None:
        """Stop a process and wait until it has ended."""
        try:
            self._call("stopProcess", name, True)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != Faults.NOT_RUNNING:
                raise

    def shut_down(self) -> bool:
        """Stop everything, in the order of the priorities, and wait until nothing is left.

        Returns:
            Whether anything ran.
        """
        daemon = self._daemon()
        if daemon is None:
            return False
        everything = [daemon, *daemon.children(recursive=True)]
        with suppress(psutil.NoSuchProcess):
            daemon.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 2 * _STOP_SECONDS
        while (left := _alive(everything)) and time.monotonic() < deadline:
            # It looks after its processes once a second, or whenever somebody calls.
            self.answers()
            time.sleep(0.02)
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=5)
        return True

    def _daemon(self) -> psutil.Process | None:
        try:
            pid = int(self._folder.supervisor_pid.read_text())
            process = psutil.Process(pid)
            # A number that was given to somebody else since then is not our process.
            return process if str(self._folder.supervisor_config) in process.cmdline() else None
        except (OSError, ValueError, psutil.Error):
            return None

    def _call(self, method: str, *arguments: object) -> object:
        transport = SupervisorTransport(None, None, f"unix://{self._folder.socket}")
        try:
            with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as server:
                return getattr(server.supervisor, method)(*arguments)
        except (OSError, HTTPException) as error:
            raise NotRunning(f"the stack in {self._folder.root} does not answer: {error}") from None
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == Faults.SHUTDOWN_STATE:
                raise NotRunning(f"the stack in {self._folder.root} is stopping") from None
            raise


def _alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    # A zombie has ended; that its parent does not ask for its exit code is not our matter.
    def alive(process: psutil.Process) -> bool:
        try:
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    return [process for process in processes if alive(process)]
