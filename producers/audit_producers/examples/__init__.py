"""Programs that show how a service uses the SDK; each runs beside a Kafka in AUDIT_KAFKA."""
