//! Settings of the program: one table; every line of it is a command-line flag, an environment variable and a key of
//! the configuration file, in this order of precedence. It must never hold what an administrator sets in the product
//! (channels, people); that lives in the database. Start reading at [`Flags`].
#![forbid(unsafe_code)]

use clap::Args;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $field:ident : $type:ty, $env:literal, $sample:literal;)+) => {
        /// What the command line and the environment say; everything is optional.
        #[derive(Debug, Clone, Default, Args)]
        pub struct Flags {
            /// Configuration file (TOML)
            #[arg(long, env = "STEWARD_CONFIG", global = true)]
            pub config: Option<PathBuf>,
            $($(#[doc = $doc])+ #[arg(long, env = $env, global = true)] pub $field: Option<$type>,)+
        }

        /// What the file says.
        #[derive(Debug, Clone, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File { $(#[serde(default)] $field: Option<$type>,)+ }

        impl Flags {
            fn over(self, file: File) -> Self {
                Self { config: self.config, $($field: self.$field.or(file.$field),)+ }
            }
        }

        /// A sample configuration file, made from this table, with every line commented out.
        #[must_use]
        pub fn sample() -> String {
            let mut text = String::from("# Settings of Steward. Each can also be given as a flag (--name) or in the environment.\n");
            $(
                text.push('\n');
                $(text.push_str(concat!("#", $doc, "\n"));)+
                text.push_str(concat!("# environment: ", $env, "\n# ", stringify!($field), " = ", $sample, "\n"));
            )+
            text
        }
    };
}

settings! {
    /// Folder of everything: database, files, key
    data: PathBuf, "STEWARD_DATA", "\"./data\"";
    /// Address and port of the web server
    listen: SocketAddr, "STEWARD_LISTEN", "\"127.0.0.1:7007\"";
    /// Address under which people reach it; https makes cookies secure
    public_url: String, "STEWARD_PUBLIC_URL", "\"https://help.example.com\"";
    /// Proxies whose X-Forwarded-For is believed, separated by commas (addresses or networks)
    trusted_proxies: String, "STEWARD_TRUSTED_PROXIES", "\"10.0.0.1\"";
    /// PostgreSQL instead of the embedded database
    database_url: String, "STEWARD_DATABASE_URL", "\"postgresql://steward@localhost/steward\"";
    /// Connections that read (embedded) or worker threads (PostgreSQL)
    database_workers: usize, "STEWARD_DATABASE_WORKERS", "4";
    /// Address and port of the built-in mail receiver; without it mail comes by IMAP only
    smtp_listen: SocketAddr, "STEWARD_SMTP_LISTEN", "\"127.0.0.1:2525\"";
    /// Name the mail receiver and outgoing mail call this server by
    mail_host: String, "STEWARD_MAIL_HOST", "\"mail.example.com\"";
    /// Inner networks that mail servers and webhooks may be in, separated by commas; all other private addresses are refused
    allowed_networks: String, "STEWARD_ALLOWED_NETWORKS", "\"127.0.0.0/8\"";
    /// Turns rate limits off; for load measurements only
    no_rate_limits: bool, "STEWARD_NO_RATE_LIMITS", "false";
}

/// Settings that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path}: {message}")]
    File { path: PathBuf, message: String },
}

/// Complete settings.
#[derive(Debug, Clone)]
pub struct Settings {
    pub data: PathBuf,
    pub listen: SocketAddr,
    pub public_url: Option<String>,
    pub trusted_proxies: Vec<String>,
    pub database_url: Option<String>,
    pub database_workers: usize,
    pub smtp_listen: Option<SocketAddr>,
    pub mail_host: String,
    pub allowed_networks: Vec<String>,
    pub no_rate_limits: bool,
}

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7007);

impl Flags {
    /// Reads the file (if one is named) and fills in the defaults.
    ///
    /// # Errors
    /// [`Error::File`] when the named file can't be read or holds an unknown key.
    pub fn settle(self) -> Result<Settings, Error> {
        let file = match &self.config {
            Some(path) => read(path)?,
            None => File::default(),
        };
        let flags = self.over(file);
        Ok(Settings {
            data: flags.data.unwrap_or_else(|| PathBuf::from("data")),
            listen: flags.listen.unwrap_or(DEFAULT_LISTEN),
            public_url: flags.public_url,
            trusted_proxies: list(flags.trusted_proxies),
            database_url: flags.database_url,
            database_workers: flags.database_workers.unwrap_or(4).clamp(1, 64),
            smtp_listen: flags.smtp_listen,
            mail_host: flags.mail_host.unwrap_or_else(|| "localhost".to_owned()),
            allowed_networks: list(flags.allowed_networks),
            no_rate_limits: flags.no_rate_limits.unwrap_or(false),
        })
    }
}

fn read(path: &Path) -> Result<File, Error> {
    let fail = |message: String| Error::File { path: path.to_owned(), message };
    let text = std::fs::read_to_string(path).map_err(|e| fail(e.to_string()))?;
    toml::from_str(&text).map_err(|e| fail(e.to_string()))
}

fn list(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "data = \"/srv/steward\"\nlisten = \"127.0.0.1:9\"\n").unwrap();
        let flags = Flags {
            config: Some(file.path().to_owned()),
            listen: Some("127.0.0.1:80".parse().unwrap()),
            ..Flags::default()
        };
        let settings = flags.settle().unwrap();
        assert_eq!(settings.data, PathBuf::from("/srv/steward"));
        assert_eq!(settings.listen.port(), 80);
        assert_eq!(settings.database_workers, 4);
    }

    #[test]
    fn an_unknown_key_is_an_error_and_the_sample_is_valid() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "dta = \"x\"\n").unwrap();
        let flags = Flags { config: Some(file.path().to_owned()), ..Flags::default() };
        assert!(flags.settle().is_err());
        let uncommented: String = sample()
            .lines()
            .filter(|l| l.contains(" = "))
            .map(|l| format!("{}\n", l.trim_start_matches("# ")))
            .collect();
        assert!(toml::from_str::<File>(&uncommented).is_ok(), "{uncommented}");
    }
}
