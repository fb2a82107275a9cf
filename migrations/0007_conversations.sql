-- What the intake and the delivery read of others' tables.
CREATE VIEW view_message AS SELECT workspace_id, id, case_id, conversation_id, seq, at, sent_at, author_kind, author_id, author_name,
  note, automatic, body_text, body_html, quoted_text, meta, delivery, inbox_id FROM message;
CREATE VIEW view_mail_reference AS SELECT workspace_id, mail_id, message_id, case_id FROM mail_reference;
CREATE VIEW view_attachment AS SELECT workspace_id, id, message_id, hash, size, name, mime, inline, content_id, width, height, owner FROM attachment;
CREATE INDEX inbox_state ON inbox (workspace_id, state, received_at);
