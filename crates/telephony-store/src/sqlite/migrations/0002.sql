-- When it was stored, where its webhook was lost and it was found at the provider later; null: when it was received.
ALTER TABLE inbound ADD COLUMN stored_at INTEGER;

-- When the same was said last, where it was said again; null: once.
ALTER TABLE consent ADD COLUMN again_at INTEGER;
-- Whether it was known already, when we learnt of it, that something else was said later: it changed nothing.
ALTER TABLE consent ADD COLUMN is_overtaken INTEGER NOT NULL DEFAULT 0;

-- How much its exchanges look like two machines answering each other.
ALTER TABLE conversation ADD COLUMN rally_score INTEGER NOT NULL DEFAULT 0;

-- An answer that found no room on its line: it waits for it, and no agent is asked again.
CREATE TABLE kept_answer (
    turn   INTEGER PRIMARY KEY REFERENCES turn ON DELETE CASCADE,
    drafts TEXT NOT NULL -- JSON
) STRICT;

CREATE TRIGGER kept_answer_is_gone AFTER DELETE ON kept_answer BEGIN
    INSERT OR IGNORE INTO loose_file (name, due_at)
    SELECT media.value ->> '$.File.name', 0
    FROM json_each(old.drafts) AS draft, json_each(draft.value, '$.media') AS media
    WHERE media.value ->> '$.File.name' IS NOT NULL;
END;

-- What is counted by the day, without whom it was about: to forget somebody must not make room for more.
CREATE TABLE tally (
    id   INTEGER PRIMARY KEY,
    what TEXT NOT NULL, -- the purpose of a message, or 'wrong-code'
    at   INTEGER NOT NULL
) STRICT;
CREATE INDEX tally_what ON tally (what, at);
INSERT INTO tally (what, at) SELECT purpose, created_at FROM message WHERE purpose IN ('pairing', 'notice', 'order');
INSERT INTO tally (what, at) SELECT 'wrong-code', received_at FROM inbound WHERE state = 'obeyed' AND why = 'unknown-code';
DROP INDEX message_pairing;
DROP INDEX message_notice;
DROP INDEX message_order;
