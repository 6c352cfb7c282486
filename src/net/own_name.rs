//! What this machine is called.

/// What to call a machine that has no name.
const NAMELESS: &str = "a viewer";

/// The machine's name, without the domain behind it.
pub fn own_name() -> String {
    let whole = of_the_system();
    let first = whole.split('.').next().unwrap_or_default().trim();
    if first.is_empty() { NAMELESS.to_owned() } else { first.to_owned() }
}

#[cfg(unix)]
fn of_the_system() -> String {
    nix::unistd::gethostname().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn of_the_system() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_a_name_without_dots() {
        let name = own_name();
        assert!(!name.is_empty() && !name.contains('.'), "{name}");
    }
}
