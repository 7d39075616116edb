"""`audit trace`: one event through every stage."""
