//! Finds the programs that hold a file or a socket open, as far as this user may see that.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// A program that holds something open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The program's name, which the kernel cuts to 15 bytes.
    pub program: String,
    /// Its process id.
    pub process: u32,
}

/// `ffmpeg (process 23)`
impl fmt::Display for Holder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} (process {})", self.program, self.process)
    }
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
            let program = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            holders.push(Holder { program: program.trim_end().to_owned(), process });
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
    use std::os::unix::fs::symlink;

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
