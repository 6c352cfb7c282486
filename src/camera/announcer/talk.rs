//! The socket loop of multicast DNS: passes received messages to the responder, and sends its
//! messages.

use super::report::Report;
use super::{Announcement, Learnt};
use crate::camera::update::Shown;
use crate::latest::{Newest, Reader};
use crate::net::interfaces::{self, Changes};
use crate::net::multicast::{MulticastPort, Received};
use crate::net::reach::Addresses;
use crate::wire::mdns::responder::Responder;
use crate::wire::mdns::{Arrival, Family, Interface, LinkId, MAX_MESSAGE, Outgoing, SentTo};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::thread;
use std::time::{Duration, Instant};

/// The sockets, the responder, and what they need.
pub(super) struct Talk {
    ports: Vec<(Family, MulticastPort)>,
    changes: Changes,
    epoll: Epoll,
    responder: Responder,
    addresses: Addresses,
    /// When to read the list of interfaces next, unless the kernel reports a change before.
    look_at: Instant,
    buffer: Vec<u8>,
}

/// Why the camera cannot be announced.
#[derive(Debug, thiserror::Error)]
pub(super) enum TalkError {
    /// Another program holds the port exclusively.
    #[error("another program keeps UDP port 5353 to itself ({0})")]
    Port(io::Error),
    /// The kernel refuses something else.
    #[error("multicast DNS does not work on this machine: {0}")]
    Kernel(#[from] io::Error),
}

/// How often the interfaces are read even without a report from the kernel, in case one was lost.
const LOOK: Duration = Duration::from_secs(60);

/// How long to wait after a reported change. Changes come in groups: an interface, then its
/// addresses.
const SETTLE: Duration = Duration::from_millis(100);

/// How many messages are received on one port before other work is done.
const BATCH: usize = 32;

/// A flood of messages may cost a fifth of one core. After a full batch, the thread sleeps four
/// times as long as the batch took.
const REST: u32 = 4;
const LONGEST_REST: Duration = Duration::from_millis(20);

impl Talk {
    /// Opens the ports.
    pub(super) fn begin(announcement: &Announcement) -> Result<Self, TalkError> {
        let ports = ports(&announcement.reach.addresses)?;
        let changes = Changes::listen()?;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(io::Error::from)?;
        let readable = || EpollEvent::new(EpollFlags::EPOLLIN, 0);
        for (_, port) in &ports {
            epoll.add(port, readable()).map_err(io::Error::from)?;
        }
        epoll.add(&changes, readable()).map_err(io::Error::from)?;
        let responder = Responder::new(
            announcement.names(),
            announcement.services(),
            announcement.mark(),
            RandomState::new().build_hasher().finish(),
        );
        Ok(Self {
            ports,
            changes,
            epoll,
            responder,
            addresses: announcement.reach.addresses.clone(),
            look_at: Instant::now(),
            buffer: vec![0; MAX_MESSAGE],
        })
    }

    /// Answers questions and announces changes of the pictures, until the camera stops.
    pub(super) fn keep_up(
        mut self,
        announcement: &mut Announcement,
        shown: &mut Reader<Shown>,
        report: &mut Report,
    ) -> Result<(), TalkError> {
        let bell = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
        self.epoll.add(shown.bell()?, EpollEvent::new(bell, 0)).map_err(io::Error::from)?;
        loop {
            let now = Instant::now();
            match catch_up(announcement, shown) {
                Learnt::Leaving => {
                    self.responder.say_goodbye();
                    self.send_all(now);
                    return Ok(());
                }
                Learnt::News => self.responder.set_services(announcement.services(), now),
                Learnt::Nothing => {}
            }
            if now >= self.look_at {
                self.look(now)?;
            }
            self.send_all(now);
            report.tell(&self.responder.standing(), now);
            self.wait()?;
            if self.changes.take() {
                self.look_at = self.look_at.min(Instant::now() + SETTLE);
            }
            self.hear()?;
        }
    }

    /// Reads which interfaces are up.
    fn look(&mut self, now: Instant) -> io::Result<()> {
        self.look_at = now + LOOK;
        let interfaces = interfaces::of_lan()?.into_iter().map(|(index, found)| {
            let all = found.addresses.iter().map(|network| network.address);
            let announced = all.filter(|&ip| self.addresses.include(ip)).collect();
            Interface { index, addresses: found.addresses, announced }
        });
        let interfaces: Vec<_> = interfaces.collect();
        for interface in &interfaces {
            for (family, port) in &self.ports {
                let has = |ip: &std::net::IpAddr| Family::of(*ip) == *family;
                if interface.announced.iter().any(has)
                    && let Err(error) = port.join(interface.index)
                {
                    log::debug!("interface {}: cannot receive questions: {error}", interface.index);
                }
            }
        }
        self.responder.set_interfaces(interfaces, now);
        Ok(())
    }

