//! The package `lancam` and `make deploy` on Debian with its own systemd, in a container: installed, running,
//! upgraded, purged; and the sandbox, crashes and wrong options.

use crate::package::packages::{architecture, build, can_package, folder, stripped};
use crate::tools::camera_process::PATIENCE;
use crate::tools::program::succeeds;
use crate::tools::skip::skip;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The project's folder.
const HERE: &str = env!("CARGO_MANIFEST_DIR");
/// The Debian releases that Raspberry Pi OS is based on, the previous and the current one.
const SUITES: [&str; 2] = ["bookworm", "trixie"];
/// The exit code of cross/rig/debian.sh if this machine cannot run the container.
const SKIP_CODE: i32 = 77;
/// Selects a test pattern, because there is no camera, and lets everybody watch.
const TEST_SOURCE: &str = "source = \"test:64x48@20\"\naccess = \"open\"\n";
const CONFIGURATION: &str = "/etc/lancam/lancam.toml";

/// Waits until `is_so` is true.
#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "no {what} within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A booted Debian. Dropping this ends it.
struct Debian {
    boot: Child,
    /// The process of its systemd.
    first: u32,
    name: String,
    /// A folder with the key `key`, which the container's sshd accepts.
    folder: PathBuf,
}

impl Drop for Debian {
    fn drop(&mut self) {
        // The script cleans up by itself.
        let _ = Command::new("kill").arg(self.boot.id().to_string()).status();
        let _ = self.boot.wait();
    }
}

impl Debian {
    /// `None` if this machine cannot run it, which counts as a skip.
    fn boot(suite: &str) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let script = Path::new(HERE).join("cross/rig/debian.sh");
        let made = Command::new(&script).arg(suite).stdin(Stdio::null()).output();
        let made = made.expect("cross/rig/debian.sh is executable");
        let said = String::from_utf8_lossy(&made.stderr);
        if made.status.code() == Some(SKIP_CODE) {
            skip(suite, said.trim_end().lines().last().unwrap_or_default());
            return None;
        }
        assert!(made.status.success(), "{said}");
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("lancam{}-{number}", std::process::id());
        // If this process is killed, the kernel tells the script, which then cleans up.
        let mut boot = Command::new("setpriv");
        boot.args(["--pdeathsig", "TERM"]).arg(&script);
        boot.args([suite, &name]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut boot = boot.spawn().expect("it was started before");
        let mut line = String::new();
        let stdout = boot.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("reads");
        let first = line.trim().parse().unwrap_or_else(|_| panic!("no process id: {line:?}"));
        let folder = String::from_utf8_lossy(&made.stdout).trim().into();
        let debian = Self { boot, first, name, folder };
        until("system that has started", || {
            let (state, _) = debian.tries("systemctl is-system-running");
            ["running", "degraded"].contains(&state.trim())
        });
        Some(debian)
    }

    /// Runs a line of shell in the container. Returns its output and whether it succeeded.
    fn tries(&self, line: &str) -> (String, bool) {
        let mut nsenter = Command::new("nsenter");
        nsenter.args(["--target", &self.first.to_string(), "--all", "env", "-i"]);
        nsenter.args(["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive"]);
        nsenter.args(["bash", "-c", &format!("exec 2>&1; {line}")]).stdin(Stdio::null());
        let output = nsenter.output().expect("nsenter is there");
        (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success())
    }

    #[track_caller]
    fn sh(&self, line: &str) -> String {
        let (said, succeeded) = self.tries(line);
        assert!(succeeded, "{line}: {said}");
        said.trim_end().to_owned()
    }

