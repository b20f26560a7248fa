//! Every flag, with its documentation. Global flags are accepted before and after the subcommand.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use umbilical_core::Day;

/// Finds the cellular modules hidden in devices, says who can reach into them, and what to collect next.
#[derive(Parser, Debug)]
#[command(
    name = "umbilical",
    version,
    max_term_width = 100,
    after_help = "Examples:
  umbilical audit evidence/                    read everything in a folder and answer
  umbilical audit sims.csv --format csv        one line per device and module
  umbilical explain GW-0042                    the whole chain behind one device of the last audit
  umbilical lookup EG25GGBR07A08M2G            what is known of an id, model, FCC ID, TAC, domain, organisation
  umbilical bom check hardware/                is a module named, hidden or absent in the bills of materials?
  umbilical bom verify --declared hw/ --observed evidence/    declared against observed

Exit codes: 0 answered · 1 something named in --fail-on was found · 2 bad flags, missing path or nothing
readable · 3 an unknown or review named in --fail-on · 4 a signature, schema or proof failed · 5 a bug"
)]
pub struct Args {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command.
#[derive(ClapArgs, Debug, Clone)]
pub struct Global {
    /// Data folder [default: the platform's data directory]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global")]
    pub home: Option<PathBuf>,
    /// Form of the answer
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value_t = Format::Table, help_heading = "Global")]
    pub format: Format,
    /// Write the answer to a file instead of standard output
    #[arg(long, short, global = true, value_name = "FILE", help_heading = "Global")]
    pub output: Option<PathBuf>,
    /// Answer as of the end of this day in UTC [default: today]
    #[arg(long, global = true, value_name = "YYYY-MM-DD", help_heading = "Global")]
    pub as_of: Vec<Day>,
    /// A pack of rules: a shipped one by its id, a file, or a folder with pack.toml (repeatable)
    #[arg(long, global = true, value_name = "PACK", help_heading = "Global")]
    pub policy: Vec<String>,
    /// Exit 1 or 3 when one of these is found: unknown, undisclosed, fail, review, incident, info, low, medium, high, critical, or a finding's code
    #[arg(long, global = true, value_name = "LIST", value_delimiter = ',', help_heading = "Global")]
    pub fail_on: Vec<String>,
    /// Do not keep the answer in the home
    #[arg(long, global = true, help_heading = "Global")]
    pub no_save: bool,
    /// A folder whose tables replace the built-in ones of the same name
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global")]
    pub knowledge: Option<PathBuf>,
    /// Show ICCID, IMSI and MSISDN whole (otherwise first 5 and last 2 digits)
    #[arg(long, global = true, help_heading = "Global")]
    pub show_subscribers: bool,
    /// Exit 2 when any input could not be read
    #[arg(long, global = true, help_heading = "Global")]
    pub strict: bool,
    /// No progress bar and no notes on standard error
    #[arg(long, short, global = true, help_heading = "Global")]
    pub quiet: bool,
    /// Colour on the terminal (NO_COLOR is honoured)
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN", help_heading = "Global")]
    pub color: Colour,
    /// Where the answer is kept instead of shown; no flag.
    #[arg(skip)]
    pub capture: Option<crate::out::Capture>,
}

/// Forms of an answer.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people at a terminal
    Table,
    /// One document
    Json,
    /// One line per device and module
    Csv,
    /// One self-contained page
    Html,
    /// A picture
    Svg,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
    /// JUnit XML, for CI
    Junit,
    /// CycloneDX JSON
    Cyclonedx,
    /// A workbook
    Xlsx,
    /// JSON Lines
    Jsonl,
    /// Parquet, for data lakes
    Parquet,
    /// CSV for NetBox's bulk import of devices
    Netbox,
    /// CSV for NetBox's bulk import of inventory items
    NetboxItems,
    /// CSV for an import set of ServiceNow
    Servicenow,
    /// STIX 2.1, a bundle
    Stix,
    /// OCSF JSON Lines
    Ocsf,
    /// Syslog lines (RFC 5424) with CEF in them
    Cef,
    /// Syslog lines (RFC 5424) with LEEF in them
    Leef,
    /// Events for the HTTP Event Collector of Splunk
    Hec,
}

impl Format {
    /// As typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Html => "html",
            Self::Svg => "svg",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Junit => "junit",
            Self::Cyclonedx => "cyclonedx",
            Self::Xlsx => "xlsx",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
            Self::Netbox => "netbox",
            Self::NetboxItems => "netbox-items",
            Self::Servicenow => "servicenow",
            Self::Stix => "stix",
            Self::Ocsf => "ocsf",
            Self::Cef => "cef",
            Self::Leef => "leef",
            Self::Hec => "hec",
        }
    }
}

/// When to colour.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Read evidence of any kind, resolve devices, identify modules, trace owners, answer
    #[command(after_help = "Reads files and folders whatever their format: lsusb, usb-devices, dmesg, lspci, mmcli, AT transcripts, fwupd,
