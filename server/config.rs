//! The server's settings: one table of flags with their `ROPEWALK_*` variables, read into plain data.
//!
//! Nothing here reads the process's environment or the clock; both are arguments. A flag wins over its
//! variable, a variable over the default. Unknown variables are refused by name, because a
//! setting that is misspelt and ignored is found out much later.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::model::{Error, ImageReference, Message, Result, Secret, closest};
use crate::msg;

const PREFIX: &str = "ROPEWALK_";
const CLIENT_VARIABLES: [&str; 3] = ["ROPEWALK_URL", "ROPEWALK_TOKEN", "ROPEWALK_TOKEN_FILE"];

/// Everything `serve` is told, resolved and checked.
#[derive(Clone, Debug)]
pub struct Serve {
    /// Absolute. Holds the database, repositories and logs.
    pub data: PathBuf,
    pub listen: SocketAddr,
    /// `http://registry.local:5000`, without a slash at its end.
    pub registry: String,
    /// `unix://`, `npipe://`, `tcp://` or `http://`.
    pub docker: String,
    /// Absolute, and the same path on the engine's host.
    pub workspaces: PathBuf,
    pub step_image: String,
    /// The engine's socket as steps get it; `None` keeps the engine from them.
    pub step_socket: Option<PathBuf>,
    /// Where people reach the server: `http://localhost:3000`, without a slash at its end.
    pub url: String,
    /// Other addresses at which people reach it, written in the same way.
    pub other_urls: Vec<String>,
    /// How many runs are carried out at once.
    pub jobs: usize,
    /// Threads that answer HTTP.
    pub workers: usize,
    /// For the first start only: the password of `admin`. Beside it what the stack's registry sends along.
    pub admin_password: Option<Secret>,
    pub hook_token: Option<Secret>,
    /// Bytes.
    pub step_memory: Option<u64>,
    /// Cores, e.g. 1.5.
    pub step_cpus: Option<f64>,
    pub step_pids: Option<u32>,
    pub run_timeout_minutes: u64,
    pub max_push_bytes: u64,
    /// Most bytes of one stage's log that are kept.
    pub log_limit_bytes: u64,
    pub poll_seconds: u64,
    /// `name:address` lines for the hosts file of steps; the address may be `host-gateway`.
    pub step_hosts: Vec<String>,
    /// What is logged, as `tracing` filters are written: `info`, `ropewalk=debug`.
    pub log: String,
    /// One JSON object per line instead of text.
    pub log_json: bool,
}

/// One row of the table. `--NAME VALUE`, or `ROPEWALK_NAME`; a secret has no flag for itself but for a
/// file that holds it (`--NAME-file`), as a command line can be read by everybody on the machine.
pub struct Setting {
    pub name: &'static str,
    /// Without its dashes; the name, but for secrets.
    pub flag: &'static str,
    pub value: &'static str,
    /// As documentation shows it; empty when there is none.
    pub default: &'static str,
    pub help: fn() -> Message,
}

const fn setting(
    name: &'static str,
    value: &'static str,
    default: &'static str,
    help: fn() -> Message,
) -> Setting {
    Setting { name, flag: name, value, default, help }
}