    /// A program of this machine that runs on the container's network.
    fn on_its_network(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]).stdin(Stdio::null());
        command
    }

    /// The path of a container's file on this machine.
    fn path(&self, path: &str) -> PathBuf {
        Path::new("/proc").join(self.first.to_string()).join(format!("root{path}"))
    }

    #[track_caller]
    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(path), bytes).expect(path);
    }

    /// Installs a package. Returns what that said.
    #[track_caller]
    fn install(&self, package: &Path) -> String {
        fs::copy(package, self.path("/var/lib/lancam.deb")).expect("copies");
        self.sh("dpkg --install --force-confdef --force-confold /var/lib/lancam.deb; status=$?; rm /var/lib/lancam.deb; exit $status")
    }

    /// Whether a unit is active, and whether it is enabled.
    fn unit(&self, unit: &str) -> (String, String) {
        let ask = |what: &str| self.tries(&format!("systemctl {what} {unit}")).0.trim().to_owned();
        (ask("is-active"), ask("is-enabled"))
    }

    fn property(&self, unit: &str, property: &str) -> String {
        self.sh(&format!("systemctl show --value --property {property} {unit}"))
    }

    fn snapshot(&self) -> Option<Vec<u8>> {
        let mut curl = self.on_its_network("curl");
        curl.args(["--silent", "--fail", "--max-time", "10", "http://127.0.0.1:8080/snapshot"]);
        let output = curl.output().expect("curl is there");
        output.status.success().then_some(output.stdout)
    }

    /// Waits until the camera gives a picture.
    #[track_caller]
    fn streams(&self) {
        until("picture", || self.snapshot().is_some_and(|jpeg| jpeg.starts_with(&[0xff, 0xd8])));
    }

    /// All files that a package may touch.
    fn files(&self) -> Vec<String> {
        let found = self.sh("find /etc /usr /opt /srv /var/lib /home -xdev -not -path '/var/lib/dpkg/*' -not -path '/var/lib/systemd/random-seed' | sort");
        found.lines().map(str::to_owned).collect()
    }
}

/// The package that people get, if it was built, or else one with the program of these tests.
fn package(folder: &Path) -> PathBuf {
    let program = match std::env::var_os("LANCAM_PC_BINARY") {
        Some(program) => program.into(),
        None => stripped(env!("CARGO_BIN_EXE_lancam"), &folder.join("lancam")),
    };
    build("lancam", &architecture(), &[&program], folder)
}

/// A package that a test changes.
struct Opened(PathBuf);

impl Opened {
    fn new(package: &Path, folder: &Path, name: &str) -> Self {
        let opened = folder.join(name);
        succeeds(Command::new("dpkg-deb").arg("-R").arg(package).arg(&opened));
        Self(opened)
    }

    /// Replaces a text that a file of it has.
    #[track_caller]
    fn change(&self, file: &str, from: &str, to: &str) {
        let path = self.0.join(file);
        let text = fs::read_to_string(&path).expect(file);
        assert!(text.contains(from), "{file}");
        fs::write(path, text.replace(from, to)).expect(file);
    }

    /// The changed package.
    fn packed(self) -> PathBuf {
        let package = self.0.with_extension("deb");
        let mut pack = Command::new("dpkg-deb");
        succeeds(pack.args(["--root-owner-group", "-b"]).arg(&self.0).arg(&package));
        package
    }
}

/// The same package with a later version and another configuration.
fn later(package: &Path, folder: &Path) -> PathBuf {
    let later = Opened::new(package, folder, "later");
    later.change("DEBIAN/control", "Version: ", "Version: 99.");
    later.change("etc/lancam/lancam.toml", "# lancam:", "# A later lancam:");
    later.packed()
}

/// A package as it was before there were keys, when everybody on the LAN could watch.
fn earlier(package: &Path, folder: &Path) -> Opened {
    const UNIT: &str = "usr/lib/systemd/system/lancam.service";
    let earlier = Opened::new(package, folder, "earlier");
    earlier.change("DEBIAN/control", "Version: ", "Version: 0.0.");
    earlier.change(UNIT, "StateDirectory=lancam\n", "");
    earlier.change(
        UNIT,
        "ExecStart=/usr/bin/lancam\n",
        "ExecStart=/usr/bin/lancam --access open\n",
    );
    earlier
}

/// What an upgrade that closes the camera says.
const LOUD: &str = "THIS UPGRADE CLOSES YOUR CAMERA";

