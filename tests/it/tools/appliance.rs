//! The SD card's image on an emulated machine, with the bytes that owners write to a card. A test changes its own card,
//! boots it, watches it from outside, runs commands over SSH, and cuts its power.
//!
//! ```ignore
//! let Some(card) = Card::new() else { return };      // said as a skip
//! card.put("lancam.toml", b"quality = 50\n");        // what an owner would do on a PC
//! let pi = card.boot(Machine::Virt, &["modules_load=vivid"]);
//! let picture = pi.first_picture();                  // when it came, and the stages before it
//! assert_eq!(pi.ssh("hostname").text().trim(), "lancam-3456");
//! let card = pi.cut_power();                         // or power_off(); reset() keeps it going
//! let pi = card.boot(Machine::Virt, &[]);            // the second start of the same card
//! ```
//! The image is the file in `LANCAM_IMAGE` (`make test` sets it), or `dist/lancam.img`. Only one machine runs at a time,
//! because two would share the CPU, and one of them may be timed. Every wait has a deadline, and a long one, because
//! machines are busy.

// Not every test uses all of this.
#![allow(dead_code)]

use crate::tools::http_client::Answer;
use crate::tools::skip::skip;
use std::fmt;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Lines, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The longest boot on a busy machine. On an idle one it takes a tenth of this.
pub const BOOT: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// QEMU's generic machine: two CPUs of a Pi 3, the card as a virtio disk, a network, a watchdog (i6300esb).
    Virt,
    /// A Raspberry Pi 3B: its device tree, its SD controller, USB network. No watchdog.
    Raspi3b,
}

impl Machine {
    fn name(self) -> &'static str {
        match self {
            Self::Virt => "virt",
            Self::Raspi3b => "raspi3b",
        }
    }
}

/// A copy of the image on a card with room for the data partition, and with an SSH key of the owner.
#[derive(Debug)]
pub struct Card {
    folder: TempDir,
    /// More arguments for QEMU.
    qemu: Vec<String>,
    /// What lancam is told in the place of the setting `access`, if anything is.
    access: Option<&'static str>,
}

impl Card {
    /// A fresh card. `None`, reported as a skip, if there is no image or no emulator.
    pub fn new() -> Option<Self> {
        let image = image()?;
        let tools = ["qemu-system-aarch64:qemu-system-arm", "mcopy:mtools", "ssh:openssh-client"];
        let got = script("cross/need.sh").args(tools).output().expect("need.sh is executable");
        if !got.status.success() {
            skip("appliance", String::from_utf8_lossy(&got.stderr).lines().last().unwrap_or("?"));
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let card = Self { folder, qemu: Vec::new(), access: Some("open") };
        run(Command::new("cp").arg("--sparse=always").arg(image).arg(card.file()));
        // An SD card's size is a power of two, and QEMU requires that.
        let file = File::options().write(true).open(card.file()).expect("a card");
        file.set_len(SIZE).expect("grows");
        let keygen = ["-q", "-t", "ed25519", "-N", "", "-C", "owner", "-f"];
        run(Command::new("ssh-keygen").args(keygen).arg(card.key()));
        card.let_owner_in();
        Some(card)
    }

    /// Puts the owner's SSH key on the boot partition.
    pub fn let_owner_in(&self) {
        self.put("authorized_keys", &fs::read(self.key().with_extension("pub")).expect("a key"));
    }

    /// The card's bytes.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("card.img")
    }

