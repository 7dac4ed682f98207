-- A backup that was made at this time and restored; no row: this store knows all that happened. While there is one,
-- nothing is answered or sent.
CREATE TABLE restored (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    backed_up_at INTEGER NOT NULL
) STRICT;

-- Entries of the journal that were not stored yet when the backup was made.
CREATE TABLE restored_entry (
    id    INTEGER PRIMARY KEY,
    entry TEXT NOT NULL -- JSON
) STRICT;
