"""The trading actors: one file per concern, and what serves them."""
