//! Writes networkd's files. `supplicant` writes the one for `wpa_supplicant`.

use crate::settings::wishes::{Addresses, Dhcp};

/// A `.network` file for the interface `interface`. A fixed address belongs to one interface only; other interfaces keep
/// 50-lan.network.
pub(super) fn network(interface: &str, addresses: &Addresses) -> String {
    let dhcp = match addresses.dhcp {
        Dhcp::On => "ipv4",
        Dhcp::Off => "no",
    };
    let mut text = format!(
        "# Written by lancam-setup at each start.\n[Match]\nName={interface}\n\n\
         [Network]\nDHCP={dhcp}\nLinkLocalAddressing=ipv6\nMulticastDNS=yes\nIPv6AcceptRA=yes\n"
    );
    for (address, prefix) in &addresses.own {
        text += &format!("Address={address}/{prefix}\n");
    }
    for gateway in &addresses.gateways {
        text += &format!("Gateway={gateway}\n");
    }
    for server in &addresses.dns {
        text += &format!("DNS={server}\n");
    }
    text + "\n[DHCPv4]\nClientIdentifier=mac\nUseDomains=no\n\n[Link]\nRequiredForOnline=no\n"
}