/// Runs a test on each Debian.
fn on_each(test: impl Fn(&Debian, &Path, &Path)) {
    if !can_package("debian") {
        return;
    }
    for suite in SUITES {
        let Some(debian) = Debian::boot(suite) else { continue };
        let folder = folder();
        let package = package(folder.path());
        test(&debian, &package, folder.path());
    }
}

/// Connects to port 8080 again and again while something happens. Returns how often that succeeded and how
/// often it failed.
fn knocking(debian: &Debian, happens: impl FnOnce()) -> (u32, u32) {
    let mut bash = debian.on_its_network("bash");
    let line = "while ! read -r -t 0.01; do if { : <>/dev/tcp/127.0.0.1/8080; } 2>/dev/null; then echo in; else echo refused; fi; done";
    bash.args(["-c", line]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut bash = bash.spawn().expect("bash is there");
    happens();
    drop(bash.stdin.take());
    // At the end of its input, `read` returns another status, so the loop would not end. Its output is still
    // in the pipe.
    let _ = bash.kill();
    let said = bash.wait_with_output().expect("it ends").stdout;
    let said = String::from_utf8_lossy(&said);
    let count = |word: &str| said.lines().filter(|line| *line == word).count();
    let number = |count: usize| u32::try_from(count).expect("few");
    (number(count("in")), number(count("refused")))
}

#[test]
#[ignore = "minutes: make test-all"]
fn the_package_installs_runs_keeps_what_was_edited_and_leaves_nothing() {
    on_each(|debian, package, folder| {
        let before = debian.files();
        let said = debian.install(package);
        assert!(
            said.contains("what to type on another computer to watch:\n  sudo lancam pair"),
            "{said}"
        );
        for unit in ["lancam.socket", "lancam.service"] {
            assert_eq!(debian.unit(unit), ("active".into(), "enabled".into()), "{unit}");
        }
        assert_eq!(debian.snapshot(), None, "there is no camera");
        let status = debian.property("lancam", "StatusText");
        assert!(status.contains("camera"), "systemctl status says what is missing: {status}");

        debian.write(CONFIGURATION, TEST_SOURCE);
        debian.sh("systemctl restart lancam");
        debian.streams();

        let process = debian.property("lancam", "MainPID");
        let later = later(package, folder);
        let (came_in, refused) = knocking(debian, || drop(debian.install(&later)));
        assert!(came_in > 0 && refused == 0, "{came_in} came in, {refused} refused");
        assert_eq!(debian.sh(&format!("cat {CONFIGURATION}")), TEST_SOURCE.trim_end());
        assert_ne!(debian.property("lancam", "MainPID"), process, "the later one runs");
        debian.streams();
        println!("upgraded; {came_in} connections meanwhile, {refused} refused");

        // An upgrade keeps what the owner switched off.
        debian.sh("systemctl disable --now lancam.service lancam.socket");
        let said = debian.install(package);
        assert!(!said.contains("sudo lancam pair"), "only the first time: {said}");
        for unit in ["lancam.socket", "lancam.service"] {
            assert_eq!(debian.unit(unit), ("inactive".into(), "disabled".into()), "{unit}");
        }
        debian.sh("systemctl enable --now lancam.service && systemctl mask --now lancam.service");
        debian.install(&later);
        assert_eq!(debian.unit("lancam.service"), ("inactive".into(), "masked".into()));
        debian.sh("systemctl unmask lancam.service && systemctl restart lancam.service");
        debian.streams();

        debian.sh("dpkg --purge lancam");
        assert_eq!(debian.tries("systemctl list-units --all --no-legend 'lancam*'").0, "");
        assert_eq!(debian.tries("pgrep lancam").0, "");
        assert_eq!(debian.tries("ss -Hltn 'sport = :8080 or sport = :9999'").0, "");
        // systemd makes the folder in which those of services with users of their own lie.
        let is_left = |file: &String| !before.contains(file) && file != "/var/lib/private";
        let left: Vec<_> = debian.files().into_iter().filter(is_left).collect();
        assert_eq!(left, Vec::<String>::new(), "purged");
    });
}

/// Watches three frames with the native example, which pairs with this code first.
fn pairs_and_watches(debian: &Debian, code: &str, key_file: &Path) -> (String, bool) {
    let mut python = debian.on_its_network("python3");
    python.arg(Path::new(HERE).join("examples/native_viewer.py"));
    python.args(["127.0.0.1", "--frames", "3", "--pair", "--key-file"]).arg(key_file);
    let mut python = python
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    writeln!(python.stdin.take().expect("piped"), "{code}").expect("it reads");
    let output = python.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&said).into_owned(), output.status.success())
}

