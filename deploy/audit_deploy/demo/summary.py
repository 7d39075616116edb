"""What the demo found: summary.json for programs, a few lines for the person, and whether it all adds up."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

_LOOK_AROUND = """
Look around yourself, with the commands of .venv/bin on your path:
  eval "$(audit stack up)"     a stack that stays; it also prints the address of ClickHouse's page /play
  audit publish events.jsonl   your own events; `audit schema print` shows their form
  audit sql "SELECT module, count() FROM audit_log GROUP BY module"
  audit stack down             stops it; the data stay"""


@dataclass(frozen=True)
class Summary:
    """What the demo leaves in summary.json."""

    published: int
    stored: int
    contact_changes: int
    """Rows of the contacts' activity."""
    contact_batches: int
    csv_rows: int
    xlsx_rows: int
    dead_letters: int
    csv: str
    xlsx: str

    def write(self, file: Path) -> None:
        """Leave it for programs."""
        file.write_text(json.dumps(asdict(self), indent=2) + "\n")

    def fault(self, contact_changes: int) -> str | None:
        """What does not add up, or nothing.

        Args:
            contact_changes: how many the activity must hold.
        """
        if not self.published == self.stored == self.csv_rows == self.xlsx_rows:
            return "the counts differ"
        if self.contact_changes != contact_changes:
            return f"the contacts' activity holds {self.contact_changes:,} of {contact_changes:,} changes"
        return None

    def say(self, rejected: int, bad_lines: Path) -> None:
        """Tell the person, and what to try next.

        Args:
            rejected: how many lines of the input were no events.
            bad_lines: the file that holds them.
        """
        say = Console(highlight=False, soft_wrap=True).print
        bad = f"   bad lines beside it: {rejected:,} in {bad_lines}" if rejected else ""
        say(f"\n  published   {self.published:>9,}{bad}")
        say(f"  ClickHouse  {self.stored:>9,}   dead letters: {self.dead_letters:,}")
        if self.contact_changes:
            say(f"  contacts    {self.contact_changes:>9,}   changes in {self.contact_batches:,} batches")
        say(f"  CSV         {self.csv_rows:>9,}   {self.csv}")
        say(f"  XLSX        {self.xlsx_rows:>9,}   {self.xlsx}")
        say(_LOOK_AROUND)
