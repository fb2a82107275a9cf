//! A throw-away PostgreSQL for tests: one cluster for all test processes, a fresh database per test.
//!
//! With `STEWARD_TEST_PG_URL` set (an administrator's URL), that server is used. Otherwise the first process that
//! needs one starts a cluster under the system's temporary folder, the others find it there, and it stops and removes
//! itself after ten minutes without a new database. If PostgreSQL is not installed, tests fail and say so; they never skip.

use std::fs::{self, File, OpenOptions};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use postgres::{Client, NoTls};

/// Text of an error, with what the person running the tests can do about it.
type Failure = String;

/// Stops the cluster when no test has asked for a database for ten minutes. Works under `flock`, like everything that starts it.
const WATCH: &str = r#"
while sleep 20; do
  flock "$1/lock" sh -c '
    [ -n "$(find "$1/stamp" -mmin -10 2>/dev/null)" ] && exit 1
    $2 "$3/pg_ctl" -D "$1/data" -m immediate stop
    rm -rf "$1/data" "$1/url"' sh "$1" "$2" "$3" && exit 0
done"#;

/// A server on which tests may create databases.
#[derive(Debug)]
pub struct TestPostgres {
    admin: String,
    /// Touched for every database, so that the cluster knows it is in use. None for a server that is not ours.
    stamp: Option<PathBuf>,
}

impl TestPostgres {
    /// The server of this machine's test run.
    ///
    /// # Panics
    /// If there is no PostgreSQL, or it can't be started: a test that can't run must fail.
    #[must_use]
    #[allow(clippy::panic, reason = "only tests call this; they must fail, not skip")]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<TestPostgres> = OnceLock::new();
        SHARED.get_or_init(|| match find_or_start() {
            Ok(server) => server,
            Err(failure) => panic!("PostgreSQL for tests: {failure}"),
        })
    }

    /// Creates an empty database and answers its URL.
    ///
    /// # Panics
    /// If the server refuses.
    #[must_use]
    #[allow(clippy::panic, reason = "only tests call this; they must fail, not skip")]
    pub fn fresh_database(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if let Some(stamp) = &self.stamp {
            // A failure here only lets the cluster stop early, which the next line would report.
            let _ = fs::write(stamp, "");
        }
        let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let create = || -> Result<(), postgres::Error> {
            let mut client = Client::connect(&self.admin, NoTls)?;
            client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
            client.batch_execute(&format!("CREATE DATABASE {name}"))
        };
        if let Err(error) = create() {
            panic!("PostgreSQL for tests: no fresh database: {error} {:?}", std::error::Error::source(&error));
        }
        match self.admin.rsplit_once('/') {
            Some((server, _)) => format!("{server}/{name}"),
            None => panic!("PostgreSQL for tests: {} is no postgres://host/database url", self.admin),
        }
    }
}

fn find_or_start() -> Result<TestPostgres, Failure> {
    #[allow(clippy::disallowed_methods, reason = "an edge of test runs; no setting of the product")]
    if let Ok(url) = std::env::var("STEWARD_TEST_PG_URL") {
        return Ok(TestPostgres { admin: url, stamp: None });
    }
    let bin = binaries()?;
    let user = if is_root()? { "setpriv --reuid=postgres --regid=postgres --clear-groups" } else { "" };
    let home =
        std::env::temp_dir().join(format!("steward-test-postgres-{}", if user.is_empty() { "own" } else { "root" }));
    fs::create_dir_all(&home).map_err(text)?;
    if !user.is_empty() {
        run(Command::new("chown").args(["postgres:postgres"]).arg(&home))?;
    }
    let lock = OpenOptions::new().create(true).append(true).open(home.join("lock")).map_err(text)?;
    // flock(2), the same lock that the watcher takes; released when `lock` is dropped.
    lock.lock().map_err(text)?;
    let stamp = home.join("stamp");
    fs::write(&stamp, "").map_err(text)?;
    let running = fs::read_to_string(home.join("url")).ok().filter(|url| Client::connect(url, NoTls).is_ok());
    let admin = running.map_or_else(|| start(&home, user, &bin), Ok)?;
    Ok(TestPostgres { admin, stamp: Some(stamp) })
}

fn start(home: &Path, user: &str, bin: &Path) -> Result<String, Failure> {
    let data = home.join("data");
    if data.exists() {
        // Left behind by a machine that went down.
        let _ = run(as_user(user, bin, "pg_ctl").arg("-D").arg(&data).args(["-m", "immediate", "stop"]));
        fs::remove_dir_all(&data).map_err(text)?;
    }
    let init = ["-U", "steward", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"];
    run(as_user(user, bin, "initdb").arg("-D").arg(&data).args(init))?;
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).map_err(text)?.port();
    let options = format!(
        "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c synchronous_commit=off \
         -c full_page_writes=off -c max_connections=400 -c shared_buffers=64MB"
    );
    let log = data.join("log");
    run(as_user(user, bin, "pg_ctl")
        .arg("-D")
        .arg(&data)
        .arg("-l")
        .arg(&log)
        .arg("-w")
        .arg("-o")
        .arg(options)
        .arg("start"))?;
    let url = format!("postgres://steward@127.0.0.1:{port}/postgres");
    fs::write(home.join("url"), &url).map_err(text)?;
    let mut watch = Command::new("setsid");
    watch.args(["sh", "-c", WATCH, "sh"]).arg(home).arg(user).arg(bin);
    watch.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    watch.spawn().map_err(text)?;
    Ok(url)
}

/// The newest installed version's programs.
fn binaries() -> Result<PathBuf, Failure> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let version = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let newest = versions.map(|entry| entry.path()).filter(|path| path.join("bin/initdb").exists()).max_by_key(version);
    let missing = "not installed (no /usr/lib/postgresql/*/bin/initdb); run `apt-get install postgresql`, \
                   or set STEWARD_TEST_PG_URL to a server where databases may be created";
    newest.map(|path| path.join("bin")).ok_or_else(|| missing.to_owned())
}

fn is_root() -> Result<bool, Failure> {
    let answer = Command::new("id").arg("-u").output().map_err(text)?;
    Ok(answer.stdout.trim_ascii() == b"0")
}

/// PostgreSQL's programs refuse to run as root, as build machines do.
fn as_user(user: &str, bin: &Path, program: &str) -> Command {
    let program = bin.join(program);
    let mut words = user.split_whitespace();
    let Some(first) = words.next() else { return Command::new(program) };
    let mut command = Command::new(first);
    command.args(words).arg(program);
    command
}

fn run(command: &mut Command) -> Result<(), Failure> {
    let log = std::env::temp_dir();
    // To a file, not a pipe: the server inherits it, and a reader would wait for the server to end.
    let out = tempfile_in(&log)?;
    let status =
        command.current_dir("/").stdin(Stdio::null()).stdout(out.0.try_clone().map_err(text)?).stderr(out.0).status();
    let said = fs::read_to_string(&out.1).unwrap_or_default();
    let _ = fs::remove_file(&out.1);
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?} ended with {status}: {said}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

fn tempfile_in(folder: &Path) -> Result<(File, PathBuf), Failure> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("steward-test-{}-{}.log", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = folder.join(name);
    File::create(&path).map(|file| (file, path.clone())).map_err(text)
}

fn text(error: std::io::Error) -> Failure {
    error.to_string()
}
