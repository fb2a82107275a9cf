//! The command line of Steward.
#![forbid(unsafe_code)]

use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;
use steward::folder::Folder;
use steward::{assemble, demo, serve};

/// Customer service in one program.
#[derive(Parser)]
#[command(name = "steward", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    flags: config::Flags,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the product; an empty data folder leads to the set-up page
    Serve,
    /// Fill an empty data folder with a demo company, then serve
    Demo {
        /// Only fill, don't serve
        #[arg(long)]
        only_fill: bool,
    },
    /// Print the API description
    Openapi,
    /// Print a sample configuration file
    SampleConfig,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_env("STEWARD_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,lettre=warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "steward ends");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let settings = cli.flags.settle()?;
    // One crypto provider for the whole process; a second one would make TLS panic.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match cli.command {
        Command::Serve => {
            let (folder, edges) = open(&settings)?;
            runtime()?.block_on(async {
                let assembled = assemble::assemble(&folder, &settings, edges)?;
                Ok(serve::serve(assembled, &settings).await?)
            })
        }
        Command::Demo { only_fill } => {
            let mut settings = settings;
            demo::prepare(&mut settings)?;
            let (folder, edges) = open(&settings)?;
            runtime()?.block_on(async {
                let mail = demo::mail_sink(&settings).await?;
                let filled = demo::fill(&folder, &settings, &mail).await?;
                welcome(&settings, mail.port(), filled)?;
                if only_fill {
                    return Ok(());
                }
                let assembled = assemble::assemble(&folder, &settings, edges)?;
                Ok(serve::serve(assembled, &settings).await?)
            })
        }
        Command::Openapi => {
            let scratch = std::env::temp_dir().join(format!("steward-openapi-{}", std::process::id()));
            let settings = config::Settings { data: scratch.clone(), database_url: None, ..settings };
            let (folder, edges) = open(&settings)?;
            let assembled = assemble::assemble(&folder, &settings, edges)?;
            std::io::stdout().write_all(assembled.openapi.as_bytes())?;
            std::fs::remove_dir_all(&scratch)?;
            Ok(())
        }
        Command::SampleConfig => Ok(std::io::stdout().write_all(config::sample().as_bytes())?),
    }
}

fn open(settings: &config::Settings) -> Result<(Folder, spine::Edges), Failure> {
    let edges = spine::Edges::real();
    let folder = Folder::open(settings, edges.clock.now())?;
    Ok((folder, edges))
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

fn welcome(settings: &config::Settings, sink: u16, filled: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let sent = settings.data.join("sent-mail");
    if filled {
        writeln!(out, "The demo company is ready.")?;
    }
    writeln!(out, "\n  Open   http://{}\n", settings.listen)?;
    writeln!(out, "  Sign in with any of these, password {}", demo::PASSWORD)?;
    for (name, email, role) in demo::sign_ins() {
        writeln!(out, "    {email:<22} {role:<14} {name}")?;
    }
    if let Some(address) = settings.smtp_listen {
        writeln!(
            out,
            "\n  Mail to the company goes to {address}; what it sends is kept in {} (port {sink})",
            sent.display()
        )?;
    }
    writeln!(out)?;
    out.flush()
}