snmpwalk and snmprec, router status, exports of SIM platforms, device management and asset registers
(CSV, TSV, XLSX, ODS, JSON, JSONL), labels and notes, bills of materials; also inside zip, tar and gzip. `-` is standard input.

Examples:
  umbilical audit evidence/ sims.csv
  umbilical audit --format html -o fleet.html evidence/
  umbilical audit --map columns.toml export.csv      name the columns yourself
  umbilical audit --fail-on unknown,high evidence/   as a gate in CI
  lsusb | umbilical audit -")]
    Audit(Audit),
    /// Show the whole chain behind a device, claim or finding
    #[command(after_help = "Examples:
  umbilical explain GW-0042                  by asset id, name, IMEI or id, from the last audit
  umbilical explain dev-0123456789ab evidence/")]
    Explain(Explain),
    /// Say what the knowledge base knows of an id, model, FCC ID, TAC, domain, revision or organisation
    #[command(after_help = "Examples:
  umbilical lookup 2c7c:0125
  umbilical lookup 86882204
  umbilical lookup XMR201909EC25AFX
  umbilical lookup \"Rolling Wireless\" --as-of 2024-07-25")]
    Lookup(Lookup),
    /// Bills of materials: read any dialect, check, convert, compare, verify against what is observed
    #[command(subcommand)]
    Bom(crate::commands::bom::Bom),
    /// Law and house rules: verdicts as of a day, with the clause and what would change them
    #[command(subcommand)]
    Policy(crate::commands::policy::Policy),
    /// Drafts for regulators, tenders and suppliers, filled in from the answer
    #[command(after_help = crate::commands::report::EXAMPLES)]
    Report(Box<crate::commands::report::Report>),
    /// Facts from elsewhere: a licensed TAC file, signed bundles of tables and packs
    #[command(subcommand)]
    Knowledge(crate::commands::knowledge::Knowledge),
    /// Write parts of the last audit for other tools, or an evidence pack of the store
    #[command(after_help = crate::commands::pack::EXPORT)]
    Export(ExportArgs),
    /// Write the store of the home to one file
    #[command(after_help = crate::commands::backup::BACKUP)]
    Backup(crate::commands::backup::Backup),
    /// Make a store of a backup
    #[command(after_help = crate::commands::backup::RESTORE)]
    Restore(crate::commands::backup::Restore),
    /// Check an evidence pack, offline
    #[command(after_help = crate::commands::pack::EXAMPLES)]
    Verify(crate::commands::pack::Verify),
    /// Check this installation: home, tables, packs, waivers, the log of decisions
    #[command(after_help = crate::commands::doctor::EXAMPLES)]
    Doctor,
    /// Read captures: modules on the network, their conversations, and what these call themselves
    #[command(after_help = crate::commands::watch::EXAMPLES)]
    Watch(crate::commands::watch::Watch),
    /// Serve pages and an API on the home, for a team
    #[command(after_help = crate::commands::serve::EXAMPLES)]
    Serve(Box<crate::commands::serve::Serve>),
    /// Look at the four example fleets in a browser, without an account
    #[command(after_help = crate::commands::demo::EXAMPLES)]
    Demo(Box<crate::commands::demo::Demo>),
    /// Print shell completions
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// `audit`.
#[derive(ClapArgs, Debug)]
pub struct Audit {
    /// Files and folders; `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// How columns of tables map to fields (TOML), overriding the guess that the answer prints
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// Threads for reading [default: all]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    #[command(flatten)]
    pub asked: crate::law::Asked,
}

/// `explain`.
#[derive(ClapArgs, Debug)]
pub struct Explain {
    /// Device id, claim id, finding id, asset id, name, IMEI or evidence path
    pub id: String,
    /// Evidence to read instead of the last audit in the home
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// How columns of tables map to fields (TOML)
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
}

/// `lookup`.
#[derive(ClapArgs, Debug)]
pub struct Lookup {
    /// USB or PCI id, TAC or IMEI, FCC ID, revision, model, domain, MAC address, brand or organisation
    #[arg(required = true, num_args = 1..)]
    pub text: Vec<String>,
}

/// `export`.
#[derive(ClapArgs, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ExportArgs {
    /// What to write.
    #[command(subcommand)]
    pub what: Option<Export>,
    /// Or a pack.
    #[command(flatten)]
    pub pack: crate::commands::pack::Pack,
}

/// `export …`.
#[derive(Subcommand, Debug)]
pub enum Export {
    /// Devices and their modules: csv, xlsx, jsonl, parquet and cyclonedx read back as the same fleet; netbox, netbox-items, servicenow
    #[command(after_help = crate::commands::export::DEVICES)]
    Devices {
        /// Evidence to read instead of the last audit in the home
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Findings: stix, ocsf, cef, leef, hec, sarif, jsonl, csv
    #[command(after_help = crate::commands::export::FINDINGS)]
    Findings {
        /// Evidence to read instead of the last audit in the home
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Module → maker of the device → device, as CSV or JSON
    Edges {
        /// Evidence to read instead of the last audit in the home
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Type allocation codes learned from this evidence, as CSV or JSON
    Tac {
        /// Evidence to read instead of the last audit in the home
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
}
