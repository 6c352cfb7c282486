//! The camera under a service manager: ready, alive, hanging, ending; sockets that the manager hands over and
//! keeps; and a wrong configuration, with which the camera still runs.

use crate::tools::camera_process::{CameraProcess, PATIENCE, signal, wait};
use crate::tools::http_client::HttpClient;
use crate::tools::native_client::{NativeClient, Said};
use crate::tools::random::Random;
use crate::tools::skip::skip;
use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The socket on which a service manager hears of the service.
struct Manager {
    socket: UnixDatagram,
    /// `NOTIFY_SOCKET`.
    name: String,
    _folder: TempDir,
}

impl Manager {
    fn at_a_path() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("binds");
        Self { socket, name: path.to_str().expect("UTF-8").to_owned(), _folder: folder }
    }

    fn abstract_one() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let name = folder.path().to_str().expect("UTF-8");
        let address = SocketAddr::from_abstract_name(name).expect("a short name");
        let socket = UnixDatagram::bind_addr(&address).expect("binds");
        Self { socket, name: format!("@{name}"), _folder: folder }
    }

    fn command(&self, watchdog: Duration, arguments: &[&str]) -> Command {
        let arguments = [&["--listen", "127.0.0.1:0"], arguments].concat();
        let mut command = CameraProcess::command(&arguments);
        command
            .env("NOTIFY_SOCKET", &self.name)
            .env("WATCHDOG_USEC", watchdog.as_micros().to_string())
            .env_remove("WATCHDOG_PID");
        command
    }

    /// The next message within `patience`.
    fn hear(&self, patience: Duration) -> Option<String> {
        let mut bytes = [0; 4096];
        self.socket.set_read_timeout(Some(patience)).expect("a timeout");
        let len = self.socket.recv(&mut bytes).ok()?;
        Some(String::from_utf8(bytes[..len].to_vec()).expect("UTF-8"))
    }

    /// Hears everything until a line begins with `line`. Returns all of it, with that line.
    fn hear_until(&self, line: &str) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut heard = Vec::new();
        while Instant::now() < deadline {
            let Some(message) = self.hear(PATIENCE) else { break };
            heard.extend(message.lines().map(str::to_owned));
            if message.lines().any(|said| said.starts_with(line)) {
                return heard;
            }
        }
        panic!("no {line}: {heard:?}");
    }
}

