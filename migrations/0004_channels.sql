-- Ways in and out: configured channels, the raw inbox, visitors, mail loop budgets.
CREATE TABLE channel (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  brand TEXT NOT NULL,
  -- the public key of a widget or form, the address of a mailbox; unique in the instance by an index below
  public_key TEXT NOT NULL,
  settings TEXT NOT NULL,
  -- sealed secrets (passwords, signing keys): ciphertext, never sent to a client
  secrets BYTEA,
  team_id BYTEA,
  language TEXT,
  required_skills TEXT NOT NULL,
  active BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE INDEX channel_public_key ON channel (kind, public_key);

-- Everything that came in, raw, once (dedupe_key), with exactly one outcome.
-- state: 0 pending, 1 done, 2 failed (shown to agents as raw text)
CREATE TABLE inbox (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  channel_id BYTEA NOT NULL,
  dedupe_key TEXT NOT NULL,
  raw_hash BYTEA NOT NULL,
  raw_size BIGINT NOT NULL,
  envelope TEXT NOT NULL,
  received_at BIGINT NOT NULL,
  state SMALLINT NOT NULL,
  outcome TEXT NOT NULL,
  case_id BYTEA,
  message_id BYTEA,
  PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX inbox_dedupe ON inbox (workspace_id, channel_id, dedupe_key);

CREATE TABLE mailbox_cursor (
  workspace_id BYTEA NOT NULL,
  channel_id BYTEA NOT NULL,
  uid_validity BIGINT NOT NULL,
  last_uid BIGINT NOT NULL,
  state TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, channel_id)
);

CREATE TABLE visitor (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  channel_id BYTEA NOT NULL,
  token_hash BYTEA NOT NULL,
  customer_id BYTEA NOT NULL,
  -- the thread this browser talks in; browsers of one signed person share theirs
  thread_id BYTEA NOT NULL,
  name TEXT NOT NULL,
  locale TEXT NOT NULL,
  -- verified subject of the signed identity, if any
  subject TEXT,
  claimed_email TEXT,
  last_seen_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  page_url TEXT NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
-- global: a visitor is found by their secret before the workspace is known
CREATE UNIQUE INDEX visitor_token ON visitor (token_hash);
CREATE INDEX visitor_subject ON visitor (workspace_id, channel_id, subject);
CREATE INDEX visitor_customer ON visitor (workspace_id, customer_id);
CREATE INDEX visitor_thread ON visitor (workspace_id, thread_id);

-- Automatic mails sent, for the loop budgets of SECURITY P14. address_hash spans workspaces on purpose
-- (a budget of the instance), so this table is global.
-- global: the budgets of SECURITY P14 hold for the whole instance
CREATE TABLE automatic_mail (
  id BYTEA NOT NULL PRIMARY KEY,
  workspace_id BYTEA NOT NULL,
  address_hash BYTEA NOT NULL,
  case_id BYTEA NOT NULL,
  verified BOOLEAN NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX automatic_mail_address ON automatic_mail (address_hash, at);
