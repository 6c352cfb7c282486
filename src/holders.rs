//! Finds the programs that hold a file or a socket open, as far as this user may see that, and those that have locked a file.

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc::{F_UNLCK, F_WRLCK, SEEK_SET, flock};
use std::fmt;
use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A program that holds something open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The program's name, which the kernel cuts to 15 bytes. Empty where this user may not see it.
    pub program: String,
    /// Its process id.
    pub process: u32,
}

/// `ffmpeg (process 23)`
impl fmt::Display for Holder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.program.as_str() {
            "" => write!(out, "process {}", self.process),
            program => write!(out, "{program} (process {})", self.process),
        }
    }
}

impl Holder {
    /// This process, with its name.
    fn of(proc: &Path, process: u32) -> Self {
        let name = fs::read_to_string(proc.join(process.to_string()).join("comm"));
        Self { program: name.unwrap_or_default().trim_end().to_owned(), process }
    }
}

/// The other program that has locked `file` with `lockf` or `fcntl`. The kernel tells that to everybody who may open the file,
/// even where it hides the processes of other users.
pub fn locker_of(proc: &Path, file: &Path) -> Option<Holder> {
    let file = fs::OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(file);
    let mut lock = whole_file(F_WRLCK)?;
    fcntl(file.ok()?, FcntlArg::F_GETLK(&mut lock)).ok()?;
    let is_locked = i32::from(lock.l_type) != F_UNLCK;
    // A process in another namespace has no number here.
    let process = u32::try_from(lock.l_pid).ok().filter(|&process| is_locked && process > 0)?;
    Some(Holder::of(proc, process))
}

/// A lock of this kind on all of a file.
fn whole_file(kind: i32) -> Option<flock> {
    let (kind, whence) = (i16::try_from(kind).ok()?, i16::try_from(SEEK_SET).ok()?);
    Some(flock { l_type: kind, l_whence: whence, l_start: 0, l_len: 0, l_pid: 0 })
}

/// The other programs with an open descriptor for one of `targets`, such as `/dev/video0` or
/// `socket:[4711]`. `proc` is the folder where the kernel shows processes. Searches all processes,
/// so use it for error messages only.
pub fn holders_of(proc: &Path, targets: &[PathBuf]) -> Vec<Holder> {
    let Ok(processes) = fs::read_dir(proc) else { return Vec::new() };
    let mut holders = Vec::new();
    for entry in processes.flatten() {
        let name = entry.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(descriptors) = fs::read_dir(entry.path().join("fd")) else { continue };
        let mut links = descriptors.flatten().filter_map(|fd| fs::read_link(fd.path()).ok());
        if process != std::process::id() && links.any(|link| targets.contains(&link)) {
            holders.push(Holder::of(proc, process));
        }
    }
    holders
}

/// The other programs that listen on a TCP port, at any address.
pub fn listeners_at(proc: &Path, port: u16) -> Vec<Holder> {
    let tables = ["net/tcp", "net/tcp6"].map(|table| fs::read_to_string(proc.join(table)));
    let inodes = tables.iter().flatten().flat_map(|table| listening_inodes(table, port));
    let sockets: Vec<_> = inodes.map(|inode| format!("socket:[{inode}]").into()).collect();
    holders_of(proc, &sockets)
}

/// The inodes of the sockets that listen on `port`, from a table such as `/proc/net/tcp`
/// (Documentation/networking/proc_net_tcp).
fn listening_inodes(table: &str, port: u16) -> Vec<&str> {
    let of_a_listener = |line: &'_ str| -> bool {
        let fields: Vec<&str> = line.split_ascii_whitespace().take(4).collect();
        let [_, local, _, state] = fields[..] else { return false };
        let at = local.rsplit(':').next().map(|at| u16::from_str_radix(at, 16));
        state == LISTENING && at == Some(Ok(port))
    };
    let lines = table.lines().filter(|line| of_a_listener(line));
    lines.filter_map(|line| line.split_ascii_whitespace().nth(INODE_FIELD)).collect()
}

