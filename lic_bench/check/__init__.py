"""A run against a baseline: what got worse, better, or cannot be compared, quantity by quantity."""
