-- The schema of lastmile-outbox, version 1. All times are milliseconds since 1970, except those of lastmile_pace.

CREATE TABLE lastmile_order (
  id            INTEGER PRIMARY KEY,
  key           TEXT NOT NULL UNIQUE,              -- chosen by the caller; never used twice, not even after an erasure
  supplier      TEXT NOT NULL,                     -- 'onapi', or 'onapi/NETWORK'
  kind          TEXT NOT NULL,                     -- 'onapi.order'
  digest        TEXT NOT NULL,                     -- of supplier, kind and request: tells another request under a used key
  state         TEXT NOT NULL DEFAULT 'ready'
                CHECK (state IN ('ready','in_flight','indeterminate','following','needs_person','placed','refused','cancelled')),
  body          TEXT,                              -- the prepared value; JSON whose digits matter, hence text
  due           INTEGER DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER)),
                                                   -- when a worker continues, or the end of its lease; null: nothing to do
  owner         TEXT,                              -- the worker that holds the lease
  epoch         INTEGER NOT NULL DEFAULT 0,        -- counts claims and decisions; a write with an old epoch changes nothing
  mark          INTEGER NOT NULL DEFAULT 0,        -- counts the times that the order was about to be sent
  settled_at    INTEGER,                           -- until then the supplier may still process what was sent
  crashes       INTEGER NOT NULL DEFAULT 0,        -- workers in a row that held the order and did not give it back
  attempts      INTEGER NOT NULL DEFAULT 0,        -- tries in a row without progress
  doubts        INTEGER NOT NULL DEFAULT 0,        -- those of them that do not pass by themselves
  step          INTEGER NOT NULL DEFAULT 0,        -- of a chain
  step_marks    TEXT NOT NULL DEFAULT '',          -- the mark at the end of each step that is done, with a space after each
  decision      TEXT,                              -- of a person, which a worker applies
  decision_data TEXT,
  reason        TEXT,
  manual_check  TEXT,                              -- what a person has to check; only in needs_person
  result        TEXT,                              -- what the supplier created
  erased        INTEGER NOT NULL DEFAULT 0,
  enqueued_at   INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER)),
  finished_at   INTEGER,
  CHECK ((due IS NULL) = (state IN ('needs_person','placed','refused','cancelled'))),
  CHECK ((finished_at IS NULL) = (state NOT IN ('placed','refused','cancelled')))
);

-- Finished orders have no due time: however many there are, the index for claims holds the active ones only.
CREATE INDEX lastmile_order_due ON lastmile_order (supplier, due) WHERE due IS NOT NULL;
CREATE INDEX lastmile_order_person ON lastmile_order (id) WHERE manual_check IS NOT NULL;
CREATE INDEX lastmile_order_finished ON lastmile_order (finished_at) WHERE finished_at IS NOT NULL AND erased = 0;

-- A used key with another request is an error, also in a transaction of the caller's. It fires before ON CONFLICT applies.
CREATE TRIGGER lastmile_order_same_request BEFORE INSERT ON lastmile_order
WHEN EXISTS (SELECT 1 FROM lastmile_order WHERE key = NEW.key AND digest <> NEW.digest)
BEGIN
  SELECT RAISE(ABORT, 'lastmile_outbox: the key belongs to another request');
END;

CREATE TABLE lastmile_event (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  order_id INTEGER NOT NULL REFERENCES lastmile_order (id),
  step     INTEGER NOT NULL,
  what     TEXT NOT NULL,
  data     TEXT,
  at       INTEGER NOT NULL
);
CREATE INDEX lastmile_event_order ON lastmile_event (order_id);

CREATE TABLE lastmile_consumer (name TEXT PRIMARY KEY) WITHOUT ROWID;

-- One row for each consumer and event, written with the event. It goes when the consumer acknowledges.
CREATE TABLE lastmile_delivery (
  consumer    TEXT NOT NULL,
  event_id    INTEGER NOT NULL REFERENCES lastmile_event (id) ON DELETE CASCADE,
  taken_until INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (consumer, event_id)
) WITHOUT ROWID;
CREATE INDEX lastmile_delivery_event ON lastmile_delivery (event_id);

-- What people decided. Retention does not touch it; an erasure clears the notes.
CREATE TABLE lastmile_audit (
  id       INTEGER PRIMARY KEY,
  order_id INTEGER NOT NULL REFERENCES lastmile_order (id),
  who      TEXT NOT NULL,
  what     TEXT NOT NULL,
  why      TEXT,
  at       INTEGER NOT NULL
);
CREATE INDEX lastmile_audit_order ON lastmile_audit (order_id);

CREATE TABLE lastmile_pace (
  supplier   TEXT PRIMARY KEY,
  arrival    INTEGER NOT NULL DEFAULT 0,           -- theoretical arrival time of the next order, microseconds since 1970
  not_before INTEGER NOT NULL DEFAULT 0            -- milliseconds since 1970: Retry-After
) WITHOUT ROWID;

-- Responses that arrived after their worker had lost the order.
CREATE TABLE lastmile_late (
  id       INTEGER PRIMARY KEY,
  order_id INTEGER NOT NULL REFERENCES lastmile_order (id),
  mark     INTEGER NOT NULL,
  state    TEXT NOT NULL,
  result   TEXT,
  outcome  TEXT NOT NULL,
  at       INTEGER NOT NULL
);
