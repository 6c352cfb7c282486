//! What to type to watch this camera, in words for people.

use super::listen::reaches_others;
use crate::console::say;
use crate::net::lan::{link_local_address, own_addresses};
use crate::wire::access::code::Code;
use crate::wording::shell_word;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

/// What viewers need at a listener that other machines reach.
#[derive(Debug, Clone)]
pub enum Needed {
    /// Nothing.
    Nothing,
    /// A key, which they get for the code.
    Key {
        /// The code, or what to type to see it, where others may read what is printed.
        code: Result<Code, String>,
        /// NAME.local, if the camera is announced.
        local_name: Option<String>,
    },
}

/// Prints where viewers find this camera, and what to type there.
pub fn print(listeners: &[TcpListener], host_name: &str, needed: &Needed) {
    let addresses = own_addresses();
    let list: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    say(format_args!("{host_name} {}", list.join(" ")));
    for address in listeners.iter().filter_map(|listener| listener.local_addr().ok()) {
        say(format_args!("LISTENING AT: tcp://{address}"));
        let needed = if reaches_others(&address) { needed } else { &Needed::Nothing };
        say(how_to_watch(address, &addresses, link_local_address(), needed));
    }
}

/// The line to type, on another computer if that can reach the listener.
fn how_to_watch(
    listener: SocketAddr,
    own: &[IpAddr],
    link_local: Option<Ipv6Addr>,
    needed: &Needed,
) -> String {
    let port = listener.port();
    let reachable = match listener.ip().is_unspecified() {
        false => Some(listener.ip()),
        true => own.iter().copied().find(IpAddr::is_ipv4).or(own.first().copied()),
    };
    let code = needed.code();
    match (reachable, link_local) {
        (None, Some(address)) if listener.is_ipv6() => format!(
            "  watch with: lancam-view '[{address}%INTERFACE]:{port}'{code}; INTERFACE is the network interface of the computer you type this on, such as eth0"
        ),
        (host, _) => {
            let address = SocketAddr::new(host.unwrap_or(Ipv4Addr::LOCALHOST.into()), port);
            let scheme = match needed {
                Needed::Nothing => "http",
                Needed::Key { .. } => "https",
            };
            let camera = match needed {
                Needed::Key { local_name: Some(name), .. } => name.clone(),
                _ => address.to_string(),
            };
            let hint = match needed {
                Needed::Key { code: Err(command), .. } => format!(" ({command} shows the code)"),
                _ => String::new(),
            };
            format!(
                "  watch with: lancam-view {}{code}, or a browser: {scheme}://{address}/{hint}",
                shell_word(&camera)
            )
        }
    }
}

impl Needed {
    /// The option with the code, behind a space.
    fn code(&self) -> String {
        match self {
            Self::Key { code: Ok(code), .. } => format!(" --code {}", code.shown()),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: &str = "[::]:9999";

    fn line(listener: &str, own: &[&str], near: Option<&str>, needed: &Needed) -> String {
        let own: Vec<IpAddr> = own.iter().map(|it| it.parse().expect("an address")).collect();
        let near = near.map(|it| it.parse().expect("an address"));
        how_to_watch(listener.parse().expect("an address"), &own, near, needed)
    }

    #[test]
    fn the_line_to_type_works_from_another_computer() {
        let (v4, v6, near) = ("192.168.1.4", "2001:db8::4", Some("fe80::4"));
        let line = |listener: &str, own: &[&str], near: Option<&str>| {
            line(listener, own, near, &Needed::Nothing)
        };
        let said = line(ANY, &[v6, v4], near);
        assert!(said.contains("lancam-view 192.168.1.4:9999,"), "{said}");
        let said = line(ANY, &[v6], near);
        assert!(said.contains("lancam-view '[2001:db8::4]:9999', or"), "{said}");
        assert!(said.contains("http://[2001:db8::4]:9999/"), "{said}");
        let said = line(ANY, &[], near);
        assert!(said.contains("'[fe80::4%INTERFACE]:9999'"), "{said}");
        let said = line(ANY, &[], None);
        assert!(said.contains("lancam-view 127.0.0.1:9999,"), "{said}");
        let said = line("127.0.0.1:80", &[v4], near);
        assert!(said.contains("lancam-view 127.0.0.1:80,"), "{said}");
    }

    #[test]
    fn the_whole_line_has_the_code_unless_others_may_read_it() {
        let code = Code::parse("K7QM-2XPD-9HRT").expect("a code");
        let name = Some("garage.local".to_owned());
        let needed = Needed::Key { code: Ok(code), local_name: name.clone() };
        assert_eq!(
            line(ANY, &["192.168.1.4"], None, &needed),
            "  watch with: lancam-view garage.local --code K7QM-2XPD-9HRT, or a browser: https://192.168.1.4:9999/"
        );
        let said = line(ANY, &[], Some("fe80::4"), &needed);
        assert!(said.contains("'[fe80::4%INTERFACE]:9999' --code K7QM-2XPD-9HRT;"), "{said}");
        let hidden = Needed::Key { code: Err("sudo lancam pair".into()), local_name: None };
        assert_eq!(
            line(ANY, &["192.168.1.4"], None, &hidden),
            "  watch with: lancam-view 192.168.1.4:9999, or a browser: https://192.168.1.4:9999/ (sudo lancam pair shows the code)"
        );
    }
}
