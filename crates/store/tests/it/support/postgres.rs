//! A PostgreSQL of our own: a new cluster in a folder, on a socket, gone when the test ends.
//!
//! PostgreSQL refuses to run as root: then it runs as user `postgres`, which Debian's package makes. Where it is missing,
//! tests are skipped with a reason, except in CI (`CI=true`), where `cargo xtask test` installs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub struct Server {
    folder: PathBuf,
    bin: PathBuf,
    root: bool,
}

impl Server {
    /// Starts one on a socket of its own; `None` where there is none to start.
    pub fn start() -> Option<Self> {
        Self::with("-c listen_addresses=''", |_| {})
    }

    /// Starts one with more options, once `prepare` has seen the folder of its data.
    pub fn with(more: &str, prepare: impl FnOnce(&Path)) -> Option<Self> {
        let Some(bin) = binaries() else {
            assert!(std::env::var_os("CI").is_none(), "PostgreSQL is not installed: apt-get install postgresql");
            eprintln!("skipped: PostgreSQL is not installed (Debian: apt-get install postgresql)");
            return None;
        };
        let id = |flag: &str| {
            Command::new("id").arg(flag).output().map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default()
        };
        let root = id("-u") == "0";
        let folder =
            std::env::temp_dir().join(format!("umb-pg-{}-{:x}", std::process::id(), std::time::UNIX_EPOCH.elapsed().unwrap().as_micros()));
        std::fs::create_dir(&folder).unwrap();
        let server = Self { folder, bin, root };
        if root {
            run(Command::new("chown").arg("postgres").arg(&server.folder));
        }
        let data = server.folder.join("data");
        // Another locale than "C" on purpose: the order of texts must not hang on it.
        run(server.command("initdb").arg("-D").arg(&data).args(["-U", "umbilical", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]));
        prepare(&data);
        if root {
            run(Command::new("chown").args(["-R", "postgres"]).arg(&data));
        }
        let options = format!("{more} -c unix_socket_directories='{}' -c shared_buffers=128MB", server.folder.display());
        run(server
            .command("pg_ctl")
            .arg("-D")
            .arg(&data)
            .args(["-w", "-t", "60", "-l"])
            .arg(server.folder.join("log"))
            .args(["-o", &options, "start"]));
        Some(server)
    }

    fn command(&self, name: &str) -> Command {
        let program = self.bin.join(name);
        let mut command = if self.root { Command::new("setpriv") } else { Command::new(&program) };
        if self.root {
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(&program);
        }
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// A new database, as an address.
    pub fn database(&self, name: &str) -> String {
        self.database_on(name, None);
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://umbilical@{folder}/{name}")
    }

    /// A new database of a server with a port of its own.
    pub fn database_on(&self, name: &str, port: Option<u16>) {
        let mut command = self.command("createdb");
        command.arg("-h").arg(&self.folder).args(["-U", "umbilical", name]);
        run(command.args(port.map(|p| format!("--port={p}"))));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.command("pg_ctl").arg("-D").arg(self.folder.join("data")).args(["-m", "immediate", "-w", "stop"]).status();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The newest of Debian's, else those on the path.
fn binaries() -> Option<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok).map(|e| e.path().join("bin"));
    let version = |bin: &Path| bin.parent().and_then(Path::file_name).and_then(|n| n.to_str()).and_then(|n| n.parse().ok()).unwrap_or(0u32);
    let newest = installed.filter(|bin| bin.join("initdb").is_file()).max_by_key(|bin| version(bin));
    newest.or_else(|| {
        std::env::split_paths(&std::env::var_os("PATH")?).find(|dir| dir.join("initdb").is_file() && dir.join("pg_ctl").is_file())
    })
}

fn run(command: &mut Command) {
    let output = command.stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