#[test]
fn it_is_ready_with_its_first_frame_alive_while_it_runs_and_says_when_it_ends() {
    for manager in [Manager::at_a_path(), Manager::abstract_one()] {
        let mut command = manager.command(Duration::from_millis(300), &["--source", "test:64x48"]);
        let camera = CameraProcess::spawn(&mut command);
        let heard = manager.hear_until("READY=1");
        assert!(!heard.contains(&"STOPPING=1".into()), "{heard:?}");
        manager.hear_until("STATUS=the picture is live; viewers: 0");
        let began = Instant::now();
        for _ in 0..5 {
            manager.hear_until("WATCHDOG=1");
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        let mut viewer = NativeClient::connect(camera.port());
        viewer.frame();
        manager.hear_until("STATUS=the picture is live; viewers: 1");
        assert!(camera.terminate().success());
        manager.hear_until("STOPPING=1");
    }
}

#[test]
fn without_a_camera_it_is_ready_and_alive_and_says_what_is_missing() {
    let manager = Manager::at_a_path();
    let missing = ["--source", "/dev/video987"];
    let _camera = CameraProcess::spawn(&mut manager.command(Duration::from_millis(300), &missing));
    manager.hear_until("READY=1");
    let heard = manager.hear_until("STATUS=");
    assert!(heard.last().is_some_and(|status| status.contains("/dev/video987")), "{heard:?}");
    for _ in 0..5 {
        manager.hear_until("WATCHDOG=1");
    }
}

#[test]
fn a_camera_that_rests_is_alive() {
    let manager = Manager::at_a_path();
    let arguments = ["--source", "test:64x48", "--idle-stop", "0.1"];
    let _camera =
        CameraProcess::spawn(&mut manager.command(Duration::from_millis(300), &arguments));
    manager.hear_until("STATUS=the camera is off until somebody watches");
    for _ in 0..5 {
        manager.hear_until("WATCHDOG=1");
    }
}

#[test]
fn whoever_is_not_meant_by_the_watchdog_leaves_it_alone() {
    let manager = Manager::at_a_path();
    let mut command = manager.command(Duration::from_millis(300), &["--source", "test:64x48"]);
    let camera = CameraProcess::spawn(command.env("WATCHDOG_PID", "1"));
    manager.hear_until("READY=1");
    assert!(camera.terminate().success());
    let heard = manager.hear_until("STOPPING=1");
    assert!(!heard.contains(&"WATCHDOG=1".into()), "{heard:?}");
}

#[test]
fn a_wrong_configuration_is_told_to_the_manager_too() {
    let manager = Manager::at_a_path();
    let file = manager._folder.path().join("lancam.toml");
    fs::write(&file, "quality = 0\n").expect("writes");
    let mut command = manager.command(Duration::from_secs(9), &[]);
    let child = command.env("LANCAM_CONFIG", &file).stderr(Stdio::null()).spawn();
    assert_eq!(wait(&mut child.expect("starts")).code(), Some(78));
    let heard = manager.hear_until("STATUS=");
    assert!(heard[0].contains("lancam.toml:1:11"), "{heard:?}");
}

/// ptrace stops the capture thread alone, as a driver's call that never returns would.
#[test]
fn the_watchdog_is_left_alone_once_the_capture_thread_hangs_and_not_before() {
    let manager = Manager::at_a_path();
    let mut command = manager.command(Duration::from_millis(600), &["--source", "test:64x48"]);
    let camera = CameraProcess::spawn(&mut command);
    manager.hear_until("READY=1");
    let thread = thread_called("capture", &camera.child);
    if let Err(error) = ptrace::seize(thread, ptrace::Options::empty()) {
        return skip("ptrace", &error.to_string());
    }
    let stopped = Stopped(thread);
    ptrace::interrupt(thread).expect("stops it");
    waitpid(thread, Some(WaitPidFlag::__WALL)).expect("it stops");
    let hung_at = Instant::now();
    manager.hear_until("STATUS=the capture thread hangs");
    let noticed_after = hung_at.elapsed();
    assert!(noticed_after > Duration::from_secs(10), "too early: {noticed_after:?}");
    assert!(noticed_after < Duration::from_secs(16), "{noticed_after:?}");
    let more = manager.hear(Duration::from_secs(2));
    assert_eq!(more, None, "no sign of life of what is dead");
    drop(stopped);
    manager.hear_until("WATCHDOG=1");
}

/// A thread that ptrace has stopped. Dropping this detaches from it, because otherwise waiting for its
/// process would never end.
struct Stopped(Pid);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = ptrace::detach(self.0, None);
    }
}

fn thread_called(name: &str, of: &Child) -> Pid {
    let threads = fs::read_dir(format!("/proc/{}/task", of.id())).expect("a process of ours");
    let thread = threads.map(|thread| thread.expect("readable").path()).find(|thread| {
        fs::read_to_string(thread.join("comm")).is_ok_and(|comm| comm.trim_end() == name)
    });
    let thread = thread.unwrap_or_else(|| panic!("no thread called {name}"));
    let id = thread.file_name().and_then(|id| id.to_str()).and_then(|id| id.parse().ok());
    Pid::from_raw(id.expect("a number"))
}

/// `lancam` with `listener` as its file descriptor 3, as systemd starts it.
fn with_socket(listener: &TcpListener, arguments: &[&str], pid: &str) -> CameraProcess {
    let plain = CameraProcess::command(arguments);
    let hand_over = format!(
        "exec 3<&0 0</dev/null; LISTEN_PID={pid} LISTEN_FDS=1 LISTEN_FDNAMES=lancam exec \"$0\" \"$@\""
    );
    let mut command = Command::new("sh");
    command.args(["-c", &hand_over, env!("CARGO_BIN_EXE_lancam")]).args(arguments);
    for (variable, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(variable, value),
            None => command.env_remove(variable),
        };
    }
    let listener = listener.try_clone().expect("another handle");
    command.stdin(Stdio::from(OwnedFd::from(listener)));
    CameraProcess::spawn(&mut command)
}

