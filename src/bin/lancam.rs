//! The camera program: reads options, plugs source, roster and server together, and waits for the end.

#[cfg(not(target_os = "linux"))]
fn main() {
    let why = "lancam runs on Linux only. lancam-view shows a camera on this system";
    lancam::console::complain(why);
    std::process::exit(1);
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(target_os = "linux")]
mod linux {
    use lancam::camera::access::opening::{Closed, OpeningError};
    use lancam::camera::access::service::is_service;
    use lancam::camera::access::{Mode, keeper};
    use lancam::camera::announcer::{Announce, Announcement};
    use lancam::camera::config::pair::PairOrder;
    use lancam::camera::config::{Command, Config, ConfigError, DEFAULT_FILE};
    use lancam::camera::connections::Connections;
    use lancam::camera::context::{Camera, HttpRules};
    use lancam::camera::controls::{Control, Controls};
    use lancam::camera::directions::{self, Needed};
    use lancam::camera::help;
    use lancam::camera::listen::reaches_others;
    use lancam::camera::metrics::Metrics;
    use lancam::camera::roster::Roster;
    use lancam::camera::whereabouts::Whereabouts;
    use lancam::camera::{
        descriptors, door, fallback, id, pair, selftest, server, supervisor, watchdog,
    };
    use lancam::clock;
    use lancam::console::{answer, complain, say, says_to_a_terminal};
    use lancam::net::handed_over;
    use lancam::net::notify::Notifier;
    use lancam::source::SourceError;
    use lancam::source::v4l2::list::Listing;
    use lancam::stop::Stop;
    use lancam::wording::reason;
    use lancam::{log_setup, signals, version};
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use nix::sys::signal::Signal;
    use nix::sys::signalfd::{SfdFlags, SignalFd};
    use std::error::Error;
    use std::fmt::Display;
    use std::net::{SocketAddr, TcpListener};
    use std::os::fd::AsFd;
    use std::process::ExitCode;
    use std::slice;
    use std::sync::Arc;
    use std::thread::{self, JoinHandle};
    use std::time::{Duration, Instant};

    const FAILURE: u8 = 1;
    const USAGE: u8 = 2;
    /// `EX_UNAVAILABLE` of sysexits.h.
    const UNAVAILABLE: u8 = 69;
    /// `EX_CONFIG`.
    const CONFIGURATION: u8 = 78;

    /// How long goodbyes, and answers that have begun, may take to leave.
    const GOODBYE: Duration = Duration::from_millis(500);

    pub(super) fn main() -> ExitCode {
        let command = match Command::parse(std::env::vars_os(), std::env::args_os().skip(1)) {
            Ok(command) => command,
            Err(error) => {
                return match error {
                    ConfigError::Usage(text) => {
                        complain(format_args!("lancam: {text}"));
                        USAGE.into()
                    }
                    ConfigError::File(_) => {
                        complain(&error);
                        tell_manager(&error.to_string());
                        CONFIGURATION.into()
                    }
                };
            }
        };
        match command {
            Command::Help => print(help::text().trim_end()),
            Command::SelfTest { verbosity } => {
                start_quiet_log(verbosity);
                print(selftest::block(&version::text("lancam")))
            }
            Command::Version => print(version::text("lancam")),
            Command::List { json, verbosity } => {
                start_quiet_log(verbosity);
                match json {
                    true => print(Listing::now().with_modes().json()),
                    false => print(Listing::now().with_modes()),
                }
            }
            Command::Check { file, remarks } => {
                remarks.iter().for_each(complain);
                match file {
                    Some(file) => print(format_args!("{}: good", file.display())),
                    None => print(format_args!(
                        "good: no file was read; lancam reads {DEFAULT_FILE} if it is there"
                    )),
                }
            }
            Command::Pair { order, config } => {
                start_quiet_log(config.verbosity);
                pair(&order, &config)
            }
            Command::Run(config) => {
                log_setup::start(config.verbosity);
                for remark in config.remarks() {
                    log::warn!("{remark}");
                }
                if let Err(error) = run(&config) {
                    log::error!("{}", error.message);
                    tell_manager(&error.message);
                    return error.code.into();
                }
                ExitCode::SUCCESS
            }
        }
    }

    /// The log beside an answer: warnings alone, unless somebody asks for more.
    fn start_quiet_log(verbosity: i8) {
        const WARNINGS: i8 = -1;
        log_setup::start(if verbosity == 0 { WARNINGS } else { verbosity });
    }

    /// What a command was asked for.
    fn print(text: impl Display) -> ExitCode {
        answer("lancam", text)
    }

    fn pair(order: &PairOrder, config: &Config) -> ExitCode {
        match pair::run(order, config, &host_name()) {
            Ok(text) => print(text),
            Err(error) => {
                complain(format_args!("lancam: {error}"));
                match &error {
                    pair::PairError::Opening(error) => code_of(error).into(),
                    _ => FAILURE.into(),
                }
            }
        }
    }

