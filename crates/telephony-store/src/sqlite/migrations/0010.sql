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

-- The price and the duration of a call, which the provider knows some time after its end.
ALTER TABLE call ADD COLUMN seconds INTEGER; -- from answer to end
ALTER TABLE call ADD COLUMN price INTEGER;   -- billionths of `currency`
ALTER TABLE call ADD COLUMN currency TEXT;
ALTER TABLE call ADD COLUMN price_due_at INTEGER; -- the next question for its price
CREATE INDEX call_price_due ON call (price_due_at) WHERE price_due_at IS NOT NULL;

-- The agent may also summarize a call.
CREATE TABLE new_call_turn (
    id          INTEGER PRIMARY KEY,
    call        INTEGER NOT NULL REFERENCES call ON DELETE CASCADE,
    number      INTEGER NOT NULL, -- from 1
    prompt      TEXT NOT NULL CHECK (prompt IN ('speech', 'keys', 'open', 'leave-message', 'summarize')),
    words       TEXT NOT NULL,
    said_at     INTEGER NOT NULL,
    answer      TEXT,             -- as the agent wrote it
    outcome     TEXT CHECK (outcome IN ('answered', 'texted', 'unheard', 'none')), -- null: the agent works
    answered_at INTEGER,
    UNIQUE (call, number),
    CHECK ((outcome IS NULL) = (answered_at IS NULL))
) STRICT;
INSERT INTO new_call_turn SELECT id, call, number, prompt, words, said_at, answer, outcome, answered_at FROM call_turn;
DROP TABLE call_turn;
ALTER TABLE new_call_turn RENAME TO call_turn;
CREATE INDEX call_turn_open ON call_turn (call) WHERE outcome IS NULL;