#[test]
fn a_socket_that_is_handed_over_is_listened_at_instead_of_the_usual_ports() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = listener.local_addr().expect("bound").port();
    let camera = with_socket(&listener, &["--source", "test:64x48"], "$$");
    assert_eq!(camera.ports, [port]);
    NativeClient::connect(port).frame();
    assert_eq!(HttpClient::connect(port).get("/healthz").code, 200);
    // A program that the camera starts must not inherit the socket.
    let flags = fs::read_to_string(format!("/proc/{}/fdinfo/3", camera.child.id()));
    let flags = flags.expect("fd 3 is open");
    let flags = flags.lines().find_map(|line| line.strip_prefix("flags:")).map(str::trim);
    let flags = u32::from_str_radix(flags.expect("flags"), 8).expect("octal");
    assert_ne!(flags & 0o2_000_000, 0, "O_CLOEXEC");
}

#[test]
fn named_addresses_are_listened_at_besides() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let same = listener.local_addr().expect("bound").to_string();
    let arguments = ["--source", "test:64x48", "--listen", &same, "--listen", "127.0.0.1:0"];
    let camera = with_socket(&listener, &arguments, "$$");
    assert_eq!(camera.ports, [listener.local_addr().expect("bound").port()]);
    let second = camera.line_with("LISTENING AT: tcp://");
    let port = second.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    NativeClient::connect(port).frame();
}

#[test]
fn a_socket_for_another_process_is_not_touched() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let arguments = ["--source", "test:64x48", "--listen", "127.0.0.1:0"];
    let camera = with_socket(&listener, &arguments, "1");
    assert_ne!(camera.ports, [listener.local_addr().expect("bound").port()]);
}

#[test]
fn whoever_comes_while_it_restarts_waits_and_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = listener.local_addr().expect("bound").port();
    for _ in 0..3 {
        let mut camera = with_socket(&listener, &["--source", "test:64x48"], "$$");
        NativeClient::connect(port).frame();
        signal(&camera.child, "KILL");
        wait(&mut camera.child);
        // lancam does not run now. The kernel accepts the connection all the same.
        let viewer = std::thread::spawn(move || {
            NativeClient::connect(port).frame();
        });
        let camera = with_socket(&listener, &["--source", "test:64x48"], "$$");
        viewer.join().expect("served");
        drop(camera);
    }
}

/// Starts a camera with this file and `--config-errors defaults`. Its log is in the folder.
fn with_file(text: &[u8], arguments: &[&str]) -> (CameraProcess, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lancam.toml");
    fs::write(&path, text).expect("writes");
    let log = fs::File::create(folder.path().join("log")).expect("creates");
    let usual = ["--config-errors", "defaults", "--config", path.to_str().expect("UTF-8")];
    let mut command = CameraProcess::command(&[&usual, arguments].concat());
    (CameraProcess::spawn_with(&mut command, Stdio::from(log)), folder)
}

#[test]
fn what_is_wrong_is_left_out_and_told_where_people_look() {
    let text = b"quality = 800\nwidth = 64\nnmae = \"x\"\n";
    let arguments = ["--listen", "127.0.0.1:0", "--source", "test:128x96"];
    let (camera, folder) = with_file(text, &arguments);
    let mut viewer = NativeClient::connect(camera.port());
    let described = std::iter::from_fn(|| Some(viewer.hear())).find_map(|said| match said {
        Said::Stream { source, .. } => Some(source),
        Said::Closed => panic!("the camera closed the connection"),
        _ => None,
    });
    let described = described.expect("said before the first picture");
    assert!(described.contains("2 problems: see the camera's page"), "{described}");
    let (_, picture) = viewer.frame();
    assert!(!picture.is_empty());
    let mut http = HttpClient::connect(camera.port());
    let state = http.get("/state");
    for told in [
        "lancam.toml:1:11: quality must be 1 to 100, not 800",
        "lancam.toml:3:1: ",
        "Write: name = ",
    ] {
        assert!(state.text().contains(told), "{}", state.text());
        let log = fs::read_to_string(folder.path().join("log")).expect("a log");
        assert!(log.contains(told), "{log}");
    }
    assert!(state.text().contains("\"width\":64"), "what is right counts: {}", state.text());
    assert!(!state.text().contains("see the camera's page"), "it is that page's: {}", state.text());
    let metrics = http.get("/metrics");
    assert!(metrics.text().contains("\nlancam_config_errors 2\n"), "{}", metrics.text());
    assert!(http.get("/").text().contains("config_errors"));
}

