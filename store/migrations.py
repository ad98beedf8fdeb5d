"""The schema, as numbered steps; a step that was ever released is never changed."""

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE journal (
        seq       INTEGER PRIMARY KEY,
        at        TEXT NOT NULL,
        kind      TEXT NOT NULL,
        account   TEXT,
        body      TEXT NOT NULL,
        prev_hash TEXT NOT NULL,
        hash      TEXT NOT NULL
    ) STRICT
    """,
)
"""Step n brings a database from version n - 1 to n; SQLite's ``user_version`` holds the version."""
