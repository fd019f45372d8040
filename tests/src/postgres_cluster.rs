//! A PostgreSQL server of a test's own, which the test may kill.

use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A server in a temporary folder, on a free port, run by an unprivileged user. It ends when this value is dropped.
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    /// The folder of the running server's data, in `folder`.
    data: &'static str,
    port: u16,
    options: &'static str,
}

const PRIMARY: &str = "data";
const STANDBY: &str = "standby";

impl Cluster {
    /// Starts a server. Fails if PostgreSQL is not installed where Debian installs it.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(&[], "").await
    }

    /// Starts a server with these files in its folder, which only it can read, and these options.
    pub async fn start_with(files: &[(&str, &str)], options: &'static str) -> io::Result<Self> {
        let programs = programs()?;
        let folder = std::env::temp_dir().join(format!("lastmile-postgres-{:x}", fastrand::u64(..)));
        std::fs::create_dir(&folder)?;
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&folder))?;
        }
        let mut cluster = Self { programs, folder, data: PRIMARY, port: 0, options };
        let data = cluster.folder.join(PRIMARY);
        let arguments = ["-A", "trust", "-U", "postgres", "--no-locale", "-E", "UTF8", "-D"];
        run(cluster.program("initdb").args(arguments).arg(&data))?;
        for (name, content) in files {
            let file = data.join(name);
            std::fs::write(&file, content)?;
            run(Command::new("chmod").arg("600").arg(&file))?;
            if is_root() {
                run(Command::new("chown").arg("postgres").arg(&file))?;
            }
        }
        for _ in 0..20 {
            // Below the ports that systems use for outgoing connections.
            cluster.port = fastrand::u16(20_000..30_000);
            if cluster.try_start().is_ok() {
                return Ok(cluster);
            }
        }
        Err(io::Error::other("the server does not start"))
    }

    /// Returns how to connect.
    pub fn config(&self) -> String {
        format!("host=127.0.0.1 port={} user=postgres dbname=postgres", self.port)
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Copies the server as a standby, which receives nothing that is committed later: it is as far behind as an asynchronous standby
    /// or a backup may be.
    pub fn back_up(&self) -> io::Result<()> {
        let target = self.folder.join(STANDBY);
        let port = self.port.to_string();
        let arguments =
            ["-h", "127.0.0.1", "-U", "postgres", "-c", "fast", "-X", "stream", "-p", &port, "-D"];
        run(self.program("pg_basebackup").args(arguments).arg(&target))?;
        run(self.program("touch").arg(target.join("standby.signal")))
    }

    /// Kills the server, and promotes the standby at the same address.
    ///
    /// # Panics
    /// Panics if the standby does not start.
    pub async fn fail_over(&mut self) {
        self.kill();
        self.data = STANDBY;
        self.start_again().await;
        let data = self.folder.join(self.data);
        run(self.program("pg_ctl").arg("-D").arg(data).args(["-w", "promote"])).expect("it is a standby");
    }

    /// Kills the server (`SIGKILL`) and starts it again. It recovers from its write-ahead log.
    ///
    /// # Panics
    /// Panics if it does not start again.
    pub async fn kill_and_restart(&self) {
        self.kill();
        self.start_again().await;
    }

    async fn start_again(&self) {
        let mut interval = tokio::time::interval(Duration::from_millis(100));
        // The processes of its connections hold its shared memory for a moment.
        for _ in 0..300 {
            interval.tick().await;
            if self.try_start().is_ok() {
                return;
            }
        }
        panic!("the server does not start again");
    }

    fn kill(&self) {
        let pid =
            std::fs::read_to_string(self.folder.join(self.data).join("postmaster.pid")).unwrap_or_default();
        if let Some(pid) = pid.lines().next() {
            let _ = Command::new("kill").args(["-KILL", pid]).stderr(Stdio::null()).status();
        }
    }

    fn try_start(&self) -> io::Result<()> {
        let options = format!(
            "-p {} -k {} -c listen_addresses=127.0.0.1 -c max_connections=200 {}",
            self.port,
            self.folder.display(),
            self.options
        );
        let mut start = self.program("pg_ctl");
        start.arg("-D").arg(self.folder.join(self.data)).args(["-o", &options, "-w", "-l"]);
        run(start.arg(self.folder.join("log")).arg("start"))
    }

    /// Returns a command of the server's, as an unprivileged user: it refuses to run as root.
    fn program(&self, name: &str) -> Command {
        let path = match name {
            "touch" => PathBuf::from(name),
            _ => self.programs.join(name),
        };
        let mut command = match is_root() {
            true => {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(path);
                command
            }
            false => Command::new(path),
        };
        command.current_dir(&self.folder);
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn run(command: &mut Command) -> io::Result<()> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other("the command failed")) }
}

/// Returns the folder of the newest installed version.
fn programs() -> io::Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")?;
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    let newest = folders.filter(|folder| folder.join("initdb").exists()).max();
    newest.ok_or_else(|| io::Error::other("PostgreSQL is not installed"))
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
