//! Differences between versions of systemd.

/// Whether systemd complains only about a key that version 254 introduced. Older versions ignore it.
pub fn is_news(line: &str) -> bool {
    let news = ["RestartMode", "RestartSteps", "RestartMaxDelaySec"];
    news.iter().any(|key| line.contains(&format!("Unknown key '{key}'")))
}
