//! The setup program of the SD card's image. Does one step; only wrong options make it fail.

#[cfg(not(target_os = "linux"))]
fn main() {
    lancam::console::complain("lancam-setup runs on Linux only: it is part of lancam's SD card");
    std::process::exit(1);
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use lancam::console::{answer, complain};
    use lancam::setup::options::{Command, HELP};
    use lancam::{log_setup, setup, version};
    use std::process::ExitCode;

    const USAGE: u8 = 2;

    match Command::parse(std::env::args_os().skip(1)) {
        Ok(Command::Run(options)) => {
            log_setup::start(0);
            setup::run(&options);
            ExitCode::SUCCESS
        }
        Ok(Command::Version) => answer("lancam-setup", version::text("lancam-setup")),
        Ok(Command::Help) => answer("lancam-setup", HELP),
        Err(why) => {
            complain(format_args!("lancam-setup: {why}"));
            USAGE.into()
        }
    }
}
