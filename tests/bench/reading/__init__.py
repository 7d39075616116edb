"""How fast the log is read, and what an event takes on the disk, beside a plain table ordered by time."""