#[test]
#[ignore = "minutes: make test-all"]
fn an_upgrade_that_closes_the_camera_says_so_and_how_to_keep_it_open() {
    on_each(|debian, package, folder| {
        let source = "source = \"test:64x48@20\"\n";
        let earlier = earlier(package, folder).packed();
        debian.install(&earlier);
        debian.write(CONFIGURATION, source);
        debian.sh("systemctl restart lancam");
        debian.streams();

        let said = debian.install(package);
        assert!(said.contains(LOUD) && said.contains("access = \"open\""), "{said}");
        let log = debian.sh("journalctl --no-pager -t lancam");
        assert!(log.contains(LOUD), "{log}");
        until("code", || debian.tries("test -s /var/lib/lancam/code").1);
        assert_eq!(debian.snapshot(), None, "it is closed");
        let modes = debian.sh("stat -L -c '%a %U' /var/lib/lancam/. /var/lib/lancam/*");
        let is_closed = |line: &str| ["700 ", "600 "].iter().any(|mode| line.starts_with(mode));
        assert!(modes.lines().all(|line| is_closed(line) && !line.ends_with(" root")), "{modes}");
        let code = debian.sh("head -n 1 /var/lib/lancam/code");
        assert!(debian.sh("lancam pair").contains(&code));
        let key_file = folder.join("key");
        let (said, watched) = pairs_and_watches(debian, &code, &key_file);
        assert!(watched && said.contains("frame "), "{said}");
        let (said, watched) = pairs_and_watches(debian, "0000-0000-0000", &folder.join("other"));
        assert!(!watched && !said.contains("frame "), "{said}");
        let log = debian.sh("journalctl --no-pager -u lancam");
        assert!(!log.contains(&code[5..]), "the log has nothing of the code");

        // As before, where somebody says so; and no further upgrade speaks of it.
        debian.write(CONFIGURATION, format!("{source}access = \"open\"\n"));
        debian.sh("systemctl restart lancam");
        debian.streams();
        assert!(!debian.install(&later(package, folder)).contains(LOUD));
        debian.sh("dpkg --purge lancam");
        debian.sh("test ! -e /var/lib/lancam && test ! -e /var/lib/private/lancam");

        // An owner who said so before is told nothing.
        debian.sh("mkdir -p /etc/lancam");
        debian.write(CONFIGURATION, TEST_SOURCE);
        debian.install(&earlier);
        assert!(!debian.install(package).contains(LOUD));
        debian.streams();
    });
}

#[test]
#[ignore = "minutes: make test-all"]
fn in_its_sandbox_it_streams_is_found_and_comes_back() {
    on_each(|debian, package, _| {
        debian.install(package);
        debian.write(CONFIGURATION, TEST_SOURCE);
        debian.sh("systemctl restart lancam");
        debian.streams();

        let exposed = debian.sh("systemd-analyze security --no-pager lancam | tail -n 1");
        let level = exposed.split(": ").nth(1).and_then(|rest| rest.split(' ').next());
        let level: f32 = level.and_then(|level| level.parse().ok()).expect("a figure");
        assert!(level <= 1.3, "{exposed}");
        let process =
            debian.sh("cat /proc/$(systemctl show --value --property MainPID lancam)/status");
        for line in ["CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
            assert!(process.contains(line), "{line}: {process}");
        }
        assert!(!process.contains("Uid:\t0\t"), "{process}");
        println!("{exposed}");

        // Waits for its announcement over multicast DNS.
        until("entry in multicast DNS", || {
            let mut view = debian.on_its_network(env!("CARGO_BIN_EXE_lancam-view"));
            let listed = view.arg("--list").output().expect("it is there").stdout;
            let listed = String::from_utf8_lossy(&listed);
            listed.contains("lancam-debian") && listed.contains(":9999")
        });

        let mut worst = Duration::ZERO;
        let (came_in, refused) = knocking(debian, || {
            for _ in 0..20 {
                debian.sh("systemctl kill --signal KILL lancam");
                let began = Instant::now();
                debian.streams();
                worst = worst.max(began.elapsed());
            }
        });
        assert!(came_in > 0 && refused == 0, "{came_in} came in, {refused} refused");
        println!(
            "killed 20 times: a picture after {worst:?} at most; {came_in} connections, {refused} refused"
        );

        debian.sh("systemctl kill --signal STOP lancam");
        let began = Instant::now();
        debian.streams();
        println!("stopped: a picture after {:?}", began.elapsed());
    });
}

