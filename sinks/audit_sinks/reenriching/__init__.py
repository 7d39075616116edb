"""`audit reenrich`: stored events worded anew by a newer catalogue."""
