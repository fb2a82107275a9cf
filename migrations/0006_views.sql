-- What features show each other, read only (invariant I7). A feature reads another's rows through these alone.
CREATE VIEW view_team AS SELECT workspace_id, id, name FROM team;
CREATE VIEW view_team_member AS SELECT workspace_id, team_id, user_id FROM team_member;
CREATE VIEW view_skill AS SELECT workspace_id, id, name FROM skill;
-- Who holds which permissions where; owners hold all and need no row.
CREATE VIEW view_grant AS SELECT g.workspace_id, g.user_id, g.team_id, g.channel_id, r.permissions
  FROM user_role g JOIN role r ON r.workspace_id = g.workspace_id AND r.id = g.role_id;
CREATE VIEW view_channel AS SELECT workspace_id, id, kind, name, brand, team_id, language, required_skills, active FROM channel;

CREATE VIEW view_customer AS SELECT workspace_id, id, name, language, time_zone, company FROM customer;
-- Only identities that may find a customer again: what somebody merely typed is not among them (SECURITY row 19).
CREATE VIEW view_customer_identity AS SELECT workspace_id, customer_id, kind, address, level, added_at
  FROM customer_identity WHERE level >= 1;
-- Every address, also claimed ones: for agents who search, never for deciding who somebody is.
CREATE VIEW view_customer_address AS SELECT workspace_id, customer_id, kind, address, level FROM customer_identity;

CREATE VIEW view_case AS SELECT workspace_id, id, number, customer_id, channel_id, channel_kind, subject, status, status_rank,
  priority, team_id, assignee_id, reason_id, language, opened_at, last_message_at, waiting_since, snoozed_until,
  first_response_at, solved_at, closed_at, state, version FROM case_record;
CREATE VIEW view_conversation AS SELECT workspace_id, id, case_id, channel_id, channel_kind, customer_id, thread_key, opened_at
  FROM conversation;
-- What the customer may see: no notes, nothing held or taken back.
CREATE VIEW view_public_message AS SELECT workspace_id, id, case_id, conversation_id, seq, at, author_kind, author_id, author_name,
  automatic, body_text, body_html, delivery FROM message WHERE note = FALSE AND delivery NOT IN ('held', 'cancelled');

-- One line of a list of cases, with the names of everything it names.
CREATE VIEW view_case_row AS SELECT c.workspace_id, c.id, c.number, c.subject, c.preview, c.status, c.status_rank, c.waiting_on, c.priority,
  c.channel_id, c.channel_kind, h.name AS channel_name, c.customer_id, u.name AS customer_name,
  c.assignee_id, a.name AS assignee_name, c.team_id, t.name AS team_name,
  c.reason_id, r.name_zh AS reason_name_zh, r.name_en AS reason_name_en,
  c.tags, c.language, c.opened_at, c.last_message_at, c.waiting_since, c.snoozed_until, c.solved_at, c.version, c.state
  FROM case_record c
  LEFT JOIN channel h ON h.workspace_id = c.workspace_id AND h.id = c.channel_id
  LEFT JOIN customer u ON u.workspace_id = c.workspace_id AND u.id = c.customer_id
  LEFT JOIN app_user a ON a.workspace_id = c.workspace_id AND a.id = c.assignee_id
  LEFT JOIN team t ON t.workspace_id = c.workspace_id AND t.id = c.team_id
  LEFT JOIN reason r ON r.workspace_id = c.workspace_id AND r.id = c.reason_id;

-- What the timeline shows beside messages. `turn` puts what opens a case before a message of the same instant and
-- what follows from it behind.
CREATE VIEW view_case_event AS SELECT workspace_id, subject_id AS case_id, at,
  CASE WHEN kind IN ('case.opened', 'case.conversation_joined', 'case.message_moved_in') THEN 0 ELSE 2 END AS turn,
  version, id, actor, kind, data FROM event
  WHERE subject_kind = 'case' AND kind IN ('case.opened', 'case.conversation_joined', 'case.status_changed', 'case.assigned',
    'case.edited', 'case.message_moved_out', 'case.message_moved_in');
-- Names of API tokens, for the timeline.
CREATE VIEW view_token AS SELECT workspace_id, id, name FROM api_token;
CREATE VIEW view_inbox AS SELECT workspace_id, id, channel_id, raw_hash, raw_size, received_at, case_id, message_id FROM inbox;
CREATE VIEW view_workspace AS SELECT workspace_id, name, locale, time_zone FROM workspace;
