-- The provider of a line, as in `channels.telephony.provider`. Before, there was only one.
ALTER TABLE line ADD COLUMN provider TEXT NOT NULL DEFAULT 'twilio';

-- The ids of messages and calls are unique for each provider, not for all together. Foreign keys are off meanwhile.
CREATE TABLE new_inbound (
    id                INTEGER PRIMARY KEY,
    provider_id       TEXT NOT NULL,
    line              INTEGER REFERENCES line,         -- null: the number that it was sent to is not known to be ours
    conversation      INTEGER REFERENCES conversation, -- null: the sender is no phone number, or there is no line
    sender            TEXT NOT NULL,
    recipient         TEXT NOT NULL,
    messaging_service TEXT,
    opt_out_type      TEXT,
    text              TEXT NOT NULL,
    also_to           TEXT,                            -- other recipients in a group, separated by blanks
    state             TEXT NOT NULL CHECK (state IN ('waiting', 'answering', 'kept', 'unconfirmed', 'order', 'answered',
                                                     'refused', 'keyword', 'empty', 'failed', 'dropped', 'obeyed')),
    why               TEXT,
    turn              INTEGER REFERENCES turn,
    received_at       INTEGER NOT NULL,
    segments          INTEGER, -- by the provider's count
    price             INTEGER, -- billionths of `currency`
    currency          TEXT,
    price_due_at      INTEGER, -- the next question for its price
    stored_at         INTEGER,
    signature         TEXT,
    signed_content    TEXT,
    provider          TEXT NOT NULL,
    UNIQUE (provider_id, provider)
) STRICT;
INSERT INTO new_inbound SELECT *, 'twilio' FROM inbound;
DROP TABLE inbound;
ALTER TABLE new_inbound RENAME TO inbound;
CREATE INDEX inbound_conversation ON inbound (conversation, state, id);
CREATE INDEX inbound_waiting ON inbound (id) WHERE state = 'waiting';
CREATE INDEX inbound_kept ON inbound (id) WHERE state = 'kept';
CREATE INDEX inbound_order ON inbound (id) WHERE state = 'order';
CREATE INDEX inbound_unconfirmed ON inbound (recipient) WHERE state = 'unconfirmed';
CREATE INDEX inbound_turn ON inbound (turn) WHERE turn IS NOT NULL;
CREATE INDEX inbound_received ON inbound (received_at);
CREATE INDEX inbound_price_due ON inbound (price_due_at) WHERE price_due_at IS NOT NULL;
CREATE INDEX inbound_signature ON inbound (signature) WHERE signature IS NOT NULL;

CREATE TABLE new_deleted (
    provider_id TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    provider    TEXT NOT NULL,
    PRIMARY KEY (provider_id, provider)
) STRICT, WITHOUT ROWID;
INSERT INTO new_deleted SELECT *, 'twilio' FROM deleted;
DROP TABLE deleted;
ALTER TABLE new_deleted RENAME TO deleted;
CREATE INDEX deleted_received ON deleted (received_at);