/// `TCP_LISTEN` in the kernel's `enum`.
const LISTENING: &str = "0A";
/// The field of a line with the socket's inode.
const INODE_FIELD: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Read};
    use std::os::unix::fs::symlink;
    use std::process::{Command, Stdio};

    /// A /proc with these processes: number, name, targets of their descriptors.
    fn proc_with(processes: &[(u32, &str, &[&str])]) -> tempfile::TempDir {
        let proc = tempfile::tempdir().expect("a folder");
        for (process, program, targets) in processes {
            let fds = proc.path().join(process.to_string()).join("fd");
            fs::create_dir_all(&fds).expect("made");
            fs::write(proc.path().join(process.to_string()).join("comm"), format!("{program}\n"))
                .expect("written");
            for (number, target) in targets.iter().enumerate() {
                symlink(target, fds.join(number.to_string())).expect("linked");
            }
        }
        proc
    }

    #[test]
    fn programs_that_hold_a_camera_are_named() {
        let proc = proc_with(&[
            (22, "bash", &["/dev/pts/0"]),
            (23, "ffmpeg", &["/dev/null", "/dev/video0"]),
            (std::process::id(), "lancam", &["/dev/video0"]),
        ]);
        let holders = holders_of(proc.path(), &["/dev/video0".into()]);
        assert_eq!(holders, [Holder { program: "ffmpeg".into(), process: 23 }]);
        assert_eq!(holders[0].to_string(), "ffmpeg (process 23)");
    }

    /// The variable that names the file which another process of this test is to lock.
    const TO_LOCK: &str = "LANCAM_TEST_FILE_TO_LOCK";

    /// Does nothing, unless [`the_program_that_has_locked_a_file_is_known`] has started it: then it holds a lock until its input
    /// ends.
    #[test]
    fn another_process() {
        let Some(file) = std::env::var_os(TO_LOCK) else { return };
        let file = fs::OpenOptions::new().write(true).open(file).expect("opens");
        let lock = whole_file(F_WRLCK).expect("a lock");
        fcntl(&file, FcntlArg::F_SETLK(&lock)).expect("nobody else has locked it");
        println!("HELD");
        std::io::stdin().read_to_string(&mut String::new()).expect("it ends");
    }

    #[test]
    fn the_program_that_has_locked_a_file_is_known() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        assert_eq!(locker_of(Path::new("/proc"), file.path()), None);
        let mut other = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "holders::tests::another_process", "--nocapture"])
            .env(TO_LOCK, file.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut said = BufReader::new(other.stdout.take().expect("a pipe"));
        assert!(said.by_ref().lines().any(|line| line.expect("text").contains("HELD")));
        let found = locker_of(Path::new("/proc"), file.path()).expect("somebody");
        assert_eq!(found.process, other.id());
        assert_eq!(found.to_string(), format!("{} (process {})", found.program, other.id()));
        let hidden = locker_of(Path::new("/nowhere"), file.path()).expect("somebody");
        assert_eq!(hidden.to_string(), format!("process {}", other.id()));
        drop(other.stdin.take());
        assert!(other.wait().expect("it ends").success());
        assert_eq!(locker_of(Path::new("/proc"), file.path()), None);
        assert_eq!(locker_of(Path::new("/proc"), Path::new("/nowhere")), None);
    }

    #[test]
    fn programs_that_listen_at_a_port_are_named_and_those_that_are_connected_to_it_are_not() {
        let proc = proc_with(&[
            (7, "lancam", &["socket:[4711]", "socket:[4712]"]),
            (8, "curl", &["socket:[4713]"]),
        ]);
        fs::create_dir(proc.path().join("net")).expect("made");
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
        let line = |local: &str, state: &str, inode: u32| {
            format!(
                "   0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  0  0 {inode} 1 0 100 0\n"
            )
        };
        let v4 = line("0100007F:270F", "01", 4713) + &line("0100007F:270F", "0A", 4711);
        fs::write(proc.path().join("net/tcp"), format!("{head}{v4}")).expect("written");
        let any = format!("{:032}:270F", 0);
        fs::write(proc.path().join("net/tcp6"), format!("{head}{}", line(&any, "0A", 4712)))
            .expect("written");
        let lancam = Holder { program: "lancam".into(), process: 7 };
        assert_eq!(listeners_at(proc.path(), 9999), [lancam]);
        assert_eq!(listeners_at(proc.path(), 8080), []);
        assert_eq!(listeners_at(Path::new("/nowhere"), 9999), []);
    }
}