#[test]
#[ignore = "minutes: make test-all"]
fn wrong_options_close_the_sockets_and_right_ones_open_them() {
    on_each(|debian, package, _| {
        debian.install(package);
        debian.write(CONFIGURATION, "quality = 800\n");
        let (_, restarted) = debian.tries("systemctl restart lancam");
        assert!(!restarted, "a restart says that it failed");
        assert_eq!(debian.property("lancam", "ExecMainStatus"), "78");
        assert!(debian.property("lancam", "StatusText").contains("1:11"), "the line is named");
        // With closed sockets, a connection cannot start it.
        let starts = || debian.tries("journalctl --no-pager -u lancam | grep -c status=78").0;
        until("closed socket", || debian.unit("lancam.socket").0 == "inactive");
        let before = starts();
        let (came_in, refused) = knocking(debian, || {
            let began = Instant::now();
            until("second", || began.elapsed() > Duration::from_secs(1));
        });
        assert!(came_in == 0 && refused > 0, "{came_in} came in, {refused} refused");
        assert_eq!(starts(), before);
        println!("{} starts with wrong options", before.trim());

        debian.write(CONFIGURATION, TEST_SOURCE);
        debian.sh("systemctl restart lancam");
        assert_eq!(debian.unit("lancam.socket").0, "active");
        debian.streams();

        // The same while clients connect all the time.
        let before: u32 = starts().trim().parse().expect("a number");
        debian.write(CONFIGURATION, "quality = 800\n");
        let (came_in, refused) = knocking(debian, || {
            debian.tries("systemctl restart lancam");
            until("closed socket", || debian.unit("lancam.socket").0 == "inactive");
            let began = Instant::now();
            until("second", || began.elapsed() > Duration::from_secs(1));
        });
        let after: u32 = starts().trim().parse().expect("a number");
        println!("{} starts, {came_in} came in, {refused} refused", after - before);
        assert!(after - before < 5, "{before} {after}");
        assert_eq!(debian.unit("lancam.socket").0, "inactive");
    });
}

/// A stand-in for rpicam-vid. It writes pictures of the requested format and size until its output is closed.
const RPICAM_VID: &str = r#"#!/bin/sh
for word; do
    case $word in
    --width=*) width=${word#*=} ;;
    --height=*) height=${word#*=} ;;
    --codec=*) codec=${word#*=} ;;
    esac
    # In two words, as the unit of old had it.
    case $before in --codec) codec=$word ;; esac
    before=$word
done
case $codec in
mjpeg) picture() { cat /usr/local/share/picture.jpg; } ;;
*) picture() { head -c $((width * height * 3 / 2)) /dev/zero; } ;;
esac
while picture 2>/dev/null; do sleep 0.05; done
"#;

/// Installs the stand-in in the container.
fn put_rpicam_vid(debian: &Debian) {
    use lancam::image::pixels::{Chroma, Size};
    let jpeg = crate::tools::jpeg_tools::encoded(Size::new(64, 48), Chroma::Yuv420, 80);
    debian.write("/usr/local/share/picture.jpg", jpeg);
    debian.write("/usr/bin/rpicam-vid", RPICAM_VID);
    debian.sh("chmod +x /usr/bin/rpicam-vid");
}

