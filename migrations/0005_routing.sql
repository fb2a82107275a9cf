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
