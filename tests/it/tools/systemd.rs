//! What systemd says of units, in its versions.

/// Whether systemd complains only of what 254 brought: those before it do without.
pub fn is_news(line: &str) -> bool {
    let news = ["RestartMode", "RestartSteps", "RestartMaxDelaySec"];
    news.iter().any(|key| line.contains(&format!("Unknown key '{key}'")))
}
