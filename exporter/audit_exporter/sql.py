"""`audit sql`: a read-only query as the configured ClickHouse user, for operators."""

import json
import sys
from collections.abc import Iterator

import click

from audit_exporter.clickhouse import REASON_BYTES, Connection, broken_off
from audit_exporter.parameters import Query
from audit_exporter.visible import visible
from audit_schemas.errors import AuditError
from audit_schemas.settings import ClickHouseSettings

_TABLE = "PrettyCompactMonoBlock"
_LINES = "JSONEachRow"


@click.command("sql")
@click.argument("query", required=False)
@click.option("--json", "as_json", is_flag=True, help="A JSON array with an object for each row.")
@click.option("--format", "form", help="Any of ClickHouse's output formats, as in CSVWithNames.")
def sql(query: str | None, as_json: bool, form: str | None) -> None:
    """Run a read-only query; without one read it from standard input, or prompt on a terminal.

    Reads with the log-in of AUDIT_CLICKHOUSE, whatever it may see: for operators, not for viewers.

    \b
    Example:  audit sql "SELECT module, count() FROM audit_log GROUP BY module"
    """
    if as_json and form:
        raise click.UsageError("--json and --format exclude each other", click.get_current_context())
    with Connection(ClickHouseSettings.load().clickhouse) as connection:
        if query is None and sys.stdin.isatty():
            _prompt(connection, form or _TABLE)
            return
        text = sys.stdin.read() if query is None else query
        if as_json:
            click.echo(json.dumps(list(_objects(connection, text)), ensure_ascii=False))
        else:
            _show(connection, text, form or _TABLE)


def _objects(connection: Connection, text: str) -> Iterator[object]:
    """The rows as objects; 64-bit integers keep their digits."""
    answer = b"".join(_run(connection, text, _LINES))
    return (json.loads(line) for line in answer.splitlines())


def _show(connection: Connection, text: str, form: str) -> None:
    """Print what ClickHouse renders; on a terminal nothing in it is obeyed."""
    terminal = sys.stdout.isatty()
    rest = b""
    for piece in _run(connection, text, form):
        if not terminal:
            click.echo(piece, nl=False)
            continue
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            click.echo(visible(line.decode("utf-8", "replace")))
    if rest:
        click.echo(visible(rest.decode("utf-8", "replace")))


def _run(connection: Connection, text: str, form: str) -> Iterator[bytes]:
    """The answer in pieces.

    Raises:
        AuditError: ClickHouse refused the query or broke it off.
    """
    query = Query(text.strip().rstrip(";"))
    with connection.stream(query, default_format=form, readonly=2) as pieces:
        end = b""
        for piece in pieces:
            # The reason of an answer that is broken off is its end: what may be that is held back.
            data = end + piece
            yield data[:-REASON_BYTES]
            end = data[-REASON_BYTES:]
        if error := broken_off(end):
            raise error
        yield end


def _prompt(connection: Connection, form: str) -> None:
    """Read queries until Ctrl-D; one ends with a semicolon."""
    import readline  # noqa: F401, PLC0415 - gives input() its history and keys; only a terminal needs it

    click.echo("A query ends with a semicolon; Ctrl-D leaves.", err=True)
    lines: list[str] = []
    while True:
        try:
            lines.append(input("audit> " if not lines else "    -> "))
        except EOFError:
            click.echo()
            return
        except KeyboardInterrupt:
            lines.clear()
            click.echo()
            continue
        if lines[-1].rstrip().endswith(";"):
            _answer(connection, "\n".join(lines), form)
            lines.clear()


def _answer(connection: Connection, text: str, form: str) -> None:
    try:
        _show(connection, text, form)
    except AuditError as error:
        click.secho(error.message, fg="red", err=True)
