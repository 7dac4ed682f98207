-- The provider's signature of the webhook that a message came by, and a digest of the fields as they were cut; null where
-- there was none. The same signature with other fields is another cut of the same request.
ALTER TABLE inbound ADD COLUMN signature TEXT;
ALTER TABLE inbound ADD COLUMN signed_content TEXT;
CREATE INDEX inbound_signature ON inbound (signature) WHERE signature IS NOT NULL;
