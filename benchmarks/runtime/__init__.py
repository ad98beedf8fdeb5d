"""The actor runtime and what it is measured beside, each doing the same work in its own way."""