#[test]
fn an_address_that_is_not_ours_and_a_source_that_can_never_work_leave_a_camera() {
    let manager = Manager::at_a_path();
    let taken = TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = taken.local_addr().expect("bound");
    let text = format!("listen = [\"{address}\"]\nsource = \"/nonexistent.mjpeg\"\n");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lancam.toml");
    fs::write(&path, text).expect("writes");
    // Hands over a socket in place of the usual ports, because those may be in use on this machine.
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = listener.local_addr().expect("bound").port();
    let usual = ["--config-errors", "defaults", "--config", path.to_str().expect("UTF-8")];
    let _camera = with_socket(&listener, &usual, "$$");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let state = HttpClient::connect(port).get("/state");
        let told = [&address.to_string(), "nonexistent.mjpeg"];
        if told.iter().all(|told| state.text().contains(*told)) {
            break;
        }
        assert!(Instant::now() < deadline, "{}", state.text());
    }
    drop(manager);
}

#[test]
fn two_hundred_mutations_of_a_file_leave_a_camera_and_name_the_line() {
    use lancam::camera::config::{Command, ConfigError};
    let whole = include_str!("../../data/lancam.toml").as_bytes();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lancam.toml");
    let parse = |arguments: &[&str]| {
        let environment = [("LANCAM_CONFIG".into(), path.clone().into_os_string())];
        Command::parse(environment, arguments.iter().map(Into::into))
    };
    fs::write(&path, whole).expect("writes");
    assert!(matches!(parse(&["check"]), Ok(Command::Check { .. })), "{:?}", parse(&["check"]));
    let mut random = Random::new(0x1234_5678_9abc_def1);
    let mut complained = 0;
    for number in 0..2000 {
        let bytes = mutated(whole, &mut random);
        fs::write(&path, &bytes).expect("writes");
        let text = String::from_utf8_lossy(&bytes);
        let started = Instant::now();
        let running = parse(&["--config-errors", "defaults"]);
        let Ok(Command::Run(config)) = running else { panic!("{number}: {running:?}\n{text}") };
        assert!(started.elapsed() < Duration::from_secs(5), "{number}: {:?}", started.elapsed());
        let lines = bytes.iter().filter(|&&byte| byte == b'\n').count() + 1;
        for problem in &config.problems {
            let place = problem.place.as_ref().expect("it is of the file");
            assert!((1..=lines).contains(&place.line), "{number}: {problem}\n{text}");
            assert!(!problem.text.contains('\n') && problem.text.len() < 2000, "{problem}");
        }
        // `check` and `stop` report the same mistakes.
        match parse(&["check"]) {
            Ok(_) => assert!(config.problems.is_empty(), "{number}"),
            Err(ConfigError::File(problems)) => assert_eq!(problems, config.problems, "{number}"),
            Err(error) => panic!("{number}: {error}"),
        }
        complained += usize::from(!config.problems.is_empty());
    }
    assert!(complained > 1000, "only {complained} were found wrong");
    // Then starts the program itself with ten wrong files.
    let mut started = 0;
    while started < 10 {
        let bytes = mutated(whole, &mut random);
        fs::write(&path, &bytes).expect("writes");
        let Err(error) = parse(&["check"]) else { continue };
        let (camera, _folder) =
            with_file(&bytes, &["--listen", "127.0.0.1:0", "--source", "test:64x48"]);
        let line = error.to_string().lines().next().unwrap_or_default().to_owned();
        let place = line.split("lancam.toml:").nth(1).and_then(|rest| rest.split(' ').next());
        let state = HttpClient::connect(camera.port()).get("/state");
        assert!(state.text().contains(place.expect("a place")), "{line}: {}", state.text());
        NativeClient::connect(camera.port()).frame();
        started += 1;
    }
}

/// Flips bits, or cuts, doubles or moves a piece, or cuts off the end.
fn mutated(whole: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len().max(1));
        let len = random.below(40).min(bytes.len() - at.min(bytes.len()));
        match random.below(6) {
            0 | 1 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            2 => drop(bytes.drain(at..at + len)),
            3 => {
                let piece = bytes[at..at + len].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            4 => bytes.truncate(at),
            _ => {
                let piece: Vec<u8> = bytes.drain(at..at + len).collect();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
        }
    }
    bytes
}
