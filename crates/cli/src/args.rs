//! The arguments of the command line.

mod delta;

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use codeanatomy::schema::EvolutionPolicy;
use codeanatomy_project::DiagnosticsProfile;
use codeanatomy_vocab::{DatasetName, DeltaVersionSelector, UnixMillis, ViewName};

use crate::exit::EXIT_CODES;

pub(crate) use self::delta::{
    Delta, DeltaCdf, DeltaCheckpoint, DeltaCleanupLog, DeltaCursor, DeltaCursorReset,
    DeltaCursorShow, DeltaFiles, DeltaHistory, DeltaOptimize, DeltaRestore, DeltaTable,
    DeltaVacuum, StoreValue,
};

/// Reproducible query pipelines on Apache DataFusion and Delta Lake.
///
/// Keep plain SQL views in a folder. CodeAnatomy finds their graph, pins every input, builds what
/// changed and skips what provably did not.
#[derive(Debug, Parser)]
#[command(name = "codeanatomy", bin_name = "codeanatomy", version, after_help = EXIT_CODES)]
#[command(
    max_term_width = 100,
    propagate_version = false,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The project's folder; without it, the nearest folder upwards that has a codeanatomy.toml
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
    /// How the result is printed; `json` prints one document and nothing else on stdout
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub(crate) format: Format,
    /// Override a setting of the session, for example `--set memory_limit=2GiB`
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<Setting>,
    /// The time that queries see as now, for example 2026-01-15 or 2026-01-15T10:30:00Z [default:
    /// the time at the start]
    #[arg(long, global = true, value_name = "TIME", value_parser = time)]
    pub(crate) as_of: Option<UnixMillis>,
    /// Read this version of a dataset, a number or a time, for example `--pin orders=12` or `--pin
    /// orders=2026-01-15T10:30:00Z`
    #[arg(long = "pin", global = true, value_name = "NAME=VERSION|TIMESTAMP")]
    pub(crate) pins: Vec<Pin>,
    /// How much to say about a run: debug, dev or prod
    #[arg(long, global = true, value_name = "PROFILE", value_parser = diagnostics_profile)]
    pub(crate) diagnostics_profile: Option<DiagnosticsProfile>,
    /// Show no progress, only results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Show more; twice or three times for still more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Whether to use colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: ColorChoice,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the TPC-H example with data, build it and say what to try next
    Demo(Demo),
    /// Make a new project that builds at once
    Init(Init),
    /// Show what a build would do, and why
    Plan(Plan),
    /// Build what changed, skip what did not
    Build(Build),
    /// Show how a view will be executed
    Explain(Explain),
    /// Hold contracts against what they are about
    Check(Check),
    /// Make contracts
    #[command(subcommand)]
    Contract(Contract),
    /// Show where columns come from, and what a change of them can reach
    Lineage(Lineage),
    /// Show why a view changed: the smallest set of changes that explains it
    Why(Why),
    /// Show why a view did not change, though something else did
    WhyNot(Why),
    /// Compare two runs, view by view
    Diff(Diff),
    /// Run a past run again, at the inputs that it had
    Replay(Replay),
    /// Look at Delta tables, and look after them
    #[command(subcommand)]
    Delta(Delta),
    /// Look at past runs
    #[command(subcommand)]
    Runs(Runs),
    /// Look at the functions that views can call
    #[command(subcommand)]
    Udf(Udf),
    /// Look at the configuration
    #[command(subcommand)]
    Config(Config),
    /// Print the identity of every view
    Fingerprints(Fingerprints),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the versions of this program and its engine
    Version,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where to make it [default: examples/tpch in a clone of the repository, else
    /// ./codeanatomy-demo]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// How much data: 1 is about 6 million order lines and 1 GB of text
    #[arg(long, value_name = "FACTOR", default_value = "0.1", value_parser = scale_factor)]
    pub(crate) scale: f64,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The new project's folder [default: the current one]
    #[arg(value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Take the tables and files in this folder as datasets
    #[arg(long, value_name = "DIR")]
    pub(crate) from: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// Only these views and what they read [default: all]
    #[arg(value_name = "VIEW")]
    pub(crate) views: Vec<ViewName>,
    /// Exit with 8 when a build would do anything
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    /// Only these views and what they read [default: all]
    #[arg(value_name = "VIEW")]
    pub(crate) views: Vec<ViewName>,
    /// Build also what did not change
    #[arg(long)]
    pub(crate) force: bool,
    /// Stop at the first failure; without it, views that do not depend on it are still built
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Send OpenLineage events to an endpoint, or add them to a file
    #[arg(long, value_name = "URL|FILE")]
    pub(crate) openlineage: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The view
    #[arg(value_name = "VIEW")]
    pub(crate) view: ViewName,
    /// Which form of its plan
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    pub(crate) kind: PlanKind,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Only the contracts of these views and datasets [default: all]
    #[arg(value_name = "VIEW|DATASET")]
    pub(crate) names: Vec<String>,
    /// Look at the rows too; for named views and datasets with statistics of their columns
    #[arg(long)]
    pub(crate) rows: bool,
    /// Show at most this many invalid rows of each
    #[arg(long, value_name = "N", default_value_t = 5, requires = "rows")]
    pub(crate) samples: usize,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Contract {
    /// Write the contract that a view or dataset keeps now
    Init(ContractInit),
}

#[derive(Debug, Args)]
pub(crate) struct ContractInit {
    /// The view or dataset
    #[arg(value_name = "VIEW|DATASET")]
    pub(crate) name: String,
    /// How far the columns may depart from it: STRICT, ADDITIVE or RELAXED [default: STRICT for
    /// views, ADDITIVE for datasets]
    #[arg(long, value_name = "POLICY", value_parser = evolution)]
    pub(crate) evolution: Option<EvolutionPolicy>,
    /// Replace a contract that is there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Lineage {
    /// A view, a dataset, or a column of one [default: all views]
    #[arg(value_name = "VIEW[.COLUMN]")]
    pub(crate) target: Option<String>,
    /// Show what it comes from [default for views]
    #[arg(long)]
    pub(crate) upstream: bool,
    /// Show what can change with it [default for datasets]
    #[arg(long, conflicts_with = "upstream")]
    pub(crate) downstream: bool,
    /// Print a Graphviz graph
    #[arg(long)]
    pub(crate) dot: bool,
    /// Which form of the answer
    #[arg(long, value_enum, value_name = "KIND", conflicts_with = "dot")]
    pub(crate) kind: Option<LineageKind>,
}

#[derive(Debug, Args)]
pub(crate) struct Why {
    /// The view
    #[arg(value_name = "VIEW")]
    pub(crate) view: ViewName,
    /// The earlier side [default: the run that made the view's output, else the newest run with it]
    #[arg(long, value_name = "RUN")]
    pub(crate) from: Option<String>,
    /// The later side [default: the project as it is]
    #[arg(long, value_name = "RUN")]
    pub(crate) to: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The earlier run: its id, or enough of its beginning
    #[arg(value_name = "RUN")]
    pub(crate) before: String,
    /// The later run
    #[arg(value_name = "RUN")]
    pub(crate) after: String,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The run: its id, or enough of its beginning
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
    /// Only this view [default: all that the run computed and stored]
    #[arg(value_name = "VIEW")]
    pub(crate) view: Option<ViewName>,
    /// Compare the rows with those of the run; exit with 7 when they differ
    #[arg(long)]
    pub(crate) verify: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Runs {
    /// List past runs, newest first
    List(RunsList),
    /// Show one run
    Show(RunsShow),
}

#[derive(Debug, Args)]
pub(crate) struct RunsList {
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct RunsShow {
    /// The run's id, or enough of its beginning [default: the newest run]
    #[arg(value_name = "RUN")]
    pub(crate) run: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Udf {
    /// List the functions
    List(UdfList),
    /// Show what is known of one function
    Show(UdfShow),
}

#[derive(Debug, Args)]
pub(crate) struct UdfList {
    /// Also list the functions of the engine
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UdfShow {
    /// The name of a function, or another name for it
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Show every setting
    Show(ConfigShow),
    /// Check codeanatomy.toml and all view files
    Validate,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigShow {
    /// Say for each setting where its value comes from
    #[arg(long)]
    pub(crate) with_sources: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Fingerprints {
    /// Only these views and what they read [default: all]
    #[arg(value_name = "VIEW")]
    pub(crate) views: Vec<ViewName>,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// How results are printed: for people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
}

/// When to use colours: on a terminal that wants them, everywhere or nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}

/// A form of an answer about lineage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LineageKind {
    /// A tree of columns.
    Tree,
    /// A Graphviz graph.
    Dot,
}

/// A form of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum PlanKind {
    /// As the SQL says it.
    Logical,
    /// After the optimizer.
    #[default]
    Optimized,
    /// As it will run.
    Physical,
    /// The optimized plan as a Graphviz graph.
    Dot,
    /// How far two runs agree, and the node of the plan that decides it.
    Determinism,
    /// The plan as Substrait, in JSON.
    Substrait,
    /// What a build keeps of the plan, for a replay, in JSON.
    Bundle,
}

/// One `KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// One `NAME=VERSION|TIMESTAMP`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pin {
    pub(crate) dataset: DatasetName,
    pub(crate) selector: DeltaVersionSelector,
    /// As it was typed.
    pub(crate) text: String,
}

/// What must be known of the arguments even when they are wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Glance {
    pub(crate) format: Format,
    pub(crate) color: ColorChoice,
}

impl PlanKind {
    /// The name on the command line and in JSON.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Logical => "logical",
            Self::Optimized => "optimized",
            Self::Physical => "physical",
            Self::Dot => "dot",
            Self::Determinism => "determinism",
            Self::Substrait => "substrait",
            Self::Bundle => "bundle",
        }
    }
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok(Self {
                key: key.trim().to_owned(),
                value: value.to_owned(),
            }),
            _ => Err("expected KEY=VALUE".to_owned()),
        }
    }
}

