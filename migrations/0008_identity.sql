-- What `identity` shows of people to others, and what it reads of others: the audit trail, the check page.
CREATE VIEW view_presence AS SELECT workspace_id, user_id, presence, connected, since FROM agent_presence;
CREATE VIEW view_capacity AS SELECT workspace_id, user_id, channel_kind, capacity FROM agent_capacity;
CREATE VIEW view_event AS SELECT workspace_id, part, position, id, at, actor, subject_kind, subject_id, kind, data FROM event;
CREATE VIEW view_job AS SELECT workspace_id, queue, state, run_at FROM job;
-- Where skills are demanded; lists of ids as JSON text.
CREATE VIEW view_skill_use AS SELECT workspace_id, required_skills FROM channel UNION ALL SELECT workspace_id, required_skills FROM reason;
