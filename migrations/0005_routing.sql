-- Who can take what: presence, capacity, and why each assignment was made.
CREATE TABLE agent_presence (
  workspace_id BYTEA NOT NULL,
  user_id BYTEA NOT NULL,
  presence TEXT NOT NULL,
  connected BOOLEAN NOT NULL,
  since BIGINT NOT NULL,
  last_assigned_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, user_id)
);
CREATE TABLE agent_capacity (
  workspace_id BYTEA NOT NULL,
  user_id BYTEA NOT NULL,
  channel_kind TEXT NOT NULL,
  capacity INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, user_id, channel_kind)
);
CREATE TABLE routing_policy (
  workspace_id BYTEA NOT NULL,
  team_id BYTEA NOT NULL,
  settings TEXT NOT NULL,
  PRIMARY KEY (workspace_id, team_id)
);
CREATE TABLE assignment (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  case_id BYTEA NOT NULL,
  user_id BYTEA,
  team_id BYTEA,
  at BIGINT NOT NULL,
  waited BIGINT NOT NULL,
  channel_kind TEXT NOT NULL,
  explanation TEXT NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE INDEX assignment_case ON assignment (workspace_id, case_id, at);
CREATE INDEX assignment_recent ON assignment (workspace_id, channel_kind, at);

-- Cases that wait for an agent, in order. Kept by the routing consumer from case events; rank_at is the virtual
-- deadline of domain::routing, lane the demands that decide who can take it. Nobody's team = all-zero team_id.
CREATE TABLE routing_queue (
  workspace_id BYTEA NOT NULL,
  case_id BYTEA NOT NULL,
  channel_kind TEXT NOT NULL,
  team_id BYTEA NOT NULL,
  lane TEXT NOT NULL,
  rank_at BIGINT NOT NULL,
  waiting_since BIGINT NOT NULL,
  queued_at BIGINT NOT NULL,
  previous_agent_id BYTEA,
  PRIMARY KEY (workspace_id, case_id)
);
CREATE INDEX routing_queue_lane ON routing_queue (workspace_id, channel_kind, lane, rank_at, case_id);
CREATE INDEX routing_queue_place ON routing_queue (workspace_id, channel_kind, team_id, rank_at, case_id);
-- One row per workspace, written first by every pass, so that two passes never give out the same place.
CREATE TABLE routing_turn (
  workspace_id BYTEA NOT NULL PRIMARY KEY,
  passes BIGINT NOT NULL
);
CREATE INDEX case_load ON case_record (workspace_id, assignee_id, channel_kind, status_rank) WHERE status_rank < 2;

-- Cases that use up somebody's capacity.
CREATE VIEW view_active_case AS SELECT workspace_id, id, assignee_id, channel_kind, state FROM case_record
  WHERE status_rank < 2 AND assignee_id IS NOT NULL;
CREATE VIEW view_agent_skill AS SELECT workspace_id, user_id, skill_id FROM user_skill;
