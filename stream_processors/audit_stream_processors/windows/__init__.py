"""The windows of contact changes: stamped by the append time, closed by a later stamp behind them."""
