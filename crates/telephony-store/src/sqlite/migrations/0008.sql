-- When it began by the provider's clock, rather too early than too late; null: that was not known. Our own clock may be
-- ahead then and right when the provider's list is searched for what the attempt made.
ALTER TABLE part_attempt ADD COLUMN provider_time INTEGER;
