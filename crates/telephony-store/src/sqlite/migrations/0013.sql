-- Two machines that answer each other are recognized by `rally_score` alone.
ALTER TABLE conversation DROP COLUMN rally_moments;
ALTER TABLE conversation DROP COLUMN rally_last;
ALTER TABLE conversation DROP COLUMN rally_message;
