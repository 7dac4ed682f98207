-- A call with a contact.
CREATE TABLE call (
    id           INTEGER PRIMARY KEY AUTOINCREMENT, -- in the keys of texts: never used twice
    conversation INTEGER NOT NULL REFERENCES conversation,
    provider_id  TEXT UNIQUE, -- null: the provider has not named it yet
    is_inbound   INTEGER NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('open', 'ending', 'over')), -- ending: the provider has not confirmed it
    machine      TEXT NOT NULL, -- the state of the rules, as JSON
    timer_at     INTEGER,       -- the rules' next timer
    holder       TEXT,
    due_at       INTEGER,       -- the first of timer, end of the lease and next attempt to end it; null: over
    end_attempts INTEGER NOT NULL DEFAULT 0,
    status       TEXT,          -- the provider's last status; a final one stays
    created_at   INTEGER NOT NULL,
    ended_at     INTEGER,
    CHECK ((due_at IS NULL) = (state = 'over') AND (ended_at IS NULL) = (state = 'open'))
) STRICT;
CREATE INDEX call_due ON call (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX call_conversation ON call (conversation, id);
CREATE INDEX call_created ON call (created_at);

-- The address of a call's next document: one for each step.
CREATE TABLE call_token (
    token TEXT PRIMARY KEY,
    call  INTEGER NOT NULL REFERENCES call ON DELETE CASCADE,
    step  INTEGER NOT NULL,
    UNIQUE (call, step)
) STRICT, WITHOUT ROWID;

-- What the other side said on a call, and the agent's answer. Its id comes from the same sequence as a `turn`'s,
-- because agents get both.
CREATE TABLE call_turn (
    id          INTEGER PRIMARY KEY,
    call        INTEGER NOT NULL REFERENCES call ON DELETE CASCADE,
    number      INTEGER NOT NULL, -- from 1
    prompt      TEXT NOT NULL CHECK (prompt IN ('speech', 'keys', 'open', 'leave-message')),
    words       TEXT NOT NULL,
    said_at     INTEGER NOT NULL,
    answer      TEXT,             -- as the agent wrote it
    outcome     TEXT CHECK (outcome IN ('answered', 'texted', 'unheard', 'none')), -- null: the agent works
    answered_at INTEGER,
    UNIQUE (call, number),
    CHECK ((outcome IS NULL) = (answered_at IS NULL))
) STRICT;

-- The provider's status reports of a call, in the order of their arrival; each status once.
CREATE TABLE call_event (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    call   INTEGER NOT NULL REFERENCES call ON DELETE CASCADE,
    status TEXT NOT NULL,
    at     INTEGER NOT NULL,
    UNIQUE (call, status)
) STRICT;
