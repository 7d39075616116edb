"""What the pipeline refused: kept with bytes, place and reason; looked at, put back, or given up."""
