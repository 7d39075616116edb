"""What is seen of the pipeline from outside: by `audit monitor` for Prometheus, `audit status` for a person.

    observer: one look at both servers  ──▶ families: as metrics  ──▶ board: what /metrics shows
                                        └─▶ audit_sinks.status: for a person

Nothing here joins a group or writes anything, so it may run beside everything, as often as one likes.
"""
