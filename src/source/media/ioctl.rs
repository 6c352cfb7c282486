//! The two calls that ask a media device what it is and what parts it has. No crate has them.

use super::topology::RawTopology;
use crate::source::interrupted::uninterrupted;
use nix::errno::Errno;
use std::fs::File;
use std::os::fd::AsRawFd;

/// MEDIA_IOC_DEVICE_INFO: a `struct media_device_info`, as the kernel filled it in.
pub(super) fn device_info(media: &File) -> Result<[u8; INFO_LEN], Errno> {
    let mut raw = [0; INFO_LEN];
    // SAFETY: the kernel reads and writes one media_device_info, whose length `raw` has, and which it is for the whole call.
    uninterrupted(|| unsafe { request::device_info(media.as_raw_fd(), &raw mut raw) })?;
    Ok(raw)
}

/// MEDIA_IOC_G_TOPOLOGY: the records of all parts, as the kernel filled them in.
///
/// E2BIG: there are more parts than any camera has.
pub(super) fn topology(media: &File) -> Result<RawTopology, Errno> {
    for _ in 0..MOST_ATTEMPTS {
        let mut counts = Question::default();
        ask(media, &mut counts)?;
        let mut raw = RawTopology::default();
        let mut question = Question {
            entities: Array::into(&mut raw.entities, counts.entities.count)?,
            interfaces: Array::into(&mut raw.interfaces, counts.interfaces.count)?,
            pads: Array::into(&mut raw.pads, counts.pads.count)?,
            links: Array::into(&mut raw.links, counts.links.count)?,
            ..Question::default()
        };
        match ask(media, &mut question) {
            // The device got another part between the two calls.
            Err(Errno::ENOSPC) => {}
            Err(errno) => return Err(errno),
            Ok(()) => {
                question.entities.cut(&mut raw.entities);
                question.interfaces.cut(&mut raw.interfaces);
                question.pads.cut(&mut raw.pads);
                question.links.cut(&mut raw.links);
                return Ok(raw);
            }
        }
    }
    Err(Errno::ENOSPC)
}

/// Parts come and go only while drivers are loaded.
const MOST_ATTEMPTS: usize = 5;

/// Far more than the 60 links of a Pi 5, which has the most.
const MOST_RECORDS: u32 = 2048;

/// `struct media_device_info` of linux/media.h.
const INFO_LEN: usize = 256;

/// `struct media_v2_topology` of linux/media.h.
#[repr(C)]
#[derive(Debug, Default)]
struct Question {
    version: u64,
    entities: Array,
    interfaces: Array,
    pads: Array,
    links: Array,
}

/// One of its arrays: how many records there are, and where the kernel is to write them. 0: nowhere.
#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
struct Array {
    count: u32,
    reserved: u32,
    address: u64,
}

impl Array {
    /// For `count` records. Makes room for them in `records`.
    fn into<const LEN: usize>(records: &mut Vec<[u8; LEN]>, count: u32) -> Result<Self, Errno> {
        if count > MOST_RECORDS {
            return Err(Errno::E2BIG);
        }
        records.resize(usize::try_from(count).map_err(|_| Errno::E2BIG)?, [0; LEN]);
        // The kernel writes through it, so its provenance must be known to the compiler.
        let address = if records.is_empty() { 0 } else { records.as_mut_ptr().expose_provenance() };
        let address = u64::try_from(address).map_err(|_| Errno::EFAULT)?;
        Ok(Self { count, reserved: 0, address })
    }

    /// Leaves only those records that the kernel has written.
    fn cut<const LEN: usize>(self, records: &mut Vec<[u8; LEN]>) {
        records.truncate(usize::try_from(self.count).unwrap_or(usize::MAX));
    }
}

fn ask(media: &File, question: &mut Question) -> Result<(), Errno> {
    // SAFETY: the kernel reads and writes one media_v2_topology, which `question` is and stays for the whole call. Each array in it
    // either has no address, or that of a vector of as many records as it counts, which the caller keeps and does not touch.
    uninterrupted(|| unsafe { request::g_topology(media.as_raw_fd(), question) })
}

/// The calls themselves; their numbers are those of `linux/media.h`.
mod request {
    use super::{INFO_LEN, Question};

    nix::ioctl_readwrite!(device_info, b'|', 0x00, [u8; INFO_LEN]);
    nix::ioctl_readwrite!(g_topology, b'|', 0x04, Question);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_are_as_long_as_the_kernels() {
        assert_eq!(size_of::<Array>(), 16);
        assert_eq!(size_of::<Question>(), 72);
    }

    #[test]
    fn more_parts_than_any_camera_has_are_refused_before_room_is_made() {
        let mut records: Vec<[u8; 96]> = Vec::new();
        assert_eq!(Array::into(&mut records, u32::MAX).err(), Some(Errno::E2BIG));
        assert_eq!(records.capacity(), 0);
        let array = Array::into(&mut records, 2).expect("few");
        assert_eq!((records.len(), array.count), (2, 2));
        Array { count: 1, ..array }.cut(&mut records);
        assert_eq!(records.len(), 1, "the kernel wrote fewer");
        Array { count: u32::MAX, ..array }.cut(&mut records);
        assert_eq!(records.len(), 1, "the kernel cannot have written more than there was room for");
        assert_eq!(Array::into(&mut records, 0).expect("none").address, 0);
    }

    #[test]
    fn what_is_no_media_device_is_refused() {
        let null = File::open("/dev/null").expect("it is there");
        assert_eq!(device_info(&null), Err(Errno::ENOTTY));
        assert_eq!(topology(&null).err(), Some(Errno::ENOTTY));
    }
}
