//! Writes the counters in Prometheus' text format, version 0.0.4.

use super::process::Process;
use super::{Histogram, Metrics, Refused, SourceState, Transport};
use crate::image::frame::Micros;
use std::fmt::{Display, Write};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// The content type for scrapers.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

impl Metrics {
    /// All counters as text.
    pub fn text(&self, now: Micros) -> String {
        let mut text = Text(String::with_capacity(8 << 10));
        text.family("lancam_build_info", "gauge", "Which program this is.");
        text.sample("lancam_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        text.single(
            "lancam_config_errors",
            "gauge",
            "Mistakes in the configuration or on the card; lancam runs without these settings. /state has the texts.",
            self.complaints().len(),
        );
        self.source(&mut text, now);
        self.viewers_and_frames(&mut text);
        text.family(
            "lancam_connections_refused_total",
            "counter",
            "Connections that were ended, by reason.",
        );
        for why in Refused::ALL {
            let count = self.refused[why as usize].load(Relaxed);
            text.sample("lancam_connections_refused_total", &[("reason", why.name())], count);
        }
        process(&mut text, &Process::read());
        text.0
    }

    fn source(&self, text: &mut Text, now: Micros) {
        let health = self.health(now);
        let up = u8::from(health.is_well());
        text.single(
            "lancam_source_up",
            "gauge",
            "1 while the source gives frames, or would if somebody watched.",
            up,
        );
        let resting = u8::from(health.state == SourceState::Resting);
        text.single(
            "lancam_source_resting",
            "gauge",
            "1 while the source is stopped because nobody watches.",
            resting,
        );
        for (name, help, count) in [
            ("lancam_capture_frames_total", "Frames taken from the source.", &self.captured),
            (
                "lancam_capture_dropped_total",
                "Frames that the source made and that did not arrive, or too late.",
                &self.missed,
            ),
            (
                "lancam_capture_errors_total",
                "Frames that arrived and could not be used.",
                &self.failed,
            ),
        ] {
            text.single(name, "counter", help, count.load(Relaxed));
        }
        let reopened = self.openings.load(Relaxed).saturating_sub(1);
        text.single(
            "lancam_reopen_total",
            "counter",
            "Times that the source was opened again, after a rest or a loss.",
            reopened,
        );
        text.family("lancam_encode_seconds", "histogram", "Time to resize and encode one frame.");
        text.histogram("lancam_encode_seconds", &[], &self.encoding);
        text.single(
            "lancam_encode_cpu_seconds_total",
            "counter",
            "Time that cores spent on resizing and encoding, all threads together.",
            Duration::from_micros(self.encoding_cpu.load(Relaxed)).as_secs_f64(),
        );
    }

    fn viewers_and_frames(&self, text: &mut Text) {
        text.family("lancam_viewers", "gauge", "Viewers that watch now.");
        for transport in Transport::ALL {
            let viewers = self.viewers(transport);
            text.sample("lancam_viewers", &[("transport", transport.name())], viewers);
        }
        for (name, help) in [
            ("lancam_frames_sent_total", "Frames handed to the kernel, counted for each viewer."),
            ("lancam_bytes_sent_total", "Bytes of these frames, with their headers."),
        ] {
            text.family(name, "counter", help);
            for transport in Transport::ALL {
                let sent = self.of(transport);
                let count = if name.contains("bytes") { &sent.bytes } else { &sent.frames };
                text.sample(name, &[("transport", transport.name())], count.load(Relaxed));
            }
        }
        let name = "lancam_frames_skipped_total";
        text.family(name, "counter", "Frames that viewers did not get, by reason.");
        for transport in Transport::ALL {
            let labels = [("transport", transport.name()), ("reason", "viewer_busy")];
            text.sample(name, &labels, self.of(transport).skipped.load(Relaxed));
        }
        let name = "lancam_frame_age_seconds";
        text.family(
            name,
            "histogram",
            "From a frame's capture until the kernel has its last byte.",
        );
        for transport in Transport::ALL {
            text.histogram(name, &[("transport", transport.name())], &self.of(transport).age);
        }
        // Only native viewers acknowledge frames.
        let name = "lancam_frame_arrival_age_seconds";
        let help =
            "From a frame's capture until a native viewer had it whole, as the camera knows it.";
        text.family(name, "histogram", help);
        text.histogram(name, &[], &self.arrival_age);
        let name = "lancam_frame_arrival_uncertainty_seconds";
        let help =
            "By how much such an age can be wrong: half of the time until it was acknowledged.";
        text.family(name, "histogram", help);
        text.histogram(name, &[], &self.arrival_uncertainty);
    }
}

fn process(text: &mut Text, process: &Process) {
    let mut tell = |name, kind, help, value: Option<f64>| {
        if let Some(value) = value {
            text.single(name, kind, help, value);
        }
    };
    let bytes = process.resident_bytes.map(|bytes| bytes as f64);
    tell("process_cpu_seconds_total", "counter", "Processor time used.", process.cpu_seconds);
    tell(
        "process_start_time_seconds",
        "gauge",
        "When it was started, since 1970.",
        process.start_time_seconds,
    );
    tell("process_resident_memory_bytes", "gauge", "Memory in use.", bytes);
    tell("process_threads", "gauge", "Threads.", process.threads.map(|count| count as f64));
    tell(
        "process_open_fds",
        "gauge",
        "Open file descriptors.",
        process.open_fds.map(|count| count as f64),
    );
    tell(
        "process_max_fds",
        "gauge",
        "File descriptors that may be open.",
        process.max_fds.map(|count| count as f64),
    );
}

/// A text that grows by families and samples.
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    /// Label values are words of this program, so none needs quoting.
    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let mut braces = String::new();
        for (index, (label, value)) in labels.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            braces.push(before);
            braces.push_str(&format!("{label}=\"{value}\""));
        }
        if !braces.is_empty() {
            braces.push('}');
        }
        self.line(format_args!("{name}{braces} {value}"));
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    fn histogram(&mut self, name: &str, labels: &[(&str, &str)], histogram: &Histogram) {
        let (buckets, all, sum) = histogram.read();
        let bucket = format!("{name}_bucket");
        let ends = buckets.iter().map(|(end, count)| (end.to_string(), *count));
        for (end, count) in ends.chain([("+Inf".to_owned(), all)]) {
            let labels: Vec<_> = labels.iter().copied().chain([("le", end.as_str())]).collect();
            self.sample(&bucket, &labels, count);
        }
        self.sample(&format!("{name}_sum"), labels, sum);
        self.sample(&format!("{name}_count"), labels, all);
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}
