-- When it began by the provider's clock, rather too early than too late; null: that was not known. Our own clock may be
-- ahead then and right when the provider's list is searched for what the attempt made.
ALTER TABLE part_attempt ADD COLUMN provider_time INTEGER;

-- Messages that the provider has of a part besides the one that counts: it did not arrive before the part was sent again,
-- or was made twice. No other part is taken for them.
CREATE TABLE other_message (
    part        INTEGER NOT NULL REFERENCES part ON DELETE CASCADE,
    provider_id TEXT NOT NULL UNIQUE,
    PRIMARY KEY (part, provider_id)
) STRICT, WITHOUT ROWID;

-- The conversation whose part was refused last: others are tried before it again.
ALTER TABLE account_stop ADD COLUMN tried INTEGER;
