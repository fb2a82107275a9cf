-- What the public channels keep beside the tables of 0004: chat threads, signed identities, uploads that wait, proofs.
-- Which conversations a thread consists of, in the order in which the visitor reads them.
CREATE TABLE chat_conversation (
  workspace_id BYTEA NOT NULL,
  conversation_id BYTEA NOT NULL,
  thread_id BYTEA NOT NULL,
  ordinal BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, conversation_id)
);
CREATE UNIQUE INDEX chat_conversation_thread ON chat_conversation (workspace_id, thread_id, ordinal);

-- The thread of a person whom the site has signed in.
CREATE TABLE chat_subject (
  workspace_id BYTEA NOT NULL,
  channel_id BYTEA NOT NULL,
  subject TEXT NOT NULL,
  thread_id BYTEA NOT NULL,
  customer_id BYTEA NOT NULL,
  PRIMARY KEY (workspace_id, channel_id, subject)
);

-- Things that count once: nonces of signed identities, proofs of work. Only the hash is kept, until it would expire anyway.
CREATE TABLE used_once (
  workspace_id BYTEA NOT NULL,
  channel_id BYTEA NOT NULL,
  hash BYTEA NOT NULL,
  holder_id BYTEA,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, channel_id, hash)
);
CREATE INDEX used_once_expiry ON used_once (workspace_id, channel_id, expires_at);

CREATE TABLE pending_upload (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  channel_id BYTEA NOT NULL,
  owner TEXT NOT NULL,
  hash BYTEA NOT NULL,
  size BIGINT NOT NULL,
  name TEXT NOT NULL,
  mime TEXT NOT NULL,
  width INTEGER,
  height INTEGER,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE INDEX pending_upload_owner ON pending_upload (workspace_id, channel_id, owner, created_at);
CREATE INDEX pending_upload_age ON pending_upload (workspace_id, channel_id, created_at);

-- What the visitor reads: public messages of the thread. Customer's words count only when they are this customer's,
-- not a stranger's who answered by mail.
CREATE VIEW view_chat_message AS SELECT c.workspace_id, c.thread_id, c.ordinal, m.id, m.case_id, m.conversation_id, m.seq, m.at,
  m.author_kind, m.author_name, m.automatic, m.body_text
  FROM chat_conversation c
  JOIN view_conversation v ON v.workspace_id = c.workspace_id AND v.id = c.conversation_id
  JOIN view_public_message m ON m.workspace_id = c.workspace_id AND m.conversation_id = c.conversation_id
  WHERE m.author_kind <> 'customer' OR m.author_id = v.customer_id;
CREATE VIEW view_chat_case AS SELECT c.workspace_id, c.thread_id, c.ordinal, v.case_id, v.id AS conversation_id, v.customer_id, v.thread_key, k.status_rank,
  k.assignee_id
  FROM chat_conversation c
  JOIN view_conversation v ON v.workspace_id = c.workspace_id AND v.id = c.conversation_id
  JOIN view_case k ON k.workspace_id = v.workspace_id AND k.id = v.case_id;
-- What waits for a bring-your-own channel to fetch it.
CREATE INDEX message_queued ON message (workspace_id, at, id) WHERE delivery = 'queued';