/// All settings of `serve`, in the order of the documentation.
pub const SETTINGS: &[Setting] = &[
    setting("data", "DIR", "./data", || msg!("cli-set-data")),
    setting("listen", "ADDR:PORT", "0.0.0.0:3000", || msg!("cli-set-listen")),
    setting("url", "URL,...", "http://localhost:PORT", || msg!("cli-set-url")),
    setting("registry", "URL", "http://registry.local:5000", || msg!("cli-set-registry")),
    setting("docker", "HOST", "unix:///var/run/docker.sock", || msg!("cli-set-docker")),
    setting("workspaces", "DIR", "DATA/workspaces", || msg!("cli-set-workspaces")),
    setting("jobs", "N", "cores", || msg!("cli-set-jobs")),
    setting("workers", "N", "2", || msg!("cli-set-workers")),
    setting("step-image", "IMAGE", "ropewalk/step", || msg!("cli-set-step-image")),
    setting("step-socket", "PATH", "/var/run/docker.sock", || msg!("cli-set-step-socket")),
    setting("step-hosts", "NAME:ADDR,...", "registry.local:host-gateway", || msg!("cli-set-step-hosts")),
    setting("step-memory", "SIZE", "", || msg!("cli-set-step-memory")),
    setting("step-cpus", "N", "", || msg!("cli-set-step-cpus")),
    setting("step-pids", "N", "", || msg!("cli-set-step-pids")),
    setting("run-timeout-minutes", "N", "120", || msg!("cli-set-run-timeout")),
    setting("log-limit", "SIZE", "1g", || msg!("cli-set-log-limit")),
    setting("max-push", "SIZE", "2g", || msg!("cli-set-max-push")),
    setting("poll-seconds", "N", "60", || msg!("cli-set-poll-seconds")),
    Setting {
        flag: "admin-password-file",
        ..setting("admin-password", "PATH", "", || msg!("cli-set-admin-password"))
    },
    Setting { flag: "hook-token-file", ..setting("hook-token", "PATH", "", || msg!("cli-set-hook-token")) },
    setting("log", "FILTER", "info,actix_server=warn", || msg!("cli-set-log")),
    setting("log-format", "text|json", "text", || msg!("cli-set-log-format")),
];

impl Setting {
    /// `step-image` -> `ROPEWALK_STEP_IMAGE`.
    pub fn variable(&self) -> String {
        variable(self.name)
    }
    pub fn is_secret(&self) -> bool {
        self.flag != self.name
    }
}

pub fn variable(name: &str) -> String {
    format!("{PREFIX}{}", name.replace('-', "_").to_ascii_uppercase())
}

/// The `ROPEWALK_*` variables of the process, for `resolve` and the other commands.
pub type Environment = BTreeMap<String, String>;

/// `flags` by name without dashes, `environment` from the caller, `cores` of the machine.
pub fn resolve(flags: &BTreeMap<String, String>, environment: &Environment, cores: usize) -> Result<Serve> {
    refuse_unknown(environment)?;
    let given = Given { flags, environment };
    let data = absolute(&given.text("data"))?;
    let listen: SocketAddr = parse("listen", &given.text("listen"))?;
    let workspaces = match given.find("workspaces") {
        Some(path) => absolute(&path)?,
        None => data.join("workspaces"),
    };
    let url = given.find("url").unwrap_or_else(|| format!("http://localhost:{}", listen.port()));
    let mut urls = addresses("url", &url)?;
    let step_image = given.text("step-image");
    ImageReference::parse(&step_image)?;
    Ok(Serve {
        listen,
        data,
        registry: web_address("registry", &given.text("registry"))?,
        docker: given.docker()?,
        workspaces,
        step_image,
        step_socket: Some(PathBuf::from(given.text("step-socket"))).filter(|p| !p.as_os_str().is_empty()),
        url: urls.remove(0),
        other_urls: urls,
        jobs: given.find("jobs").map_or(Ok(cores), |text| count("jobs", &text))?,
        workers: count("workers", &given.text("workers"))?,
        admin_password: given.secret("admin-password")?,
        hook_token: given.secret("hook-token")?,
        step_memory: given.find("step-memory").map(|text| size("step-memory", &text)).transpose()?,
        step_cpus: given.find("step-cpus").map(|text| positive("step-cpus", &text)).transpose()?,
        step_pids: given.find("step-pids").map(|text| parse("step-pids", &text)).transpose()?,
        run_timeout_minutes: count("run-timeout-minutes", &given.text("run-timeout-minutes"))? as u64,
        max_push_bytes: size("max-push", &given.text("max-push"))?,
        log_limit_bytes: size("log-limit", &given.text("log-limit"))?,
        poll_seconds: count("poll-seconds", &given.text("poll-seconds"))? as u64,
        step_hosts: given.hosts()?,
        log: given.text("log"),
        log_json: match given.text("log-format").as_str() {
            "text" => false,
            "json" => true,
            other => return Err(bad("log-format", other)),
        },
    })
}

