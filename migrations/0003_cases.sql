-- Customers, cases, conversations and messages.
CREATE TABLE customer (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  name TEXT NOT NULL,
  language TEXT,
  time_zone TEXT,
  company TEXT NOT NULL,
  note TEXT NOT NULL,
  state TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE INDEX customer_name ON customer (workspace_id, name);

-- level: 0 claimed (somebody typed it), 1 channel (this channel delivers from and to it), 2 verified (proven)
-- kind: email, phone, visitor, external
CREATE TABLE customer_identity (
  workspace_id BYTEA NOT NULL,
  customer_id BYTEA NOT NULL,
  kind TEXT NOT NULL,
  address TEXT NOT NULL,
  level SMALLINT NOT NULL,
  added_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, customer_id, kind, address)
);
CREATE INDEX customer_identity_address ON customer_identity (workspace_id, kind, address, level);

CREATE TABLE counter (
  workspace_id BYTEA NOT NULL,
  name TEXT NOT NULL,
  value BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, name)
);

-- `state` is the whole aggregate as JSON (the truth that folding the events must reproduce);
-- the other columns are its searchable part, written by the same function.
CREATE TABLE case_record (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  number BIGINT NOT NULL,
  customer_id BYTEA NOT NULL,
  channel_id BYTEA NOT NULL,
  channel_kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  preview TEXT NOT NULL,
  status TEXT NOT NULL,
  status_rank SMALLINT NOT NULL,
  waiting_on TEXT,
  priority SMALLINT NOT NULL,
  team_id BYTEA,
  assignee_id BYTEA,
  reason_id BYTEA,
  language TEXT,
  tags TEXT NOT NULL,
  opened_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  last_message_at BIGINT NOT NULL,
  waiting_since BIGINT,
  snoozed_until BIGINT,
  first_response_at BIGINT,
  solved_at BIGINT,
  closed_at BIGINT,
  state TEXT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX case_number ON case_record (workspace_id, number);
CREATE INDEX case_queue ON case_record (workspace_id, status_rank, last_message_at, id);
CREATE INDEX case_assignee ON case_record (workspace_id, assignee_id, status_rank);
CREATE INDEX case_team ON case_record (workspace_id, team_id, status_rank);
CREATE INDEX case_customer ON case_record (workspace_id, customer_id, opened_at);
CREATE INDEX case_updated ON case_record (workspace_id, last_message_at, id);
CREATE INDEX case_waiting ON case_record (workspace_id, waiting_since, last_message_at, id);
CREATE INDEX case_reason ON case_record (workspace_id, reason_id);

CREATE TABLE case_tag (
  workspace_id BYTEA NOT NULL,
  tag TEXT NOT NULL,
  case_id BYTEA NOT NULL,
  PRIMARY KEY (workspace_id, tag, case_id)
);
CREATE INDEX case_tag_case ON case_tag (workspace_id, case_id);

CREATE TABLE conversation (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  case_id BYTEA NOT NULL,
  channel_id BYTEA NOT NULL,
  channel_kind TEXT NOT NULL,
  customer_id BYTEA NOT NULL,
  -- how this channel finds the conversation again: visitor id, external thread key ...
  thread_key TEXT NOT NULL,
  opened_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE INDEX conversation_case ON conversation (workspace_id, case_id);
CREATE INDEX conversation_thread ON conversation (workspace_id, channel_id, thread_key, opened_at, id);

-- author_kind: customer, agent, system; visibility: 0 public, 1 note
-- delivery: none, held (undo window), queued, sent, failed, cancelled
CREATE TABLE message (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  case_id BYTEA NOT NULL,
  conversation_id BYTEA NOT NULL,
  seq BIGINT NOT NULL,
  at BIGINT NOT NULL,
  author_kind TEXT NOT NULL,
  author_id BYTEA,
  author_name TEXT NOT NULL,
  note BOOLEAN NOT NULL,
  automatic BOOLEAN NOT NULL,
  body_text TEXT NOT NULL,
  body_html TEXT,
  quoted_text TEXT NOT NULL,
  meta TEXT NOT NULL,
  delivery TEXT NOT NULL,
  -- the code of the failure
  delivery_error TEXT,
  -- end of the undo window while `delivery` is held
  held_until BIGINT,
  -- when it was written, as far as we know; `at` is when it reached us
  sent_at BIGINT NOT NULL,
  inbox_id BYTEA,
  PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX message_seq ON message (workspace_id, conversation_id, seq);
CREATE INDEX message_case ON message (workspace_id, case_id, at, id);
CREATE INDEX message_inbox ON message (workspace_id, inbox_id) WHERE inbox_id IS NOT NULL;

-- Message-IDs seen or made, for threading (domain of a mail: lower-cased, without angle brackets).
CREATE TABLE mail_reference (
  workspace_id BYTEA NOT NULL,
  mail_id TEXT NOT NULL,
  message_id BYTEA NOT NULL,
  case_id BYTEA NOT NULL,
  PRIMARY KEY (workspace_id, mail_id, message_id)
);
CREATE INDEX mail_reference_message ON mail_reference (workspace_id, message_id);
CREATE TABLE participant (
  workspace_id BYTEA NOT NULL,
  conversation_id BYTEA NOT NULL,
  address TEXT NOT NULL,
  role TEXT NOT NULL,
  approved BOOLEAN NOT NULL,
  added_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, conversation_id, address)
);
CREATE INDEX participant_address ON participant (workspace_id, address);

CREATE TABLE attachment (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  message_id BYTEA,
  hash BYTEA NOT NULL,
  size BIGINT NOT NULL,
  name TEXT NOT NULL,
  mime TEXT NOT NULL,
  inline BOOLEAN NOT NULL,
  content_id TEXT,
  width INTEGER,
  height INTEGER,
  owner TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE INDEX attachment_message ON attachment (workspace_id, message_id);

CREATE TABLE draft (
  workspace_id BYTEA NOT NULL,
  case_id BYTEA NOT NULL,
  user_id BYTEA NOT NULL,
  body TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, case_id, user_id)
);
-- Up to when an agent has seen a case: what is newer is unread for them.
CREATE TABLE case_seen (
  workspace_id BYTEA NOT NULL,
  user_id BYTEA NOT NULL,
  case_id BYTEA NOT NULL,
  seen_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, user_id, case_id)
);
-- owner_id set: one person's; team_id set: a team's; neither: everybody's
CREATE TABLE saved_view (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  name TEXT NOT NULL,
  owner_id BYTEA,
  team_id BYTEA,
  filter TEXT NOT NULL,
  sort TEXT NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE TABLE reason (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  parent_id BYTEA,
  name_zh TEXT NOT NULL,
  name_en TEXT NOT NULL,
  required_skills TEXT NOT NULL,
  active BOOLEAN NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE TABLE canned_reply (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  shortcut TEXT NOT NULL,
  title TEXT NOT NULL,
  language TEXT,
  team_id BYTEA,
  body TEXT NOT NULL,
  uses BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
