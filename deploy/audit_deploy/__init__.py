"""The embedded stack: a real Kafka, a real ClickHouse and the workers, without Docker."""
