-- Times are milliseconds since 1970 (UTC). States are words, so that a person with a SQLite shell can read them.

-- One of our numbers or messaging services, as it sends now.
CREATE TABLE line (
    id                INTEGER PRIMARY KEY,
    number            TEXT,
    messaging_service TEXT,
    next_free_at      INTEGER NOT NULL DEFAULT 0, -- nothing leaves before
    waiting_segments  INTEGER NOT NULL DEFAULT 0, -- of its parts that wait; triggers of `part` count them
    waiting_at_most   INTEGER,                    -- no more may wait; null: no bound
    claimed_at        INTEGER NOT NULL
) STRICT;

-- Every number and messaging service that ever was a line's.
CREATE TABLE line_address (
    address TEXT PRIMARY KEY,
    line    INTEGER NOT NULL REFERENCES line
) STRICT, WITHOUT ROWID;

-- Numbers of ours that messages can come to without our hearing of it.
CREATE TABLE watched (
    number     TEXT PRIMARY KEY,
    since      INTEGER, -- nothing older is looked for; null: not looked yet
    seen_until INTEGER  -- what came before is stored
) STRICT, WITHOUT ROWID;

-- What the operator decided about a number.
CREATE TABLE contact (
    number      TEXT PRIMARY KEY,
    approved_at INTEGER,
    blocked_at  INTEGER
) STRICT, WITHOUT ROWID;

