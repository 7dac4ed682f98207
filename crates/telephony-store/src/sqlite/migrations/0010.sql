-- A call that we place: its request, and whether the provider has dialed it.
CREATE TABLE outgoing_call (
    call        INTEGER PRIMARY KEY REFERENCES call ON DELETE CASCADE,
    key         TEXT NOT NULL UNIQUE,
    from_number TEXT NOT NULL,
    message     TEXT,
    task        TEXT,
    keys        TEXT,    -- pressed after the answer
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'dialing', 'doubtful', 'dialed', 'not-dialed')),
    dialed_at   INTEGER, -- the time of the request to the provider
    doubted_at  INTEGER, -- the time since which its outcome is unknown
    absences    INTEGER NOT NULL DEFAULT 0, -- complete lists of the provider without it since then
    failure     TEXT,    -- the reason why it was not dialed
    CHECK ((dialed_at IS NULL) = (state = 'waiting') OR state = 'not-dialed'),
    CHECK ((failure IS NOT NULL) = (state = 'not-dialed'))
) STRICT;
