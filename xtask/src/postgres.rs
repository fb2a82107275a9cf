//! A private PostgreSQL cluster for one test run: own folder, own port, gone afterwards.
//!
//! Nothing of it touches a cluster that the machine runs already. Durability is off: a test that
//! loses power starts again.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Outcome, root, shell};

/// The tests' address of the cluster; a value set by the caller is respected.
pub const VARIABLE: &str = "STEWARD_TEST_PG_URL";

/// A running cluster, stopped and removed when dropped.
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    url: String,
}

impl Cluster {
    /// Starts a cluster, or returns `None` when the caller already points [`VARIABLE`] at one.
    ///
    /// # Errors
    /// When PostgreSQL's server programs are not installed or don't start.
    pub fn start() -> Outcome<Option<Self>> {
        if root::from_environment(VARIABLE).is_some() {
            return Ok(None);
        }
        Self::start_private().map(Some)
    }

    fn start_private() -> Outcome<Self> {
        let programs = programs()?;
        let folder = std::env::temp_dir().join(format!("steward-test-pg-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        if as_root() {
            shell::read(shell::program("chown", &["postgres", &shown(&folder)]))?;
        }
        let port = free_port()?;
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let cluster = Self { programs, folder, url };
        cluster.initialise()?;
        cluster.serve(port)?;
        Ok(cluster)
    }

    /// A `postgres://` address with the right to create databases.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn initialise(&self) -> Outcome {
        let data = shown(&self.folder.join("data"));
        let arguments =
            ["--pgdata", &data, "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"];
        shell::read(self.command("initdb", &arguments)).map(|_| ())
    }

    fn serve(&self, port: u16) -> Outcome {
        let data = shown(&self.folder.join("data"));
        let log = shown(&self.folder.join("log"));
        let socket = shown(&self.folder);
        let settings = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={socket} -c max_connections=300 \
             -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off"
        );
        // The server keeps the pipes it inherits open, so its output goes to the log and not to ours.
        let mut start =
            self.command("pg_ctl", &["start", "--wait", "--pgdata", &data, "--log", &log, "--options", &settings]);
        start.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let status = start.status().map_err(|error| format!("pg_ctl: {error}"))?;
        if status.success() {
            return Ok(());
        }
        Err(format!("PostgreSQL did not start: {}", fs::read_to_string(log).unwrap_or_default()))
    }

    /// PostgreSQL refuses to run as root; Debian's package made the user it wants.
    fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let program = self.programs.join(name);
        let mut command = if as_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program).args(arguments);
            command
        } else {
            let mut command = Command::new(program);
            command.args(arguments);
            command
        };
        command.current_dir(&self.folder).env("LC_ALL", "C");
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = shown(&self.folder.join("data"));
        let stopped = shell::read(self.command("pg_ctl", &["stop", "--mode=immediate", "--pgdata", &data]));
        if let Err(reason) = stopped {
            eprintln!("x: the test database was left running: {reason}");
            return;
        }
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("x: {}: {error}", self.folder.display());
        }
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The newest installed server programs (Debian keeps them off the path).
fn programs() -> Outcome<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, programs): &(u32, PathBuf)| programs.join("initdb").is_file())
        .collect();
    found.sort();
    if let Some((_, programs)) = found.pop() {
        return Ok(programs);
    }
    let path = root::from_environment("PATH").unwrap_or_default();
    path.split(':').map(PathBuf::from).find(|folder| folder.join("initdb").is_file()).ok_or_else(|| {
        "PostgreSQL's server programs are missing (Debian: apt-get install postgresql); every query is tested on both engines".to_owned()
    })
}

fn as_root() -> bool {
    shell::read(shell::program("id", &["-u"])).is_ok_and(|id| id.trim() == "0")
}

fn free_port() -> Outcome<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| format!("no free port: {error}"))?;
    let address = listener.local_addr().map_err(|error| format!("no free port: {error}"))?;
    Ok(address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_answers_and_leaves_nothing_behind() {
        let cluster = Cluster::start_private().unwrap();
        let port = cluster.url().rsplit(':').next().and_then(|rest| rest.split('/').next()).unwrap().to_owned();
        let query = ["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-Atc", "SELECT 6 * 7"];
        assert_eq!(shell::read(cluster.command("psql", &query)).unwrap().trim(), "42");
        let folder = cluster.folder.clone();
        drop(cluster);
        assert!(!folder.exists());
    }
}
