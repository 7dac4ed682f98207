-- When it was stored, where its webhook was lost and it was found at the provider later; null: when it was received.
ALTER TABLE inbound ADD COLUMN stored_at INTEGER;

-- When the same was said last, where it was said again; null: once.
ALTER TABLE consent ADD COLUMN again_at INTEGER;
-- Whether it was known already, when we learnt of it, that something else was said later: it changed nothing.
ALTER TABLE consent ADD COLUMN is_overtaken INTEGER NOT NULL DEFAULT 0;
