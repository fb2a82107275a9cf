-- The event log, its consumers, jobs and idempotency keys: what crate `spine` owns.
CREATE TABLE workspace (
  workspace_id BYTEA NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  slug TEXT NOT NULL,
  locale TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  settings TEXT NOT NULL,
  secret BYTEA NOT NULL,
  created_at BIGINT NOT NULL
);
-- global: the slug names a workspace within the instance
CREATE UNIQUE INDEX workspace_slug ON workspace (slug);

-- Event order (DESIGN 3): a head row per workspace and partition, incremented just before commit.
CREATE TABLE event_head (
  workspace_id BYTEA NOT NULL,
  part SMALLINT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, part)
);
CREATE TABLE event (
  workspace_id BYTEA NOT NULL,
  part SMALLINT NOT NULL,
  position BIGINT NOT NULL,
  id BYTEA NOT NULL,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id BYTEA NOT NULL,
  version BIGINT NOT NULL,
  kind TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (workspace_id, part, position)
);
CREATE UNIQUE INDEX event_subject ON event (workspace_id, subject_kind, subject_id, version);
CREATE INDEX event_at ON event (workspace_id, at);

CREATE TABLE consumer_cursor (
  workspace_id BYTEA NOT NULL,
  consumer TEXT NOT NULL,
  part SMALLINT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, consumer, part)
);

-- state: 0 ready, 1 running (leased), 2 done, 3 dead
CREATE TABLE job (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  queue TEXT NOT NULL,
  job_key TEXT NOT NULL,
  payload TEXT NOT NULL,
  run_at BIGINT NOT NULL,
  attempts INTEGER NOT NULL,
  state SMALLINT NOT NULL,
  lease_until BIGINT NOT NULL,
  last_error TEXT,
  PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX job_key ON job (workspace_id, queue, job_key);
CREATE INDEX job_due ON job (state, run_at);

-- The answer given to a client-made command id, kept at least 24 h (SECURITY P4).
CREATE TABLE idempotency (
  workspace_id BYTEA NOT NULL,
  command_id BYTEA NOT NULL,
  fingerprint BYTEA NOT NULL,
  answer TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, command_id)
);
CREATE INDEX idempotency_at ON idempotency (at);
