"""What an event gains on its way: pure functions on values, one concept a module."""
