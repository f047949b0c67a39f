-- What moving slots needs.
--
-- Who was written to while their slot moved: the mover copies them again.  Each
-- mark is made in the transaction of the write that it stands for.
CREATE TABLE dirty (
	slot	INTEGER NOT NULL,
	user_id	INTEGER NOT NULL,
	PRIMARY KEY (slot, user_id)
) STRICT, WITHOUT ROWID;

-- Small named values on which processes and hosts agree by compare-and-set.
-- With a rowid: a value may be as long as a mebibyte.
CREATE TABLE agreed (
	key	TEXT PRIMARY KEY NOT NULL,
	version	INTEGER NOT NULL,
	value	BLOB NOT NULL
) STRICT;
