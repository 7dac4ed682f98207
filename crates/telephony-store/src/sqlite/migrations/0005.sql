-- Why the provider refuses the whole account until the operator fixes it; no row: it serves the account.
CREATE TABLE account_stop (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    code     INTEGER,
    reason   TEXT NOT NULL,
    since    INTEGER NOT NULL,
    probe_at INTEGER NOT NULL,           -- when the account is probed next
    probes   INTEGER NOT NULL DEFAULT 0,
    is_open  INTEGER NOT NULL DEFAULT 0  -- the last probe left room for hope: one part at a time is tried
) STRICT;

-- When the operator had it sent again after it had failed: it is as old as that.
ALTER TABLE part ADD COLUMN retried_at INTEGER;