impl FromStr for Pin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            "expected NAME=VERSION or NAME=TIME, such as orders=12 or orders=2026-01-15T10:30:00Z"
                .to_owned()
        };
        let (name, wish) = text.split_once('=').ok_or_else(expected)?;
        let dataset = DatasetName::new(name.trim()).map_err(|error| error.to_string())?;
        let wish = wish.trim();
        let is_number = !wish.is_empty() && wish.bytes().all(|byte| byte.is_ascii_digit());
        let selector = if is_number {
            DeltaVersionSelector::Version(wish.parse().map_err(|_| expected())?)
        } else {
            DeltaVersionSelector::Timestamp(time(wish).map_err(|_| expected())?)
        };
        Ok(Self {
            dataset,
            selector,
            text: text.to_owned(),
        })
    }
}

impl Glance {
    /// Looks for `--format` and `--color` without judging the rest.
    pub(crate) fn at(args: &[OsString]) -> Self {
        let value = |name: &str| {
            let mut args = args
                .iter()
                .map(|arg| arg.to_string_lossy())
                .take_while(|arg| arg != "--");
            let mut found = None;
            while let Some(arg) = args.next() {
                if arg == name {
                    found = args.next().map(|value| value.into_owned());
                } else if let Some(value) = arg.strip_prefix(name)
                    && let Some(value) = value.strip_prefix('=')
                {
                    found = Some(value.to_owned());
                }
            }
            found
        };
        Self {
            format: value("--format")
                .and_then(|value| Format::from_str(&value, false).ok())
                .unwrap_or_default(),
            color: value("--color")
                .and_then(|value| ColorChoice::from_str(&value, false).ok())
                .unwrap_or_default(),
        }
    }
}

