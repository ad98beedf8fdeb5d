"""The journal: append-only, hash-chained, durable; what a restart goes on from."""