/// `Invalid` for the first `ROPEWALK_*` variable that no command knows.
fn refuse_unknown(environment: &Environment) -> Result<()> {
    let mut known: Vec<String> = CLIENT_VARIABLES.iter().map(|name| (*name).to_owned()).collect();
    for setting in SETTINGS {
        known.push(setting.variable());
        if setting.is_secret() {
            known.push(setting.variable() + "_FILE");
        }
    }
    let Some(name) = environment.keys().find(|name| name.starts_with(PREFIX) && !known.contains(name)) else {
        return Ok(());
    };
    let shown = name.escape_debug();
    Err(Error::Invalid(match closest(name, known.iter().map(String::as_str), 4) {
        Some(other) => msg!("cli-variable-meant", name = shown, meant = other),
        None => msg!("cli-variable-unknown", name = shown),
    }))
}

fn bad(name: &str, value: &str) -> Error {
    let shown: String = value.chars().take(200).collect();
    Error::Invalid(msg!("cli-setting-value", name = name, value = shown.escape_debug()))
}

fn parse<T: FromStr>(name: &str, text: &str) -> Result<T> {
    text.trim().parse().map_err(|_| bad(name, text))
}

fn positive(name: &str, text: &str) -> Result<f64> {
    let number: f64 = parse(name, text)?;
    if number > 0.0 && number < 10_000.0 { Ok(number) } else { Err(bad(name, text)) }
}

/// Absolute by the working directory; nothing has to exist.
pub fn absolute(path: &str) -> Result<PathBuf> {
    std::path::absolute(Path::new(path)).map_err(|_| bad("data", path))
}

/// The first line of a file.
pub fn read_secret(path: &str) -> Result<Secret> {
    let unreadable = |cause: std::io::Error| {
        Error::Invalid(msg!("cli-secret-file", path = path.escape_debug(), cause = cause))
    };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    Ok(Secret::new(text.lines().next().unwrap_or_default()))
}

/// 1 to a million.
fn count(name: &str, text: &str) -> Result<usize> {
    let number: usize = parse(name, text)?;
    if (1..=1_000_000).contains(&number) { Ok(number) } else { Err(bad(name, text)) }
}

/// Bytes; with `k`, `m`, `g` or `t` powers of 1024. Never 0.
fn size(name: &str, text: &str) -> Result<u64> {
    let lower = text.trim().to_ascii_lowercase();
    let plain = lower.strip_suffix("ib").or(lower.strip_suffix('b')).unwrap_or(&lower);
    let units = [('k', 10), ('m', 20), ('g', 30), ('t', 40)];
    let split = units.into_iter().find_map(|(unit, shift)| Some((plain.strip_suffix(unit)?, shift)));
    let (digits, shift) = split.unwrap_or((plain, 0));
    let number: u64 = parse(name, digits)?;
    let bytes = number.checked_mul(1 << shift).filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| bad(name, text))
}

/// An http or https address without credentials and query; a slash at its end is taken off.
pub fn web_address(name: &str, text: &str) -> Result<String> {
    let good = |u: &url::Url| {
        matches!(u.scheme(), "http" | "https")
            && u.host_str().is_some_and(|host| !host.is_empty())
            && u.username().is_empty()
            && u.password().is_none()
            && u.query().is_none()
            && u.fragment().is_none()
    };
    match url::Url::parse(text) {
        Ok(parsed) if good(&parsed) => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err(bad(name, text)),
    }
}

