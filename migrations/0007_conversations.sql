-- What the intake and the delivery read of others' tables.
CREATE VIEW view_message AS SELECT workspace_id, id, case_id, conversation_id, seq, at, sent_at, author_kind, author_id, author_name,
  note, automatic, body_text, body_html, quoted_text, meta, delivery, inbox_id FROM message;
CREATE VIEW view_mail_reference AS SELECT workspace_id, mail_id, message_id, case_id FROM mail_reference;
CREATE VIEW view_attachment AS SELECT workspace_id, id, message_id, hash, size, name, mime, inline, content_id, width, height, owner FROM attachment;
CREATE INDEX inbox_state ON inbox (workspace_id, state, received_at);
-- The same mail by another way in (IMAP and SMTP): its Message-ID and the hash of its body.
ALTER TABLE inbox ADD COLUMN twin_key TEXT;
CREATE UNIQUE INDEX inbox_twin ON inbox (workspace_id, channel_id, twin_key);
-- Somebody at this address has shown that they read what we sent there.
ALTER TABLE participant ADD COLUMN proven BOOLEAN NOT NULL DEFAULT FALSE;
-- Mails that tell a visitor who has left what was answered; the latest per conversation.
-- state: 0 claimed (perhaps sent), 1 sent
CREATE TABLE chat_followup (
  workspace_id BYTEA NOT NULL,
  conversation_id BYTEA NOT NULL,
  mail_id BYTEA NOT NULL,
  up_to_seq BIGINT NOT NULL,
  -- what mails that were sent have told already
  told_seq BIGINT NOT NULL,
  state SMALLINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, conversation_id)
);
-- When a visitor was last there, and what they typed as their address.
CREATE VIEW view_visitor_seen AS SELECT workspace_id, id, channel_id, customer_id, claimed_email, last_seen_at FROM visitor;
CREATE VIEW view_known_reason AS SELECT workspace_id, id FROM reason WHERE active = TRUE;
