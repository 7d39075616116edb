"""The command `audit`: each installed part contributes its subcommands through an entry-point group."""

import os
import sys
from importlib.metadata import EntryPoint, entry_points, version

import click

from audit_schemas.errors import AuditError

GROUP = "audit.commands"


class _Parts(click.Group):
    """Subcommands from entry points, each imported only when it is asked for."""

    def _entry_points(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=GROUP)}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(self._entry_points())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        point = self._entry_points().get(cmd_name)
        command = point.load() if point else None
        return command if isinstance(command, click.Command) else None


@click.command(cls=_Parts, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version("auditlane-schemas"), prog_name="audit")
def audit() -> None:
    """Auditlane: who changed what, when and from where.

    \b
    Try it:   audit stack up
    Publish:  audit publish events.jsonl
    Read:     audit log list --account acme --as 7 --since 7d
    Export:   audit export write --account acme --as 7 --since 30d --output .

    Exit codes: 0 fine, 1 failed, 2 usage, 3 behind or incomplete, 4 refused.
    """


def main() -> None:
    """Run a command; what a person can act upon ends as two lines, not as a traceback."""
    try:
        audit.main(prog_name="audit", standalone_mode=False)
    except AuditError as error:
        _complain(error.message, error.remedy)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        # The reader has gone (`| head`): nothing more to say, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        if error.filename is None:
            raise
        _complain(f"{error.filename}: {error.strerror}", "")
        sys.exit(1)


def _complain(message: str, remedy: str) -> None:
    click.secho("error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(message, err=True)
    if remedy:
        click.echo(f"       {remedy}", err=True)