CREATE TABLE new_part (
    id                INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice, because `spent` refers to it
    message           INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
    position          INTEGER NOT NULL, -- from 1
    conversation      INTEGER NOT NULL REFERENCES conversation,
    line              INTEGER NOT NULL REFERENCES line,
    text              TEXT NOT NULL,
    segments          INTEGER NOT NULL,
    is_for_operator   INTEGER NOT NULL, -- goes before parts that wait for a limit
    correlator        TEXT NOT NULL UNIQUE,
    state             TEXT NOT NULL CHECK (state IN ('queued', 'ready', 'starting', 'unknown', 'sent', 'failed', 'canceled',
                                                     'finally-unknown')),
    due_at            INTEGER, -- ready: may leave; starting: its process is lost; unknown: the next search
    waits_for         TEXT,    -- the limit that it waits for, or 'daily-cap': the provider's own
    waits_until       INTEGER,
    attempts          INTEGER NOT NULL DEFAULT 0,
    doubt_since       INTEGER,
    absences          INTEGER NOT NULL DEFAULT 0,
    doubt_is_over     INTEGER NOT NULL DEFAULT 0, -- the provider answered, if only that something went wrong
    doubted_from      INTEGER, -- the start of the first of its attempts in doubt
    resends           INTEGER NOT NULL DEFAULT 0,
    has_left_open     INTEGER NOT NULL DEFAULT 0, -- it was sent again behind a request that may not be over
    provider_id       TEXT,
    status            TEXT,
    provider_segments INTEGER,
    conflict          TEXT, -- a later final status that contradicts the first
    code              INTEGER,
    reason            TEXT,
    sent_at           INTEGER,
    settled_at        INTEGER, -- the time since which nothing more is expected of it
    poll_at           INTEGER, -- the next question for its status
    price             INTEGER, -- billionths of `currency`
    currency          TEXT,
    price_due_at      INTEGER, -- the next question for its price
    denied_since      INTEGER,
    retried_at        INTEGER,
    provider          TEXT NOT NULL, -- that of its line when it was stored
    UNIQUE (message, position),
    UNIQUE (provider_id, provider),
    CHECK ((due_at IS NOT NULL) = (state IN ('ready', 'starting', 'unknown'))),
    CHECK ((provider_id IS NOT NULL) = (state = 'sent'))
) STRICT;
INSERT INTO new_part SELECT *, 'twilio' FROM part;
DELETE FROM sqlite_sequence WHERE name = 'new_part';
INSERT INTO sqlite_sequence (name, seq) SELECT 'new_part', seq FROM sqlite_sequence WHERE name = 'part';
DROP TABLE part;
ALTER TABLE new_part RENAME TO part;
CREATE UNIQUE INDEX part_head ON part (conversation) WHERE due_at IS NOT NULL;
CREATE INDEX part_queued ON part (conversation, is_for_operator DESC, id) WHERE state = 'queued';
CREATE INDEX part_ready ON part (line, due_at) WHERE state = 'ready';
CREATE INDEX part_for_operator ON part (line, due_at) WHERE state = 'ready' AND is_for_operator = 1;
CREATE INDEX part_starting ON part (due_at) WHERE state = 'starting';
CREATE INDEX part_unknown ON part (due_at) WHERE state = 'unknown';
CREATE INDEX part_limited ON part (waits_for) WHERE waits_for IS NOT NULL;
CREATE INDEX part_waiting ON part (line, id, segments) WHERE state IN ('queued', 'ready');
CREATE INDEX part_poll ON part (poll_at) WHERE poll_at IS NOT NULL;
CREATE INDEX part_price_due ON part (price_due_at) WHERE price_due_at IS NOT NULL;
CREATE INDEX part_sent ON part (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX part_sent_to ON part (conversation, sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX part_settled ON part (settled_at, status, state) WHERE settled_at IS NOT NULL; -- all that is counted of it
CREATE TRIGGER part_begins_to_wait AFTER INSERT ON part WHEN new.state IN ('queued', 'ready') BEGIN
    UPDATE line SET waiting_segments = waiting_segments + new.segments WHERE id = new.line;
END;
CREATE TRIGGER part_waits_or_not AFTER UPDATE OF state ON part
WHEN (old.state IN ('queued', 'ready')) <> (new.state IN ('queued', 'ready')) BEGIN
    UPDATE line SET waiting_segments = waiting_segments + iif(new.state IN ('queued', 'ready'), new.segments, -new.segments)
    WHERE id = new.line;
END;
CREATE TRIGGER part_is_gone AFTER DELETE ON part WHEN old.state IN ('queued', 'ready') BEGIN
    UPDATE line SET waiting_segments = waiting_segments - old.segments WHERE id = old.line;
END;

CREATE TABLE new_other_message (
    part        INTEGER NOT NULL REFERENCES part ON DELETE CASCADE,
    provider_id TEXT NOT NULL,
    provider    TEXT NOT NULL,
    PRIMARY KEY (part, provider_id),
    UNIQUE (provider_id, provider)
) STRICT, WITHOUT ROWID;
INSERT INTO new_other_message SELECT *, 'twilio' FROM other_message;
DROP TABLE other_message;
ALTER TABLE new_other_message RENAME TO other_message;

CREATE TABLE new_call (
    id           INTEGER PRIMARY KEY AUTOINCREMENT, -- in the keys of texts: never used twice
    conversation INTEGER NOT NULL REFERENCES conversation,
    provider_id  TEXT, -- null: the provider has not named it yet
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
    seconds      INTEGER,       -- from answer to end
    price        INTEGER,       -- billionths of `currency`
    currency     TEXT,
    price_due_at INTEGER,       -- the next question for its price
    provider     TEXT NOT NULL, -- that of its line when it was stored
    UNIQUE (provider_id, provider),
    CHECK ((due_at IS NULL) = (state = 'over') AND (ended_at IS NULL) = (state = 'open'))
) STRICT;
INSERT INTO new_call SELECT *, 'twilio' FROM call;
DELETE FROM sqlite_sequence WHERE name = 'new_call';
INSERT INTO sqlite_sequence (name, seq) SELECT 'new_call', seq FROM sqlite_sequence WHERE name = 'call';
DROP TABLE call;
ALTER TABLE new_call RENAME TO call;
CREATE INDEX call_due ON call (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX call_conversation ON call (conversation, id);
CREATE INDEX call_created ON call (created_at);
CREATE INDEX call_price_due ON call (price_due_at) WHERE price_due_at IS NOT NULL;