    /// The service manager does not start lancam again after a wrong configuration, but when a disk was full.
    fn code_of(error: &OpeningError) -> u8 {
        if error.may_pass() { FAILURE } else { CONFIGURATION }
    }

    fn host_name() -> String {
        nix::unistd::gethostname().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// `systemctl status` shows it.
    fn tell_manager(why: &str) {
        if let Some(manager) = Notifier::from_environment() {
            manager.status(why);
        }
    }

    /// Why the program ends before it was asked to.
    struct Failure {
        code: u8,
        message: String,
    }

    impl Failure {
        fn new(code: u8, error: &dyn Error) -> Self {
            Self { code, message: error.to_string() }
        }
    }

    fn failed(error: impl Error) -> Failure {
        Failure::new(FAILURE, &error)
    }

    fn unavailable(error: impl Error) -> Failure {
        Failure::new(UNAVAILABLE, &error)
    }

    fn run(config: &Config) -> Result<(), Failure> {
        // Before anything takes file descriptors.
        let handed_over = handed_over::listeners();
        let signals = signals_that_end().map_err(failed)?;
        let stop = Stop::new().map_err(failed)?;
        let controls = match config.control {
            Control::Off => None,
            Control::Lan => Some(Controls::open().map_err(failed)?),
        };
        let (controls, setter) = controls.unzip();
        let metrics = Arc::new(Metrics::new(clock::now()));
        let roster =
            Roster::new(config.own_wish(), config.encode_threads, &metrics).map_err(failed)?;
        fallback::complain(config, &metrics);
        fallback::check_source(config, &stop).map_err(unavailable)?;
        let listeners = fallback::listen(config, handed_over, &metrics).map_err(unavailable)?;
        let host_name = host_name();
        let closed = close(config, &listeners, &host_name)?;
        let found = Whereabouts::of(config, &addresses(&listeners), &host_name);
        // If this fails, `lancam pair` shows what the configuration says.
        if let Err(error) = keep(&found, config) {
            log::debug!("cannot write down where viewers find this camera: {error}");
        }
        let needed = needed(config, closed.as_ref(), &found);
        let (access, tls) = closed.map(|it| (Arc::new(it.access), it.server)).unzip();
        let name = config.name.clone().unwrap_or_else(|| host_name.clone());
        let camera = Camera {
            id: id::camera_id(&name, &listeners),
            name,
            roster,
            metrics,
            notices: Arc::default(),
            tls,
            tutorial: config.tutorial_wish(),
            http: http_rules(config, &host_name),
            controls,
            access,
            connections: Connections::with_most(
                config.max_viewers,
                descriptors::room_for_connections(),
            ),
            stop,
        };
        fallback::complain_of_pickle(config, camera.mode(), &camera.metrics);
        directions::print(&listeners, &host_name, &needed);
        let announcing = match config.announce {
            Announce::On => announce(&camera, &listeners, &host_name),
            Announce::Off => None,
        };
        let threads = Threads { setter, announcing, others: Vec::new() };
        serve(config, &camera, listeners, threads, &signals)
    }

    /// Starts the other threads, waits for the end, and ends them all.
    fn serve(
        config: &Config,
        camera: &Camera,
        listeners: Vec<TcpListener>,
        mut threads: Threads,
        signals: &SignalFd,
    ) -> Result<(), Failure> {
        let stop = &camera.stop;
        let keeper = camera.access.clone().map(|access| keeper::start(access, stop.clone()));
        threads.others.extend(keeper.transpose().map_err(failed)?);
        threads.others.extend(server::start(listeners, camera, &config.guests).map_err(failed)?);
        let capture = start_capture(config, camera, stop).map_err(failed)?;
        let watchdog = Notifier::from_environment();
        let watchdog = watchdog.map(|notifier| watchdog::start(notifier, camera.clone()));
        threads.others.extend(watchdog.transpose().map_err(failed)?);
        wait_for_the_end(signals, stop);
        let captured = capture.join();
        threads.join(camera);
        outcome(captured)
    }

    /// How the capture thread has ended, and so the program.
    fn outcome(captured: thread::Result<Result<(), SourceError>>) -> Result<(), Failure> {
        match captured {
            Ok(ended) => ended.map_err(unavailable),
            Err(_) => Err(Failure {
                code: FAILURE,
                message: "the capture thread crashed (a bug in lancam)".into(),
            }),
        }
    }

    /// Opens the files of who may watch, if others reach a listener and need a key there.
    fn close(
        config: &Config,
        listeners: &[TcpListener],
        host_name: &str,
    ) -> Result<Option<Closed>, Failure> {
        let reach_others = addresses(listeners).iter().any(reaches_others);
        match config.access {
            _ if !reach_others => Ok(None),
            Mode::Open => {
                log::warn!(
                    "access = \"open\": everybody on the LAN can watch this camera, and the picture is not encrypted"
                );
                Ok(None)
            }
            Mode::Keys => {
                let closed = door::open(config, host_name);
                closed.map(Some).map_err(|error| Failure::new(code_of(&error), &error))
            }
        }
    }

    /// What viewers need. The code is shown on a terminal alone. Other users may read the journal, a file and a pipe.
    fn needed(config: &Config, closed: Option<&Closed>, found: &Whereabouts) -> Needed {
        let Some(closed) = closed else { return Needed::Nothing };
        let code = match says_to_a_terminal() {
            true => Ok(closed.access.code()),
            false => Err(pair::command(config)),
        };
        Needed::Key { code, local_name: found.local_name().map(str::to_owned) }
    }

    /// Writes down where viewers find this camera. One that needs no keys makes no folder for that, and one that no other
    /// machine reaches takes no other camera's place: somebody tries something beside the service.
    fn keep(found: &Whereabouts, config: &Config) -> Result<(), OpeningError> {
        let place = door::place(config)?;
        let is_anothers = || Whereabouts::kept(&place).is_some_and(|it| !it.is_alone());
        if place.is_dir() && !(found.is_alone() && is_anothers()) {
            found.keep(&place)?;
        }
        Ok(())
    }

    fn addresses(listeners: &[TcpListener]) -> Vec<SocketAddr> {
        listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// The signals that end the program. Blocked before the first thread starts, so that no thread takes them.
    fn signals_that_end() -> nix::Result<SignalFd> {
        let signals = signals::that_end();
        signals.thread_block()?;
        // Not blocking: a read after a poll that failed must not keep the end from being heard.
        SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
    }

    fn http_rules(config: &Config, host_name: &String) -> HttpRules {
        let names = [&config.http_names[..], config.name.as_slice(), slice::from_ref(host_name)];
        let names = names.concat();
        HttpRules { names, origins: config.cors.clone(), is_service: is_service() }
    }

    /// The threads that end after capturing has ended.
    struct Threads {
        /// Sets controls.
        setter: Option<JoinHandle<()>>,
        announcing: Option<JoinHandle<()>>,
        /// Those that accept viewers, the watchdog, and the one that reads the keys again.
        others: Vec<JoinHandle<()>>,
    }

    impl Threads {
        /// Waits for all of them, and until viewers were told goodbye and other clients have their answer.
        fn join(self, camera: &Camera) {
            if let (Some(controls), Some(setter)) = (&camera.controls, self.setter) {
                controls.close();
                // A camera may let a call for a control time out after seconds; the end does not wait for that.
                wait_for_a_while(|| setter.is_finished());
            }
            // Nobody is to try a camera that leaves.
            camera.roster.shown().close();
            for thread in self.announcing.into_iter().chain(self.others) {
                // A panic has been reported by its thread.
                let _ = thread.join();
            }
            wait_for_a_while(|| camera.connections.served() == 0);
        }
    }

    /// No longer than goodbyes may take.
    fn wait_for_a_while(is_over: impl Fn() -> bool) {
        let deadline = Instant::now() + GOODBYE;
        while !is_over() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Lets viewers find the camera; one that cannot be found is still a camera.
    fn announce(
        camera: &Camera,
        listeners: &[TcpListener],
        host_name: &str,
    ) -> Option<JoinHandle<()>> {
        let addresses = addresses(listeners);
        let announcement = Announcement::new(&camera.name, &camera.id, &addresses, host_name)?;
        let pin = camera.tls.as_ref().and_then(|server| server.pin().first_chunk().copied());
        let announcement = announcement.with_pin(pin);
        match announcement.start(camera.roster.shown().reader()) {
            Ok(announcing) => Some(announcing),
            Err(error) => {
                let why = reason(&error);
                log::warn!("cannot announce this camera on the LAN: cannot start a thread: {why}");
                None
            }
        }
    }

    /// Captures on a thread of its own; when that ends, for whatever reason, so does the program.
    fn start_capture(
        config: &Config,
        camera: &Camera,
        stop: &Stop,
    ) -> std::io::Result<JoinHandle<Result<(), SourceError>>> {
        let (config, stop) = (config.clone(), stop.clone());
        let Camera { roster, metrics, controls, .. } = camera.clone();
        thread::Builder::new().name("capture".into()).spawn(move || {
            let (look, idle_stop) = (config.raw, config.idle_stop);
            let result = fallback::capture(&config, &metrics, &stop, |opener| {
                let controls = controls.as_deref();
                supervisor::run(opener, &roster, &metrics, controls, look, idle_stop, &stop)
            });
            stop.request();
            result
        })
    }

    fn wait_for_the_end(signals: &SignalFd, stop: &Stop) {
        loop {
            let mut fds = [
                PollFd::new(signals.as_fd(), PollFlags::POLLIN),
                PollFd::new(stop.as_fd(), PollFlags::POLLIN),
            ];
            let _ = poll(&mut fds, PollTimeout::NONE);
            if fds[1].any().unwrap_or(false) {
                return;
            }
            if let Ok(Some(signal)) = signals.read_signal() {
                let number = i32::try_from(signal.ssi_signo).unwrap_or_default();
                say(format_args!(
                    "ended by {}",
                    Signal::try_from(number).map_or("a signal", signals::told)
                ));
                stop.request();
            }
        }
    }
}