/// The options of the running stand-in.
fn rpicam_options(debian: &Debian) -> Vec<String> {
    let line =
        debian.sh("tr '\\0' ' ' </proc/$(pgrep --oldest --full /usr/bin/[r]picam-vid)/cmdline");
    line.split(' ').map(str::to_owned).collect()
}

#[test]
#[ignore = "minutes: make test-all"]
fn a_ribbon_camera_is_served_by_the_same_unit_as_any_other() {
    on_each(|debian, package, _| {
        put_rpicam_vid(debian);
        debian.install(package);
        // The kernel here knows no sensor, so `auto` would not find this camera.
        debian.write(CONFIGURATION, "source = \"csi\"\naccess = \"open\"\nidle-stop = 1\n");
        debian.sh("systemctl restart lancam");
        debian.streams();
        until("rest", || !debian.tries("pgrep --full /usr/bin/[r]picam-vid").1);
        debian.streams();
        debian.sh("systemctl kill --signal KILL --kill-whom main lancam");
        debian.streams();
        debian.sh("systemctl stop lancam.socket lancam.service");
        assert!(!debian.tries("pgrep --full /usr/bin/[r]picam-vid").1, "it ends with lancam");
    });
}

/// The package as it was when it had units for ribbon cameras, and no keys.
fn with_rpicam_units(package: &Path, folder: &Path) -> PathBuf {
    let earlier = earlier(package, folder);
    for unit in ["lancam-rpicam@.service", "lancam-rpicam@.socket"] {
        let from = Path::new(HERE).join("tests/data/rpicam-units").join(unit);
        fs::copy(from, earlier.0.join("usr/lib/systemd/system").join(unit)).expect("copies");
    }
    let unit = "usr/lib/systemd/system/lancam-rpicam@.service";
    earlier.change(unit, "/usr/bin/lancam --source -", "/usr/bin/lancam --access open --source -");
    earlier.packed()
}

#[test]
#[ignore = "minutes: make test-all"]
fn whoever_had_a_unit_for_a_ribbon_camera_keeps_its_options() {
    on_each(|debian, package, folder| {
        let before = debian.files();
        put_rpicam_vid(debian);
        debian.install(&with_rpicam_units(package, folder));
        debian.sh("systemctl disable --now lancam.socket lancam.service");
        let drop_in = "/etc/systemd/system/lancam-rpicam@0.service.d";
        debian.sh(&format!("mkdir {drop_in}"));
        let options = "--width 1920 --height 1080 --framerate 25 --rotation 180 --awb daylight";
        debian.write(
            &format!("{drop_in}/override.conf"),
            format!("[Service]\nEnvironment=\"RPICAM_OPTIONS={options}\" LANCAM_NAME=Garage\n"),
        );
        debian.sh("systemctl enable --now lancam-rpicam@0.socket lancam-rpicam@0.service");
        debian.streams();

        let said = debian.install(package);
        for unit in ["lancam.socket", "lancam.service"] {
            assert_eq!(debian.unit(unit), ("active".into(), "enabled".into()), "{unit}");
        }
        let left = debian.tries("systemctl list-units --all --no-legend 'lancam-rpicam*'").0;
        assert_eq!(left, "");
        assert!(said.contains(LOUD) && debian.snapshot().is_none(), "{said}");
        let toml = debian.sh(&format!("cat {CONFIGURATION}"));
        debian.write(CONFIGURATION, format!("access = \"open\"\n{toml}\n"));
        debian.sh("systemctl restart lancam");
        debian.streams();
        let asked = rpicam_options(debian);
        for option in
            ["--width=1920", "--height=1080", "--framerate=25", "--rotation=180", "--awb=daylight"]
        {
            assert!(asked.iter().any(|it| it == option), "{option}: {asked:?}");
        }
        let mut state = debian.on_its_network("curl");
        let state = state.args(["--silent", "http://127.0.0.1:8080/state"]).output();
        let state = String::from_utf8_lossy(&state.expect("curl is there").stdout).into_owned();
        assert!(state.contains("Garage"), "{state}");
        // The second time, there is nothing left to take over.
        let toml = debian.sh(&format!("cat {CONFIGURATION}"));
        debian.install(package);
        assert_eq!(debian.sh(&format!("cat {CONFIGURATION}")), toml);
        debian.streams();

        debian.sh("dpkg --purge lancam; rm /usr/bin/rpicam-vid /usr/local/share/picture.jpg");
        let left: Vec<_> =
            debian.files().into_iter().filter(|file| !before.contains(file)).collect();
        assert_eq!(left, Vec::<String>::new(), "purged");
    });
}

