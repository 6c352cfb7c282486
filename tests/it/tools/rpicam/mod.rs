//! A stand-in for rpicam-vid, written from the options and messages in the source of rpicam-apps.
//!
//! Tests start `lancam` with a script as `--csi-program`. The script starts this test program again as the stand-in
//! ([`program`]). The stand-in reads at its start which fault it should have, from a file that tests write.

mod options;
mod program;
mod scene;

use crate::tools::camera_process::CameraProcess;
use crate::tools::program::stand_in;
use lancam::image::frame::Micros;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

pub use scene::DELAY;

/// A folder with the script in it.
pub struct Rpicam {
    folder: TempDir,
}

/// One start of the stand-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    pub process: u32,
    pub at: Micros,
    pub arguments: Vec<String>,
}

impl Rpicam {
    /// A stand-in without a fault.
    pub fn new() -> Self {
        Self::with_fault("")
    }

    /// A stand-in with a fault, see [`program::Fault`].
    pub fn with_fault(fault: &str) -> Self {
        let this = Self { folder: tempfile::tempdir().expect("a folder") };
        this.set_fault(fault);
        let exe = std::env::current_exe().expect("this program");
        let folder = this.folder.path().display();
        // Standard output belongs to the test harness, so frames go to descriptor 7. A signal that the script ignores stays
        // ignored.
        let lines = format!(
            "grep -q ignores-term '{folder}/fault' && trap '' TERM\n\
             IFS=$(printf '\\037')\n\
             RPICAM_ARGUMENTS=\"$*\" RPICAM_FOLDER='{folder}' exec '{}' --exact {}::{} --nocapture --test-threads=1 7>&1 >/dev/null",
            exe.display(),
            module_path!().split_once("::").expect("a crate").1,
            "program::stands_in_for_rpicam_vid",
        );
        stand_in(this.folder.path(), "rpicam-vid", &lines);
        this
    }

    /// Sets the fault for the next starts.
    pub fn set_fault(&self, fault: &str) {
        // In one step, because the stand-in may be starting just now.
        let new = self.folder.path().join("fault.new");
        fs::write(&new, fault).expect("writes");
        fs::rename(new, self.folder.path().join("fault")).expect("renames");
    }

    /// The path of the script.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("rpicam-vid")
    }

    /// All starts so far.
    pub fn starts(&self) -> Vec<Start> {
        let text = fs::read_to_string(self.folder.path().join("starts")).unwrap_or_default();
        let start = |line: &str| {
            let mut words = line.split('\u{1f}').map(str::to_owned);
            let process = words.next().and_then(|it| it.parse().ok()).expect("a number");
            let at = words.next().and_then(|it| it.parse().ok()).map(Micros).expect("a time");
            Start { process, at, arguments: words.collect() }
        };
        text.lines().map(start).collect()
    }

    /// The processes that are running.
    pub fn running(&self) -> Vec<u32> {
        self.starts().iter().map(|start| start.process).filter(|&process| runs(process)).collect()
    }

    /// A camera that uses the stand-in, with these further options.
    pub fn camera(&self, arguments: &[&str]) -> CameraProcess {
        CameraProcess::spawn(&mut self.command(arguments))
    }

    /// The command that starts such a camera.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let program = self.path();
        let program = program.to_str().expect("UTF-8");
        let csi = ["--listen", "127.0.0.1:0", "--csi-program", program, "--source", "csi"];
        CameraProcess::command(&[&csi, arguments].concat())
    }
}

impl Drop for Rpicam {
    fn drop(&mut self) {
        for process in self.running() {
            let kill = ["-KILL", &process.to_string()].map(str::to_owned);
            let _ = Command::new("kill").args(kill).status();
        }
    }
}

/// Whether a process exists and is not a zombie.
pub fn runs(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
}
