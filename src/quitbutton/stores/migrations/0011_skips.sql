-- Turns whose request brought messages before them that have no turn of their own here: their addresses, 32 bytes each, under
-- the first of the whole path. An end among those reaches the turn by this row; without it every message would need one.
CREATE TABLE skips (
    first   {blob} NOT NULL,
    address {blob} NOT NULL,
    path    {blob} NOT NULL,
    PRIMARY KEY (first, address)
) {tail};
CREATE INDEX skips_address ON skips (address);
-- Where every path that is known has its first message in `turns` or `skips`, a path that begins with neither is new as a whole.
INSERT INTO meta (name, value) SELECT 'firsts_known', 'yes' WHERE NOT EXISTS (SELECT 1 FROM turns);
CREATE INDEX turns_ended ON turns (address) WHERE rung = 'ended';
-- It was read for a count alone, and every turn paid for it.
DROP INDEX turns_conversation;
