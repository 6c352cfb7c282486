//! Prints one line per frame of a source: when it arrived, its number, its length and its age.
//!
//! `cargo run --example grab -- [SOURCE [WxH [FPS]]]`, with SOURCE as for `lancam --source`. Waits for a lost camera to come
//! back, as `lancam` does.

// The output is the result. Nothing is lost if nobody reads it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use lancam::clock;
    use lancam::image::pixels::Size;
    use lancam::source::{CaptureWish, Next, Opener, SourceSpec, Trouble, parse_rate};
    use lancam::stop::Stop;
    use std::time::Duration;

    let mut arguments = std::env::args().skip(1);
    let spec = SourceSpec::parse(&arguments.next().unwrap_or_else(|| "auto".into()))?;
    let size = arguments.next().map(|size| Size::parse(&size).ok_or("a size such as 640x360"));
    let rate = arguments.next().map(|rate| parse_rate(&rate).ok_or("a rate such as 25"));
    let wish =
        CaptureWish { size: size.transpose()?, rate: rate.transpose()?, ..CaptureWish::default() };

    lancam::log_setup::start(1);
    let stop = Stop::new()?;
    let mut opener = Opener::new(spec, wish);
    let mut told = None;
    loop {
        let outcome = opener.open(&stop).and_then(|mut source| {
            println!("{:?} {}: {}", clock::now(), source.description(), source.layout());
            loop {
                let frame = match source.next_frame(&stop)? {
                    Next::Frame(frame) => frame,
                    Next::Stopped => return Ok(()),
                    Next::Unusable(damage) => {
                        println!("{:?} a frame {damage}", clock::now());
                        continue;
                    }
                    Next::Waiting(_) => continue,
                };
                let now = clock::now();
                let (number, len) = (frame.sequence, frame.sent());
                let age = now.since(frame.captured_at);
                println!("{now:?} #{number} {len} bytes, {age:?} old, {:?}", source.drops());
            }
        });
        match outcome {
            Ok(()) => return Ok(()),
            Err(error) if matches!(error.trouble, Trouble::Unusable | Trouble::Ended) => {
                return Err(error.into());
            }
            // Print the same error only once in a row.
            Err(error) if told.as_ref() != Some(&error) => {
                println!("{:?} {:?}: {error}", clock::now(), error.trouble);
                told = Some(error);
            }
            Err(_) => {}
        }
        opener.wait_for_change(&stop, Duration::from_millis(500));
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("cameras need Linux, where V4L2 is");
}
