"""`audit verify`: a check for each promise of the pipeline, and up to when the log is complete."""