fn diagnostics_profile(name: &str) -> Result<DiagnosticsProfile, String> {
    DiagnosticsProfile::from_name(name).ok_or_else(|| "expected debug, dev or prod".to_owned())
}

fn evolution(name: &str) -> Result<EvolutionPolicy, String> {
    EvolutionPolicy::parse(name).map_err(|_| "expected STRICT, ADDITIVE or RELAXED".to_owned())
}

/// A time in UTC; a day alone is its beginning.
fn time(text: &str) -> Result<UnixMillis, String> {
    let full = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        _ => text.to_owned(),
    };
    humantime::parse_rfc3339(&full)
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .map(UnixMillis)
        .ok_or_else(|| "expected a time in UTC such as 2026-01-15T10:30:00Z".to_owned())
}

fn scale_factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if (0.001..=1000.0).contains(&factor) => Ok(factor),
        _ => Err("expected a number from 0.001 to 1000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_of_every_command_may_stand_before_or_after_it() {
        for args in [
            &["codeanatomy", "--format", "json", "plan", "a"][..],
            &["codeanatomy", "plan", "a", "--format=json"][..],
        ] {
            let cli = Cli::try_parse_from(args).unwrap();
            assert_eq!(cli.global.format, Format::Json);
        }
    }

    #[test]
    fn the_wish_for_json_is_seen_in_arguments_that_are_wrong() {
        let glance =
            |args: &[&str]| Glance::at(&args.iter().map(OsString::from).collect::<Vec<_>>()).format;
        assert_eq!(glance(&["biuld", "--format", "json"]), Format::Json);
        assert_eq!(glance(&["--format=json", "biuld"]), Format::Json);
        assert_eq!(glance(&["--format", "yaml"]), Format::Text);
        assert_eq!(glance(&["--format"]), Format::Text);
        assert_eq!(glance(&["--", "--format=json"]), Format::Text);
    }

    #[test]
    fn a_setting_needs_a_key_and_an_equals_sign() {
        assert_eq!(
            "datafusion.x=a=b".parse(),
            Ok(Setting {
                key: "datafusion.x".into(),
                value: "a=b".into()
            })
        );
        assert!("x".parse::<Setting>().is_err());
        assert!("=x".parse::<Setting>().is_err());
    }

    #[test]
    fn a_pin_is_a_dataset_and_a_version_or_a_time() {
        let selector = |text: &str| text.parse::<Pin>().map(|pin| pin.selector);
        assert_eq!(selector("orders=12"), Ok(DeltaVersionSelector::Version(12)));
        let day = DeltaVersionSelector::Timestamp(UnixMillis(86_400_000));
        assert_eq!(selector("orders=1970-01-02"), Ok(day));
        for wrong in [
            "orders",
            "orders=",
            "orders=-1",
            "orders=soon",
            "../x=1",
            "=1",
        ] {
            assert!(wrong.parse::<Pin>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_is_a_day_or_an_instant_in_utc() {
        assert_eq!(time("1970-01-02"), Ok(UnixMillis(86_400_000)));
        assert_eq!(time("1970-01-01T00:00:01.5Z"), Ok(UnixMillis(1_500)));
        for wrong in ["", "soon", "2026-13-01", "2026-01-15T10:30:00", "10:30"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_view_name_that_would_leave_its_folder_is_no_argument() {
        let error = Cli::try_parse_from(["codeanatomy", "build", "../x"]).unwrap_err();
        assert!(error.to_string().contains("is not a view name"), "{error}");
    }
}
