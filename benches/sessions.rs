//! Sessions compared with a plain writer: one thread per socket, the same pace and bytes, for 1, 8 and 50 viewers.
//!
//! `cargo bench --bench sessions`. Each sender is a process of its own, and so are its viewers, so that only the sender's
//! CPU and memory are measured. The ratios are stable on a noisy machine; the times beside them are this machine's.

// The output is the result. Nothing is lost if nobody reads it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[cfg(not(all(feature = "camera", target_os = "linux")))]
fn main() {
    eprintln!("skipped: sessions bench: built without the camera");
}

#[cfg(all(feature = "camera", target_os = "linux"))]
mod greetings;
#[cfg(all(feature = "camera", target_os = "linux"))]
mod readers;
#[cfg(all(feature = "camera", target_os = "linux"))]
mod senders;

#[cfg(all(feature = "camera", target_os = "linux"))]
fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let number = |at: usize| arguments.get(at).and_then(|it| it.parse::<usize>().ok());
    match arguments.first().map(String::as_str) {
        Some("reader") => {
            let port = number(1).and_then(|port| u16::try_from(port).ok()).expect("a port");
            readers::run(port, readers::Speech::named(&arguments[2]), number(3).expect("a count"))
        }
        Some("sender") => {
            let figures =
                senders::run(readers::Speech::named(&arguments[1]), number(2).expect("a count"))?;
            println!("{}", figures.to_line());
            Ok(())
        }
        _ => compare::run(),
    }
}

#[cfg(all(feature = "camera", target_os = "linux"))]
mod compare {
    //! Runs all senders alternately in rounds, and takes medians.

    use crate::greetings;
    use crate::readers::Speech;
    use crate::senders::{FRAME_LEN, FRAMES, Figures, most_in_kernel};
    use std::io;
    use std::process::{Command, Stdio};

    const ROUNDS: usize = 5;

    /// The figures of each sender in one round, in the order of [`Speech::ALL`].
    type Round = [Figures; Speech::ALL.len()];

    pub(super) fn run() -> io::Result<()> {
        println!(
            "sending {FRAME_LEN} bytes a frame at 30 fps; CPU of the sender, user and system, for a frame to all viewers;"
        );
        println!(
            "acknowledged: a plain writer that reads an acknowledgement of each frame; plain: one that only writes;"
        );
        println!(
            "sealed: the acknowledged one, with ring's bare seal of each frame for each viewer"
        );
        for viewers in [1, 8, 50] {
            let mut rounds = Vec::new();
            for _ in 0..ROUNDS {
                let [a, b, c, d, e, f] = Speech::ALL.map(|speech| sender(speech, viewers));
                rounds.push([a?, b?, c?, d?, e?, f?]);
            }
            println!("{viewers} viewers, medians of {ROUNDS} rounds:");
            for speech in Speech::ALL {
                tell(speech, viewers, &rounds);
            }
            tell_what_tls_adds(viewers, &rounds);
        }
        println!(
            "a viewer who takes nothing holds at most {} kB in the kernel's send buffer, besides",
            most_in_kernel()? / 1000
        );
        greetings::tell()
    }

    /// By how much the median frame is older inside TLS than without it.
    fn tell_what_tls_adds(viewers: usize, rounds: &[Round]) {
        let age =
            |round: &Round, speech: Speech| round[speech as usize].got.ages[0] as f64 / 1000.0;
        let added = |round| age(round, Speech::Tls) - age(round, Speech::Native);
        let mut added: Vec<f64> = rounds.iter().map(added).collect();
        added.sort_by(f64::total_cmp);
        let goal = if viewers == 1 { " (goal 0.3)" } else { " (0.3 is the goal for one viewer)" };
        println!(
            "  tls to native: age at p50 {:+.2} ms of {:+.2} to {:+.2}{goal}",
            added[added.len() / 2],
            added[0],
            added[added.len() - 1]
        );
    }

    fn tell(speech: Speech, viewers: usize, rounds: &[Round]) {
        let spread = |figure: &dyn Fn(&Round) -> f64| {
            let mut values: Vec<f64> = rounds.iter().map(figure).collect();
            values.sort_by(f64::total_cmp);
            [values[values.len() / 2], values[0], values[values.len() - 1]]
        };
        let median =
            |figure: &dyn Fn(&Figures) -> f64| spread(&|round| figure(&round[speech as usize]))[0];
        let ratio = |to: Speech| {
            let [ratio, least, most] =
                spread(&|round| round[speech as usize].cpu_micros / round[to as usize].cpu_micros);
            format!("{ratio:.2} of {least:.2} to {most:.2}")
        };
        let ratios = match speech {
            Speech::Native => format!(
                "; to acknowledged {} (goal 1.2), to plain {}",
                ratio(Speech::Acknowledged),
                ratio(Speech::Plain)
            ),
            Speech::Http => format!("; to plain {} (goal 1.2)", ratio(Speech::Plain)),
            Speech::Acknowledged => format!("; to plain {}", ratio(Speech::Plain)),
            Speech::Plain => String::new(),
            Speech::Tls => format!("; to sealed {} (goal 1.2)", ratio(Speech::Sealed)),
            Speech::Sealed => format!("; to acknowledged {}", ratio(Speech::Acknowledged)),
        };
        let micros = median(&|it| it.cpu_micros);
        println!(
            "  {}: CPU {micros:.0} us a frame, {:.1} for each viewer{ratios}",
            speech.name(),
            micros / viewers as f64
        );
        let count = |at: usize| median(&|it| f64::from(it.got.frames[at]));
        let age = |at: usize| median(&|it| it.got.ages[at] as f64 / 1000.0);
        println!(
            "    frames {} / {} / {} of {FRAMES}; age {:.2} ms at p50, {:.2} at p99, {:.2} at most",
            count(0),
            count(1),
            count(2),
            age(0),
            age(1),
            age(2),
        );
        println!(
            "    {} KiB resident; {:.0} of them for each viewer, its stack among them with {} at most",
            median(&|it| it.resident as f64),
            median(&|it| it.grown as f64) / viewers as f64,
            median(&|it| it.stack as f64),
        );
    }

    fn sender(speech: Speech, viewers: usize) -> io::Result<Figures> {
        let output = Command::new(std::env::current_exe()?)
            .args(["sender", speech.name(), &viewers.to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        let text = String::from_utf8(output.stdout).map_err(io::Error::other)?;
        let figures = text.lines().find_map(Figures::from_line);
        figures.ok_or_else(|| io::Error::other(format!("a sender said {text:?}")))
    }
}