    fn send_all(&mut self, now: Instant) {
        while let Some(outgoing) = self.responder.next(now) {
            if let Err(error) = self.send(&outgoing) {
                // The message is repeated, or asked for again.
                log::debug!(
                    "interface {}: cannot announce this camera: {error}",
                    outgoing.link.interface
                );
            }
        }
    }

    fn send(&self, outgoing: &Outgoing) -> io::Result<()> {
        let LinkId { interface, family } = outgoing.link;
        let port = self.ports.iter().find(|(of, _)| *of == family);
        port.map_or(Ok(()), |(_, port)| port.send(&outgoing.bytes, interface, outgoing.to))
    }

    /// Sleeps until something happens or something is to be sent.
    fn wait(&self) -> io::Result<()> {
        let until = self.responder.wake().map_or(self.look_at, |wake| wake.min(self.look_at));
        let left = until.saturating_duration_since(Instant::now());
        // Round up, so that the time has really come.
        let timeout =
            EpollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(EpollTimeout::MAX);
        match self.epoll.wait(&mut [EpollEvent::empty(); 4], timeout) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Receives messages, at most one batch on each port.
    fn hear(&mut self) -> io::Result<()> {
        let began = Instant::now();
        let mut is_flood = false;
        for (family, port) in &mut self.ports {
            let mut heard = 0;
            while heard < BATCH
                && let Some(received) = port.receive(&mut self.buffer)?
            {
                heard += 1;
                let arrival = arrival(*family, &received);
                self.responder.received(&self.buffer[..received.len], &arrival, began);
            }
            is_flood |= heard == BATCH;
        }
        if is_flood {
            thread::sleep((began.elapsed() * REST).min(LONGEST_REST));
        }
        Ok(())
    }
}

/// Takes in all changes of the pictures. The bell rings again only after the slot was found empty.
fn catch_up(announcement: &mut Announcement, shown: &mut Reader<Shown>) -> Learnt {
    let mut learnt = Learnt::Nothing;
    loop {
        let newest = shown.newest();
        match announcement.learn(&newest) {
            Learnt::Leaving => return Learnt::Leaving,
            Learnt::News => learnt = Learnt::News,
            Learnt::Nothing => {}
        }
        if !matches!(newest, Newest::Fresh { .. }) {
            return learnt;
        }
    }
}

fn arrival(family: Family, received: &Received) -> Arrival {
    Arrival {
        link: LinkId { interface: received.interface, family },
        from: received.from,
        to: if received.is_to_group { SentTo::Group } else { SentTo::Us },
    }
}

/// Opens the ports of the address families by which the camera can be reached. A family that this
/// machine does not have is left out.
fn ports(addresses: &Addresses) -> Result<Vec<(Family, MulticastPort)>, TalkError> {
    let wants = |example: std::net::IpAddr| match addresses {
        Addresses::All => true,
        Addresses::Ipv4 => example.is_ipv4(),
        Addresses::Exactly(all) => all.iter().any(|ip| ip.is_ipv4() == example.is_ipv4()),
    };
    let mut ports = Vec::new();
    let mut failure = None;
    if wants(std::net::Ipv4Addr::UNSPECIFIED.into()) {
        match MulticastPort::open_v4() {
            Ok(port) => ports.push((Family::V4, port)),
            Err(error) => failure = Some(error),
        }
    }
    if wants(std::net::Ipv6Addr::UNSPECIFIED.into()) {
        match MulticastPort::open_v6() {
            Ok(port) => ports.push((Family::V6, port)),
            // Many machines have no IPv6, and the camera does not need it.
            Err(error) if ports.is_empty() => failure = Some(error),
            Err(error) => log::debug!("no multicast DNS by IPv6: {error}"),
        }
    }
    match failure {
        Some(error) if error.kind() == io::ErrorKind::AddrInUse => Err(TalkError::Port(error)),
        Some(error) if ports.is_empty() => Err(TalkError::Kernel(error)),
        _ => Ok(ports),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::pixels::Size;
    use crate::latest::Latest;
    use crate::rate::Rate;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    #[test]
    fn who_has_caught_up_hears_that_the_camera_leaves() {
        let listeners = ["0.0.0.0:9999".parse().expect("an address")];
        let mut announcement =
            Announcement::new("Garage", "17", &listeners, "pi").expect("the LAN reaches it");
        let slot = Latest::new();
        let mut shown = slot.reader();
        shown.bell().expect("a descriptor");
        slot.publish(Shown { size: Size::new(64, 48), rate: Rate(5000) });
        assert!(matches!(catch_up(&mut announcement, &mut shown), Learnt::News));
        slot.close();
        let bell = shown.bell().expect("the same descriptor");
        let mut bells = [PollFd::new(bell, PollFlags::POLLIN)];
        assert_eq!(poll(&mut bells, PollTimeout::ZERO), Ok(1), "it would sleep on");
        assert!(matches!(catch_up(&mut announcement, &mut shown), Learnt::Leaving));
    }
}
