-- People who work, their roles, sessions and tokens: what feature `identity` owns.
CREATE TABLE app_user (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  email TEXT NOT NULL,
  email_key TEXT NOT NULL,
  name TEXT NOT NULL,
  password_hash TEXT,
  totp_secret BYTEA,
  totp_last_step BIGINT,
  recovery_codes TEXT NOT NULL,
  locale TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  languages TEXT NOT NULL,
  signature TEXT NOT NULL,
  preferences TEXT NOT NULL,
  is_owner BOOLEAN NOT NULL,
  active BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX app_user_email ON app_user (workspace_id, email_key);
CREATE INDEX app_user_email_any ON app_user (email_key);

CREATE TABLE role (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  role_key TEXT,
  name TEXT NOT NULL,
  permissions TEXT NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
-- A role given to a user, optionally only for one team and/or one channel (all-zero id = everywhere).
CREATE TABLE user_role (
  workspace_id BYTEA NOT NULL,
  user_id BYTEA NOT NULL,
  role_id BYTEA NOT NULL,
  team_id BYTEA,
  channel_id BYTEA,
  id BYTEA NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE INDEX user_role_user ON user_role (workspace_id, user_id);

CREATE TABLE team (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE TABLE team_member (
  workspace_id BYTEA NOT NULL,
  team_id BYTEA NOT NULL,
  user_id BYTEA NOT NULL,
  PRIMARY KEY (workspace_id, team_id, user_id)
);
CREATE INDEX team_member_user ON team_member (workspace_id, user_id);

CREATE TABLE skill (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE TABLE user_skill (
  workspace_id BYTEA NOT NULL,
  user_id BYTEA NOT NULL,
  skill_id BYTEA NOT NULL,
  PRIMARY KEY (workspace_id, user_id, skill_id)
);

CREATE TABLE session (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  user_id BYTEA NOT NULL,
  token_hash BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  user_agent TEXT NOT NULL,
  address TEXT NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
-- global: a session is found by its secret before its workspace is known
CREATE UNIQUE INDEX session_token ON session (token_hash);
CREATE INDEX session_by_user ON session (workspace_id, user_id);

-- Single-use secrets: invitation, password reset, TOTP challenge. Only the hash is stored (SECURITY row 16).
CREATE TABLE secret_link (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  purpose TEXT NOT NULL,
  token_hash BYTEA NOT NULL,
  user_id BYTEA NOT NULL,
  data TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT,
  PRIMARY KEY (workspace_id, id)
);
-- global: a link is found by its secret before its workspace is known
CREATE UNIQUE INDEX secret_link_token ON secret_link (token_hash);

CREATE TABLE api_token (
  workspace_id BYTEA NOT NULL,
  id BYTEA NOT NULL,
  name TEXT NOT NULL,
  token_hash BYTEA NOT NULL,
  scopes TEXT NOT NULL,
  channel_id BYTEA,
  created_by BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  last_used_at BIGINT,
  revoked_at BIGINT,
  PRIMARY KEY (workspace_id, id)
);
-- global: a token is found by its secret before its workspace is known
CREATE UNIQUE INDEX api_token_hash ON api_token (token_hash);

-- What other features may read of people.
CREATE VIEW view_agent AS SELECT workspace_id, id, email, name, locale, time_zone, languages, signature, is_owner, active FROM app_user;