    /// A folder that exists as long as the card.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file to the boot partition, over an older one.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let from = self.folder.path().join("put");
        fs::write(&from, bytes).expect("writes");
        let boot = format!("{}@@{BOOT_OFFSET}", self.file().display());
        run(Command::new("mcopy").args(["-o", "-i", &boot]).arg(from).arg(format!("::{name}")));
    }

    /// Reads a file of the boot partition.
    pub fn read(&self, name: &str) -> Vec<u8> {
        let boot = format!("{}@@{BOOT_OFFSET}", self.file().display());
        run(Command::new("mcopy").args(["-n", "-i", &boot, &format!("::{name}"), "-"])).stdout
    }

    /// Deletes a file of the boot partition.
    pub fn delete(&self, name: &str) {
        let boot = format!("{}@@{BOOT_OFFSET}", self.file().display());
        run(Command::new("mdel").args(["-i", &boot, &format!("::{name}")]));
    }

    /// The offset and length of partition `number` in bytes, as far as the card has it.
    pub fn partition(&self, number: usize) -> (u64, u64) {
        let card = fs::read(self.file()).expect("a card");
        let entry = &card[446 + 16 * (number - 1)..][..16];
        let sectors = |at: usize| {
            let bytes = entry[at..at + 4].try_into().expect("four bytes");
            u64::from(u32::from_le_bytes(bytes)) * 512
        };
        let start = sectors(8);
        (start, sectors(12).min(SIZE - start))
    }

    /// Adds arguments for QEMU, at every boot from now on.
    pub fn with_qemu(mut self, arguments: &[&str]) -> Self {
        self.qemu.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// Lets nobody watch without a key, as on an owner's card. Tests of other things need none.
    pub fn closed(mut self) -> Self {
        self.access = None;
        self
    }

    /// Boots a machine with this card. `arguments` are added to the kernel's command line.
    pub fn boot(self, machine: Machine, arguments: &[&str]) -> Appliance {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let ports = choose_ports();
        let forward: Vec<_> = ports.iter().map(|(host, guest)| format!("{host}:{guest}")).collect();
        let qmp = self.folder.path().join("qmp");
        let _ = fs::remove_file(&qmp);
        let mut more = self.qemu.clone();
        more.extend(["-qmp".into(), format!("unix:{},server=on,wait=off", qmp.display())]);
        let on_at = Instant::now();
        let mut qemu = script("cross/image/qemu.sh")
            .arg(machine.name())
            .arg(self.file())
            // The log of systemd and the kernel goes to the console, from which the stages are read.
            .args(["loglevel=7", "systemd.log_target=kmsg"])
            .args(self.access.map(|access| format!("systemd.setenv=LANCAM_ACCESS={access}")))
            .args(arguments)
            .env("LANCAM_FORWARD", forward.join(" "))
            .env("LANCAM_QEMU", more.join(" "))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(self.folder.path().join("qemu.log")).expect("a log"))
            .spawn()
            .expect("qemu.sh is executable");
        let console = Console::of(qemu.stdout.take().expect("piped"), on_at);
        Appliance { card: Some(self), qemu, ports, console, on_at, _turn: turn }
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    fn ssh_socket(&self) -> PathBuf {
        self.folder.path().join("ssh")
    }
}

/// A running machine. Dropping it cuts its power.
pub struct Appliance {
    /// `None` only after it has been given back.
    card: Option<Card>,
    qemu: Child,
    ports: Vec<(u16, u16)>,
    /// The output of its serial port.
    pub console: Arc<Console>,
    on_at: Instant,
    _turn: MutexGuard<'static, ()>,
}

/// When each stage was reached, since power-on.
#[derive(Debug, Clone)]
pub struct Stages {
    /// The stages in order, with their times: kernel, initramfs, systemd, service.
    pub marks: Vec<(&'static str, Duration)>,
    /// The first JPEG of the live picture over HTTP, seen from outside.
    pub picture: Duration,
    /// The CPU time of this machine until then, which depends less on other load.
    pub cpu: Duration,
}

impl Appliance {
    /// The port on this machine's 127.0.0.1 that is forwarded to the guest's port: 9999, 8080 or 22.
    pub fn port(&self, guest: u16) -> u16 {
        let pair = self.ports.iter().find(|(_, it)| *it == guest);
        pair.unwrap_or_else(|| panic!("port {guest} is not forwarded")).0
    }

    /// Waits for the first JPEG over HTTP. Returns when each stage was reached.
    pub fn first_picture(&self) -> Stages {
        self.picture_after(0, self.on_at)
    }

    /// The same after a restart that began at `since`, when the console was at `mark`.
    pub fn picture_after(&self, mark: usize, since: Instant) -> Stages {
        let deadline = Instant::now() + BOOT;
        let (sender, answers) = mpsc::channel();
        let port = self.port(8080);
        while answers.recv_timeout(Duration::from_millis(500)).is_err() {
            assert!(Instant::now() < deadline, "no picture; {}", self.tail());
            // QEMU accepts a connection before the guest has a network, and then retries it less and less often. Until the
            // machine has gone down, the old one answers.
            if mark > 0 && self.console.find("lancam: initramfs", mark).is_none() {
                continue;
            }
            let sender = sender.clone();
            thread::spawn(move || {
                if first_jpeg(port, Duration::from_secs(30)).is_ok() {
                    let _ = sender.send(());
                }
            });
        }
        let picture = since.elapsed();
        let began = since.duration_since(self.on_at);
        let when = |text: &str| Some(self.console.find(text, mark)?.saturating_sub(began));
        let marks = STAGES.into_iter().filter_map(|(name, text)| Some((name, when(text)?)));
        Stages { marks: marks.collect(), picture, cpu: cpu_time(self.qemu.id()) }
    }

