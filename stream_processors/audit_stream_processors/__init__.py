"""The stream processors: what happens to events between the services and the sink."""