-- A stranger's request to be paired.
CREATE TABLE pairing (
    code         TEXT PRIMARY KEY,
    contact      TEXT NOT NULL UNIQUE,
    line         INTEGER NOT NULL REFERENCES line,
    requested_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One line with one contact. It is what is scheduled: `due_at` is that of its turn at work, else the earliest of
-- `ready_at` and its parked turns; null when there is nothing to do.
CREATE TABLE conversation (
    id             INTEGER PRIMARY KEY,
    line           INTEGER NOT NULL REFERENCES line,
    contact        TEXT NOT NULL,
    opted_out_at   INTEGER,
    forgotten_turn INTEGER NOT NULL DEFAULT 0, -- agents are told nothing of turns up to this one
    waiting_since  INTEGER,                    -- when the first of its waiting messages came
    ready_at       INTEGER,                    -- when its waiting messages may become a turn
    due_at         INTEGER,
    rally_moments  INTEGER NOT NULL DEFAULT 0, -- in so many moments in a row its limit of replies was reached
    rally_last     INTEGER,
    rally_message  INTEGER,
    paused_until   INTEGER,                    -- two machines talk: it has no work before
    UNIQUE (line, contact)
) STRICT;
CREATE INDEX conversation_contact ON conversation (contact);
CREATE INDEX conversation_due ON conversation (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX conversation_paused ON conversation (paused_until) WHERE paused_until IS NOT NULL;

-- What was said about whether a contact wants to hear from a line; `conversation.opted_out_at` is what counts.
CREATE TABLE consent (
    id           INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES conversation,
    wish         TEXT NOT NULL CHECK (wish IN ('opt-out', 'opt-in')),
    evidence     TEXT NOT NULL CHECK (evidence IN ('keyword', 'provider', 'refusal', 'operator')),
    at           INTEGER NOT NULL
) STRICT;
CREATE INDEX consent_conversation ON consent (conversation, id);

-- What a contact said, as it was given to the agent.
CREATE TABLE turn (
    id              INTEGER PRIMARY KEY AUTOINCREMENT, -- agents are told it: never used twice
    conversation    INTEGER NOT NULL REFERENCES conversation,
    state           TEXT NOT NULL CHECK (state IN ('leased', 'retrying', 'parked', 'dead', 'answered', 'refused')),
    due_at          INTEGER, -- when the lease ends, or when it is tried again
    holder          TEXT,
    fence           INTEGER NOT NULL DEFAULT 0, -- counts its leases
    attempts        INTEGER NOT NULL DEFAULT 0,
    failures        INTEGER NOT NULL DEFAULT 0,
    first_failed_at INTEGER,
    reason          TEXT,
    created_at      INTEGER NOT NULL,
    ended_at        INTEGER,
    CHECK ((due_at IS NOT NULL) = (state IN ('leased', 'retrying', 'parked'))),
    CHECK ((ended_at IS NOT NULL) = (state IN ('answered', 'refused')))
) STRICT;
CREATE UNIQUE INDEX turn_at_work ON turn (conversation) WHERE state IN ('leased', 'retrying');
CREATE INDEX turn_parked ON turn (conversation, due_at) WHERE state = 'parked';
CREATE INDEX turn_open ON turn (state) WHERE ended_at IS NULL;
CREATE INDEX turn_answered ON turn (conversation, id) WHERE state = 'answered';

CREATE TABLE turn_attempt (
    turn       INTEGER NOT NULL REFERENCES turn ON DELETE CASCADE,
    number     INTEGER NOT NULL, -- the fence
    holder     TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    outcome    TEXT NOT NULL DEFAULT 'running',
    reason     TEXT,
    PRIMARY KEY (turn, number)
) STRICT, WITHOUT ROWID;

-- A message from a contact.
CREATE TABLE inbound (
    id                INTEGER PRIMARY KEY,
    provider_id       TEXT NOT NULL UNIQUE,
    line              INTEGER REFERENCES line,         -- null: it came to a number not known to be ours
    conversation      INTEGER REFERENCES conversation, -- null too where the sender is no phone number
    sender            TEXT NOT NULL,
    recipient         TEXT NOT NULL,
    messaging_service TEXT,
    opt_out_type      TEXT,
    text              TEXT NOT NULL,
    also_to           TEXT,                            -- the others in a group, a blank between them
    state             TEXT NOT NULL CHECK (state IN ('waiting', 'answering', 'kept', 'unconfirmed', 'order', 'answered',
                                                     'refused', 'keyword', 'empty', 'failed', 'dropped', 'obeyed')),
    why               TEXT,
    turn              INTEGER REFERENCES turn,
    received_at       INTEGER NOT NULL,
    segments          INTEGER, -- by the provider's count
    price             INTEGER, -- billionths of
    currency          TEXT,
    price_due_at      INTEGER  -- when the provider is asked what it cost
) STRICT;
-- Each index in a random order costs every arrival a page: there is one by conversation, the others grow at their end.
CREATE INDEX inbound_conversation ON inbound (conversation, state, id);
CREATE INDEX inbound_waiting ON inbound (id) WHERE state = 'waiting';
CREATE INDEX inbound_kept ON inbound (id) WHERE state = 'kept';
CREATE INDEX inbound_order ON inbound (id) WHERE state = 'order';
CREATE INDEX inbound_unconfirmed ON inbound (recipient) WHERE state = 'unconfirmed';
CREATE INDEX inbound_turn ON inbound (turn) WHERE turn IS NOT NULL;
CREATE INDEX inbound_received ON inbound (received_at);
CREATE INDEX inbound_price_due ON inbound (price_due_at) WHERE price_due_at IS NOT NULL;

CREATE TABLE inbound_media (
    inbound      INTEGER NOT NULL REFERENCES inbound ON DELETE CASCADE,
    position     INTEGER NOT NULL, -- from 1
    url          TEXT NOT NULL,
    content_type TEXT NOT NULL,    -- once it is kept, what it is
    file         TEXT,             -- that it is kept in
    size         INTEGER,          -- bytes
    reason       TEXT,             -- why it cannot be had
    PRIMARY KEY (inbound, position),
    CHECK ((file IS NULL) = (size IS NULL) AND (file IS NULL OR reason IS NULL))
) STRICT, WITHOUT ROWID;

-- Files beside this one that nothing refers to: they are removed when they are due. One that is being written is due
-- much later, and loose no longer once something refers to it.
CREATE TABLE loose_file (
    name   TEXT PRIMARY KEY,
    due_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER inbound_media_is_gone AFTER DELETE ON inbound_media WHEN old.file IS NOT NULL BEGIN
    INSERT INTO loose_file (name, due_at) VALUES (old.file, 0);
END;

-- Messages of contacts that were deleted and may come again: they are not taken for new.
CREATE TABLE deleted (
    provider_id TEXT PRIMARY KEY,
    received_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX deleted_received ON deleted (received_at);

-- A message to a contact.
CREATE TABLE message (
    id           INTEGER PRIMARY KEY,
    key          TEXT NOT NULL UNIQUE,
    conversation INTEGER NOT NULL REFERENCES conversation,
    turn         INTEGER REFERENCES turn,
    purpose      TEXT NOT NULL,
    text         TEXT, -- null: its only part says the same
    created_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX message_conversation ON message (conversation, created_at);
CREATE INDEX message_created ON message (created_at);
CREATE INDEX message_turn ON message (turn) WHERE turn IS NOT NULL;
CREATE INDEX message_pairing ON message (created_at) WHERE purpose = 'pairing';
CREATE INDEX message_notice ON message (created_at) WHERE purpose = 'notice';
CREATE INDEX message_order ON message (created_at) WHERE purpose = 'order';

CREATE TABLE message_media (
    message      INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
    position     INTEGER NOT NULL, -- from 1
    url          TEXT,             -- null: a file of ours
    file         TEXT,
    content_type TEXT,
    size         INTEGER,          -- bytes
    selector     TEXT,             -- finds the file for who fetches it
    secret       TEXT,             -- what they have to know besides
    PRIMARY KEY (message, position),
    CHECK ((url IS NULL) = (file IS NOT NULL AND content_type IS NOT NULL AND size IS NOT NULL
                            AND selector IS NOT NULL AND secret IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX message_media_selector ON message_media (selector) WHERE selector IS NOT NULL;

CREATE TRIGGER message_media_is_gone AFTER DELETE ON message_media WHEN old.file IS NOT NULL BEGIN
    INSERT INTO loose_file (name, due_at) VALUES (old.file, 0);
END;

-- One request to the provider. The first unfinished part of a conversation is its head: ready, starting or unknown, and
-- due some time; those behind it are queued.
CREATE TABLE part (
    id                INTEGER PRIMARY KEY AUTOINCREMENT, -- what was spent on it is known by it: never used twice
    message           INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
    position          INTEGER NOT NULL, -- from 1
    conversation      INTEGER NOT NULL REFERENCES conversation,
    line              INTEGER NOT NULL REFERENCES line,
    text              TEXT NOT NULL,
    segments          INTEGER NOT NULL,
    is_for_operator   INTEGER NOT NULL, -- goes before what waits for a limit
    correlator        TEXT NOT NULL UNIQUE,
    state             TEXT NOT NULL CHECK (state IN ('queued', 'ready', 'starting', 'unknown', 'sent', 'failed', 'canceled',
                                                     'finally-unknown')),
    due_at            INTEGER, -- ready: may leave; starting: its process is lost; unknown: is looked up
    waits_for         TEXT,    -- the limit that it has to wait for, or 'daily-cap': the provider's own
    waits_until       INTEGER, -- when it fits into that limit, unless others leave before, or is tried again
    attempts          INTEGER NOT NULL DEFAULT 0,
    doubt_since       INTEGER,
    absences          INTEGER NOT NULL DEFAULT 0,
    doubt_is_over     INTEGER NOT NULL DEFAULT 0, -- the provider answered, if only that something went wrong
    doubted_from      INTEGER, -- when the first of its attempts in doubt began
    resends           INTEGER NOT NULL DEFAULT 0,
    has_left_open     INTEGER NOT NULL DEFAULT 0, -- it was sent again behind a request that may not be over
    provider_id       TEXT UNIQUE,
    status            TEXT,
    provider_segments INTEGER,
    conflict          TEXT, -- a final status that was reported later and contradicts the first
    code              INTEGER,
    reason            TEXT,
    sent_at           INTEGER,
    settled_at        INTEGER, -- when nothing more was expected of it
    poll_at           INTEGER, -- when the provider is asked after it
    price             INTEGER, -- billionths of
    currency          TEXT,
    price_due_at      INTEGER, -- when the provider is asked what it cost
    UNIQUE (message, position),
    CHECK ((due_at IS NOT NULL) = (state IN ('ready', 'starting', 'unknown'))),
    CHECK ((provider_id IS NOT NULL) = (state = 'sent'))
) STRICT;
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

CREATE TABLE part_attempt (
    part       INTEGER NOT NULL REFERENCES part ON DELETE CASCADE,
    number     INTEGER NOT NULL, -- from 1
    holder     TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    outcome    TEXT NOT NULL DEFAULT 'running',
    code       INTEGER,
    reason     TEXT,
    PRIMARY KEY (part, number)
) STRICT, WITHOUT ROWID;

-- What attempts of the last day may have spent, in the order in which they were made. Each row knows the sums before it,
-- so that what was spent since any of them is a difference, however many they are.
CREATE TABLE spent (
    part           INTEGER NOT NULL,
    attempt        INTEGER NOT NULL,
    contact        TEXT, -- null: forgotten
    spent_at       INTEGER NOT NULL,
    segments       INTEGER NOT NULL,
    before         INTEGER NOT NULL, -- segments to everyone
    before_contact INTEGER NOT NULL, -- segments to this contact
    PRIMARY KEY (part, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_everyone ON spent (before, segments, spent_at);
CREATE INDEX spent_contact ON spent (contact, before_contact, segments, spent_at);

-- What the operator is told. What is over stays for a day after it was told by SMS, so that it is not told again that day.
CREATE TABLE notice (
    name    TEXT PRIMARY KEY,
    text    TEXT NOT NULL,
    by_sms  INTEGER NOT NULL, -- whether it is worth an SMS
    since   INTEGER NOT NULL,
    until   INTEGER,          -- it holds until then, unless it is over before; null: until it is over
    is_over INTEGER NOT NULL DEFAULT 0,
    told_at INTEGER           -- when an SMS about it was stored
) STRICT, WITHOUT ROWID;

-- Settings of the provider that we changed, or were about to: what they were is put back from here.
CREATE TABLE route_change (
    id         INTEGER PRIMARY KEY,
    route      TEXT NOT NULL, -- the provider's id of the number or messaging service
    address    TEXT NOT NULL,
    name       TEXT NOT NULL, -- of the setting
    before     TEXT NOT NULL,
    after      TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    UNIQUE (route, name, before, after)
) STRICT;
