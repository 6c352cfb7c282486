//! The exact version of this program, for `--version` and for the greeting on the wire.

/// One line: `lancam 0.1.0 (1a2b3c4, x86_64-unknown-linux-gnu, features: camera viewer)`.
pub fn text(program: &str) -> String {
    let features: Vec<&str> = [
        ("camera", cfg!(feature = "camera")),
        ("viewer", cfg!(feature = "viewer")),
        ("setup", cfg!(feature = "setup")),
    ]
    .into_iter()
    .filter_map(|(name, is_in)| is_in.then_some(name))
    .collect();
    format!(
        "{program} {} ({}, {}, features: {})",
        env!("CARGO_PKG_VERSION"),
        option_env!("BUILD_COMMIT").unwrap_or("unknown commit"),
        option_env!("BUILD_TARGET").unwrap_or("unknown target"),
        features.join(" ")
    )
}