    /// Repeats an HTTP request until `is_it` accepts the answer. A machine that is restarting does not answer.
    pub fn get_until(&self, target: &str, is_it: impl Fn(&Answer) -> bool) -> Answer {
        let deadline = Instant::now() + BOOT;
        loop {
            let answer = ask(self.port(8080), target, Duration::from_secs(10));
            match answer {
                Ok(answer) if is_it(&answer) => return answer,
                _ => {}
            }
            assert!(Instant::now() < deadline, "{target}: {answer:?}; {}", self.console.tail());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits for SSH after a start, and runs a shell command as root with the owner's key, once. `sh` is busybox's.
    pub fn ssh(&self, command: &str) -> Said {
        let deadline = Instant::now() + BOOT;
        loop {
            let output = self.ssh_command().arg("true").output().expect("ssh is there");
            if output.status.success() {
                break;
            }
            assert!(Instant::now() < deadline, "ssh: {output:?}; {}", self.tail());
            self.hang_up();
            thread::sleep(Duration::from_millis(200));
        }
        let output = self.ssh_command().arg(command).output().expect("ssh is there");
        Said { command: command.into(), output }
    }

    /// Prepares a shell command, which runs at once when [`Order::go`] is called.
    pub fn ssh_ready(&self, command: &str) -> Order {
        self.ssh("true");
        let mut ssh = self.ssh_command();
        ssh.arg(format!("echo ready; read -r _; {command}; echo done"));
        let ssh = ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut ssh = ssh.expect("ssh is there");
        let mut said = BufReader::new(ssh.stdout.take().expect("piped")).lines();
        let ready = said.next().and_then(Result::ok);
        assert_eq!(ready.as_deref(), Some("ready"), "{command}");
        Order { ssh, said }
    }

    /// Runs a command that ends the connection, such as a restart. Tries it once and does not wait for its end.
    pub fn ssh_last_words(&self, command: &str) {
        self.ssh("true");
        let mut command_line = self.ssh_command();
        let mut child =
            command_line.arg(command).stderr(Stdio::null()).spawn().expect("ssh is there");
        let deadline = Instant::now() + Duration::from_secs(20);
        while child.try_wait().expect("ours").is_none() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = child.kill();
        let _ = child.wait();
        self.hang_up();
    }

    fn ssh_command(&self) -> Command {
        let card = self.card();
        let mut command = Command::new("ssh");
        command
            // One connection for all commands, because a new one takes the emulated Pi a second.
            .args(["-o", "ControlMaster=auto", "-o", "ControlPersist=yes", "-o"])
            .arg(format!("ControlPath={}", card.ssh_socket().display()))
            .args([
                "-F",
                "none",
                "-o",
                "StrictHostKeyChecking=no",
                "-o",
                "UserKnownHostsFile=/dev/null",
            ])
            .args(["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "LogLevel=ERROR"])
            .args([
                "-o",
                "ConnectTimeout=15",
                "-o",
                "ServerAliveInterval=5",
                "-o",
                "ServerAliveCountMax=6",
            ])
            .arg("-i")
            .arg(card.key())
            .args(["-p", &self.port(22).to_string(), "root@127.0.0.1"])
            .stdin(Stdio::null());
        command
    }

    /// Closes the connection that SSH keeps.
    fn hang_up(&self) {
        let mut command = self.ssh_command();
        let _ = command.args(["-O", "exit"]).stderr(Stdio::null()).status();
    }

    /// Presses the reset button: memory stays, everything else starts again. Returns the console's position.
    pub fn reset(&self) -> usize {
        let mark = self.console.mark();
        self.qmp("system_reset");
        self.hang_up();
        mark
    }

    /// Sends QEMU's monitor a command without arguments.
    pub fn qmp(&self, command: &str) {
        let path = self.card().folder.path().join("qmp");
        let deadline = Instant::now() + BOOT;
        let mut stream = loop {
            match UnixStream::connect(&path) {
                Ok(stream) => break stream,
                Err(error) => assert!(Instant::now() < deadline, "{}: {error}", path.display()),
            }
            thread::sleep(Duration::from_millis(20));
        };
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        let mut lines = BufReader::new(stream.try_clone().expect("another handle")).lines();
        for command in ["qmp_capabilities", command] {
            writeln!(stream, "{{\"execute\":\"{command}\"}}").expect("QEMU hears");
            let answer = lines.find_map(|line| {
                let line = line.expect("QEMU answers");
                (line.contains("\"return\"") || line.contains("\"error\"")).then_some(line)
            });
            assert!(answer.as_ref().is_some_and(|it| it.contains("\"return\"")), "{answer:?}");
        }
    }

    /// Shuts it down, and waits until it is off.
    pub fn power_off(mut self) -> Card {
        self.ssh_last_words("systemctl poweroff");
        let deadline = Instant::now() + Duration::from_secs(120);
        while self.qemu.try_wait().expect("ours").is_none() {
            assert!(Instant::now() < deadline, "it does not switch off; {}", self.console.tail());
            thread::sleep(Duration::from_millis(20));
        }
        self.card.take().expect("given back once")
    }

    /// Cuts the power. QEMU keeps everything that was written to the card; real cards may not.
    pub fn cut_power(mut self) -> Card {
        self.stop();
        self.card.take().expect("given back once")
    }

    /// QEMU's errors and the console's last lines.
    fn tail(&self) -> String {
        let log = fs::read_to_string(self.card().folder.path().join("qemu.log"));
        format!("{}{}", log.unwrap_or_default(), self.console.tail())
    }

    fn card(&self) -> &Card {
        self.card.as_ref().expect("it runs")
    }

    fn stop(&mut self) {
        if self.card.is_some() {
            self.hang_up();
        }
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

impl Drop for Appliance {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Display for Stages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, when) in &self.marks {
            write!(f, "{name} {:.1} s, ", when.as_secs_f64())?;
        }
        let (picture, cpu) = (self.picture.as_secs_f64(), self.cpu.as_secs_f64());
        write!(f, "picture {picture:.1} s ({cpu:.1} s of CPU)")
    }
}

/// A command that is ready to run.
pub struct Order {
    ssh: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Order {
    /// Runs the command, and waits until it is done.
    pub fn go(mut self) -> Done {
        let mut input = self.ssh.stdin.take().expect("piped");
        input.write_all(b"go\n").expect("ssh hears");
        let done = self.said.next().and_then(Result::ok);
        assert_eq!(done.as_deref(), Some("done"));
        Done(self.ssh)
    }
}

/// A command that is done. Dropping it waits for ssh to end.
pub struct Done(Child);

impl Drop for Done {
    fn drop(&mut self) {
        let _ = self.0.wait();
    }
}

/// The result of a command.
#[derive(Debug)]
pub struct Said {
    command: String,
    output: Output,
}

impl Said {
    /// Whether it succeeded.
    pub fn ok(&self) -> bool {
        self.output.status.success()
    }

    /// Its output. Panics if it failed.
    pub fn text(&self) -> String {
        assert!(self.ok(), "{}: {:?}", self.command, self.output);
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }
}

/// The lines of a serial port, with times.
#[derive(Debug, Default)]
pub struct Console {
    lines: Mutex<Vec<(Duration, String)>>,
    came: Condvar,
}

impl Console {
    fn of(stream: impl Read + Send + 'static, on_at: Instant) -> Arc<Self> {
        let console = Arc::new(Self::default());
        let ours = Arc::clone(&console);
        thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while matches!(stream.read_until(b'\n', &mut line), Ok(length) if length > 0) {
                let text = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
                line.clear();
                ours.lines().push((on_at.elapsed(), text));
                ours.came.notify_all();
            }
        });
        console
    }

    /// The number of lines so far, to look only at later ones.
    pub fn mark(&self) -> usize {
        self.lines().len()
    }

    /// When a line with this text came, from line `mark` on.
    pub fn find(&self, text: &str, mark: usize) -> Option<Duration> {
        let lines = self.lines();
        lines.iter().skip(mark).find(|(_, line)| line.contains(text)).map(|(when, _)| *when)
    }

    /// Waits for such a line.
    pub fn wait_for(&self, text: &str, mark: usize, patience: Duration) -> Duration {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(when) = self.find(text, mark) {
                return when;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {text:?} in {patience:?}; {}", self.tail());
            // Short, because a line may have come since the last look.
            let wait = left.min(Duration::from_millis(100));
            drop(self.came.wait_timeout(self.lines(), wait));
        }
    }

    /// Waits for such a line, and returns what follows the text in it.
    pub fn rest_of_line(&self, text: &str, mark: usize, patience: Duration) -> String {
        self.wait_for(text, mark, patience);
        let lines = self.lines();
        let rest = lines.iter().skip(mark).find_map(|(_, line)| Some(line.split_once(text)?.1));
        rest.expect("it was there").to_owned()
    }

    /// The last lines, for a failure's message.
    pub fn tail(&self) -> String {
        let lines = self.lines();
        let last = lines.iter().skip(lines.len().saturating_sub(60));
        let last = last.map(|(when, line)| format!("{:8.2} {line}\n", when.as_secs_f64()));
        format!("its console's last lines:\n{}", last.collect::<String>())
    }

    fn lines(&self) -> MutexGuard<'_, Vec<(Duration, String)>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes one HTTP request on a connection of its own. An error is not a failure.
pub fn ask(port: u16, target: &str, patience: Duration) -> std::io::Result<Answer> {
    let mut tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    tcp.set_read_timeout(Some(patience))?;
    write!(tcp, "GET {target} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
    let mut bytes = Vec::new();
    tcp.read_to_end(&mut bytes)?;
    let nonsense = || std::io::Error::from(ErrorKind::InvalidData);
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").ok_or_else(nonsense)? + 4;
    let body = bytes.split_off(end);
    let head = String::from_utf8(bytes).map_err(|_| nonsense())?;
    let code = head.split(' ').nth(1).and_then(|it| it.parse().ok()).ok_or_else(nonsense)?;
    Ok(Answer { code, head, body })
}

/// Reads the live picture until there is a whole JPEG. (`/snapshot` would wait until the camera has measured the light.)
pub fn first_jpeg(port: u16, patience: Duration) -> std::io::Result<()> {
    let mut tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    tcp.set_read_timeout(Some(patience))?;
    tcp.write_all(b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")?;
    let mut reader = BufReader::new(tcp);
    let mut bytes = Vec::new();
    for byte in [0xff, 0xd8] {
        reader.read_until(byte, &mut bytes)?;
    }
    // Inside a JPEG, 0xff is never followed by 0xd9.
    while !bytes.ends_with(&[0xff, 0xd9]) {
        if reader.read_until(0xd9, &mut bytes)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

/// The image's file. `None`, reported as a skip, if there is none.
pub fn image() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var_os("LANCAM_IMAGE").map(PathBuf::from);
    let image = named.unwrap_or_else(|| root.join("dist/lancam.img"));
    if image.exists() {
        return Some(image);
    }
    skip("image", &format!("no {}: make image builds it, from packages", image.display()));
    None
}

/// A file that the project puts into the image: `path` is its place there, without the first slash.
pub fn file_of_the_image(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cross/image/root").join(path)
}

/// A script of the project.
pub fn script(name: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join(name))
}

/// Runs a command that must succeed.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}

/// Ports that are free now. All are held at once, so that they differ.
fn choose_ports() -> Vec<(u16, u16)> {
    let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    let held: Vec<_> = [9999, 8080, 22].into_iter().map(|guest| (free(), guest)).collect();
    let port = |socket: &TcpListener| socket.local_addr().expect("bound").port();
    held.iter().map(|(socket, guest)| (port(socket), *guest)).collect()
}

/// The CPU time of a process.
fn cpu_time(id: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    // utime and stime, in hundredths of a second on every Linux with an emulator.
    let hundredths: u64 = fields.skip(11).take(2).filter_map(|it| it.parse::<u64>().ok()).sum();
    Duration::from_millis(hundredths * 10)
}

/// The console's lines that mark the stages.
const STAGES: [(&str, &str); 5] = [
    ("kernel", "Booting Linux"),
    ("initramfs", "lancam: initramfs"),
    ("systemd", "running in system mode"),
    ("service", "Started lancam.service"),
    ("network", "Started systemd-networkd.service"),
];

/// The offset of the boot partition: 4 MiB.
pub const BOOT_OFFSET: u64 = 4 << 20;

/// The size of an emulated card, which is larger than the image, so that there is room for the data partition.
const SIZE: u64 = 256 << 20;

/// Held while a machine runs.
static TURN: Mutex<()> = Mutex::new(());