/// Runs `make deploy` for a user of that Debian, over its sshd.
fn deploy(debian: &Debian, package: &Path, user_and_host: &str) -> (String, bool) {
    let mut deploy = debian.on_its_network("bash");
    deploy.arg(Path::new(HERE).join("cross/deploy.sh")).arg(user_and_host);
    let ssh = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes -o BatchMode=yes -q";
    let ssh = format!("ssh -i {} {ssh}", debian.folder.join("key").display());
    deploy.env("LANCAM_SSH", ssh).env("LANCAM_DEB", package);
    let output = deploy.output().expect("bash is there");
    let said = [output.stderr, output.stdout].concat();
    (String::from_utf8_lossy(&said).into_owned(), output.status.success())
}

#[test]
#[ignore = "minutes: make test-all"]
fn deploying_installs_starts_says_where_and_again_does_no_harm() {
    on_each(|debian, package, folder| {
        let deploys = |package: &Path, whom: &str| {
            let (said, succeeded) = deploy(debian, package, whom);
            assert!(succeeded, "{said}");
            assert!(said.contains("//lancam-debian.local:8080/"), "{said}");
            assert!(said.contains("//10.99.0.2:8080/"), "{said}");
            said
        };
        let said = deploys(package, "pi@127.0.0.1");
        let code = debian.sh("head -n 1 /var/lib/lancam/code");
        assert!(said.contains(&format!("--code {code}")), "the line to type: {said}");
        assert_eq!(debian.unit("lancam.service"), ("active".into(), "enabled".into()));
        let connections = "journalctl --no-pager -u ssh | grep -c 'Accepted publickey'";
        assert_eq!(debian.sh(connections), "1", "a password would be asked for once");
        debian.write(CONFIGURATION, TEST_SOURCE);
        deploys(package, "root@127.0.0.1");
        deploys(&later(package, folder), "pi@127.0.0.1");
        assert_eq!(debian.sh(&format!("cat {CONFIGURATION}")), TEST_SOURCE.trim_end());
        debian.streams();
        assert!(!debian.tries("ls /tmp/tmp.*").1, "no temporary files stay");

        let fails = |whom: &str, why: &str| {
            let (said, succeeded) = deploy(debian, package, whom);
            assert!(!succeeded && said.contains(why), "{whom}: {why}: {said}");
        };
        fails("pi@127.0.0.9x", "Is this its user, and its name or address?");
        fails("nobody@127.0.0.1", "no ssh connection");
        fails("", "PI=pi@raspberrypi.local");
        debian.write("/etc/sudoers.d/pi", "pi ALL=(ALL) ALL\n");
        fails("pi@127.0.0.1", "there is no terminal to type it");
        debian.sh("mv /usr/bin/sudo /usr/bin/not-sudo");
        fails("pi@127.0.0.1", "has no sudo");
        debian.write(CONFIGURATION, "quality = 800\n");
        fails("root@127.0.0.1", "lancam is installed, but it does not run");
        debian.sh("mv /usr/bin/dpkg /usr/bin/not-dpkg");
        fails("root@127.0.0.1", "has no Debian");
    });
}

#[test]
fn deploying_needs_to_know_where_to() {
    for pi in ["", "-oProxyCommand=true"] {
        let output = Command::new(Path::new(HERE).join("cross/deploy.sh")).arg(pi).output();
        let output = output.expect("it is executable");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains("PI=pi@raspberrypi"), "{said}");
    }
}
