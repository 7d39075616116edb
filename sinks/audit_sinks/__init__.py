"""ClickHouse's tables, and inserting into them exactly once in effect."""