/// One or more, separated by commas; none of them twice.
fn addresses(name: &str, text: &str) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for one in text.split(',').map(str::trim) {
        let address = web_address(name, one)?;
        if !all.contains(&address) {
            all.push(address);
        }
    }
    if all.is_empty() { Err(bad(name, text)) } else { Ok(all) }
}

struct Given<'a> {
    flags: &'a BTreeMap<String, String>,
    environment: &'a Environment,
}

impl Given<'_> {
    /// The flag, else the variable unless it is empty (compose files pass on what is not set as empty).
    fn find(&self, name: &str) -> Option<String> {
        let from_variable = || self.environment.get(&variable(name)).filter(|v| !v.is_empty());
        self.flags.get(name).or_else(from_variable).cloned()
    }

    /// As `find`, else the table's default. An empty `step-socket` says something: no socket.
    fn text(&self, name: &str) -> String {
        let blank = || self.environment.get(&variable(name)).filter(|_| name == "step-socket").cloned();
        let default = || SETTINGS.iter().find(|s| s.name == name).map_or("", |s| s.default).to_owned();
        self.find(name).or_else(blank).unwrap_or_else(default)
    }

    /// From its variable, or from the file that `--NAME-file` or `NAME_FILE` names; both is one too many.
    fn secret(&self, name: &str) -> Result<Option<Secret>> {
        match (self.find(name), self.find(&format!("{name}-file"))) {
            (Some(_), Some(_)) => Err(Error::Invalid(msg!("cli-secret-twice", name = variable(name)))),
            (Some(value), None) => Ok(Some(Secret::new(value))),
            (None, Some(path)) => read_secret(&path).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn docker(&self) -> Result<String> {
        let text = self.text("docker");
        let known =
            ["unix://", "npipe://", "tcp://", "http://"].iter().any(|scheme| text.starts_with(scheme));
        if known { Ok(text) } else { Err(bad("docker", &text)) }
    }

    fn hosts(&self) -> Result<Vec<String>> {
        let text = self.text("step-hosts");
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let is_address = |text: &str| text == "host-gateway" || text.parse::<IpAddr>().is_ok();
        let good = |line: &str| {
            let Some((name, address)) = line.split_once(':') else { return false };
            !name.is_empty() && name.chars().all(letters) && is_address(address)
        };
        let lines = text.split(',').map(str::trim).filter(|line| !line.is_empty());
        let check = |line: &str| if good(line) { Ok(line.to_owned()) } else { Err(bad("step-hosts", line)) };
        lines.map(check).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn from(flags: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Serve> {
        resolve(&map(flags), &map(environment), 4)
    }

    fn refused(flags: &[(&str, &str)], environment: &[(&str, &str)]) -> Message {
        match from(flags, environment) {
            Err(Error::Invalid(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_runs_without_any_flag() {
        let serve = from(&[], &[]).unwrap();
        assert_eq!(serve.data, std::env::current_dir().unwrap().join("data"));
        assert_eq!(serve.workspaces, serve.data.join("workspaces"));
        assert_eq!((serve.listen.port(), serve.url.as_str()), (3000, "http://localhost:3000"));
        assert_eq!((serve.jobs, serve.workers), (4, 2));
        assert_eq!(serve.step_socket.unwrap(), Path::new("/var/run/docker.sock"));
        assert_eq!(serve.step_hosts, ["registry.local:host-gateway"]);
        assert!(serve.admin_password.is_none() && serve.step_memory.is_none());
    }

    #[test]
    fn a_flag_wins_over_its_variable_and_an_empty_variable_is_none() {
        let listen = ("ROPEWALK_LISTEN", "127.0.0.1:4000");
        assert_eq!(from(&[("listen", "[::1]:5000")], &[listen]).unwrap().url, "http://localhost:5000");
        assert_eq!(from(&[], &[listen]).unwrap().listen.port(), 4000);
        let serve = from(&[], &[("ROPEWALK_URL", ""), ("ROPEWALK_STEP_SOCKET", ""), ("OTHER", "x")]).unwrap();
        assert_eq!((serve.url.as_str(), serve.step_socket), ("http://localhost:3000", None));
        assert_eq!(from(&[("step-memory", "512M")], &[]).unwrap().step_memory, Some(512 << 20));
        assert_eq!(from(&[("step-memory", "3 KiB")], &[]).unwrap().step_memory, Some(3072));
        assert_eq!(from(&[("url", "https://ci.example/rope/")], &[]).unwrap().url, "https://ci.example/rope");
        let several = from(&[("url", "http://a:3000, http://b:3000/,http://a:3000")], &[]).unwrap();
        assert_eq!(
            (several.url.as_str(), several.other_urls),
            ("http://a:3000", vec!["http://b:3000".to_owned()])
        );
    }

    #[test]
    fn unknown_variables_are_refused_by_name() {
        let meant = refused(&[], &[("ROPEWALK_REGISTERY", "x")]);
        assert_eq!((&*meant.key, &*meant.args["meant"]), ("cli-variable-meant", "ROPEWALK_REGISTRY"));
        assert_eq!(refused(&[], &[("ROPEWALK_COLOUR_OF_THE_SKY", "x")]).key, "cli-variable-unknown");
        from(&[], &[("ROPEWALK_TOKEN", "x")]).unwrap();
    }

    #[test]
    fn a_secret_comes_from_a_variable_or_a_file_and_never_prints() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "tin-roof-42-geese\nsecond line\n").unwrap();
        let path = file.path().to_str().unwrap();
        for (flags, variables) in [
            (vec![], vec![("ROPEWALK_ADMIN_PASSWORD_FILE", path)]),
            (vec![("admin-password-file", path)], vec![]),
            (vec![], vec![("ROPEWALK_ADMIN_PASSWORD", "tin-roof-42-geese")]),
        ] {
            let serve = from(&flags, &variables).unwrap();
            assert_eq!(serve.admin_password.as_ref().unwrap().reveal(), "tin-roof-42-geese");
            assert!(!format!("{serve:?}").contains("geese"));
        }
        let both = [("ROPEWALK_ADMIN_PASSWORD", "x"), ("ROPEWALK_ADMIN_PASSWORD_FILE", path)];
        assert_eq!(refused(&[], &both).key, "cli-secret-twice");
    }

    #[test]
    fn values_that_make_no_sense_name_their_setting() {
        for (name, value) in [
            ("listen", "3000"),
            ("jobs", "0"),
            ("step-memory", "18446744073709551615g"),
            ("step-memory", "0"),
            ("step-cpus", "-1"),
            ("step-cpus", "NaN"),
            ("url", "http://a:3000,"),
            ("registry", "registry.local:5000"),
            ("registry", "http://user:secret@registry.local:5000"),
            ("docker", "/var/run/docker.sock"),
            ("step-hosts", "registry.local"),
            ("step-hosts", "a b:10.0.0.1"),
            ("log-format", "xml"),
        ] {
            let message = refused(&[(name, value)], &[]);
            assert_eq!((&*message.key, &*message.args["name"]), ("cli-setting-value", name), "{value}");
        }
        assert_eq!(refused(&[("step-image", "Not An Image")], &[]).key, "image-invalid");
    }

    #[test]
    fn every_setting_is_read_by_its_name() {
        // A value nobody could mean must be refused or show up: a row of the table that nothing reads would not.
        let plain = format!("{:?}", from(&[], &[]).unwrap());
        for setting in SETTINGS {
            let odd = from(&[(setting.flag, "/7")], &[]);
            assert!(odd.is_err() || format!("{:?}", odd.unwrap()) != plain, "{}", setting.name);
        }
    }

    proptest! {
        #[test]
        fn it_never_panics(at in 0..SETTINGS.len(), value in "\\PC{0,40}") {
            let _ = from(&[], &[(&SETTINGS[at].variable(), &value)]);
        }
    }
}
