//! Writes DNS messages: questions and records, with names compressed.

use super::message::Section;
use super::{Data, HEADER, IN, MAX_LABEL, Name, Record};
use core::net::IpAddr;

/// A message that is being written.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    counts: [u16; 4],
    /// The names that were written, as labels, with their places.
    known: Vec<(Vec<String>, u16)>,
    limit: usize,
}

/// The terms of a record.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Its TTL in seconds.
    pub ttl: u32,
    /// Whether it replaces earlier records of the same name and kind (RFC 6762, section 10.2).
    pub replaces: bool,
}

/// A record or a question did not fit; the message is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl Writer {
    /// A message with this number and these flags, of at most `limit` bytes.
    pub fn new(id: u16, flags: u16, limit: usize) -> Self {
        let mut bytes = Vec::with_capacity(limit);
        bytes.extend(id.to_be_bytes());
        bytes.extend(flags.to_be_bytes());
        bytes.resize(HEADER, 0);
        Self { bytes, counts: [0; 4], known: Vec::new(), limit }
    }

    /// Adds a question. Questions come before records.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn question(&mut self, name: &Name, kind: u16) -> Result<(), Full> {
        self.attempt(0, |writer| {
            writer.name(&name.0);
            writer.words([kind, IN]);
        })
    }

    /// Adds a record. The sections must be written in their order.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn record(&mut self, section: Section, record: &Record, terms: Terms) -> Result<(), Full> {
        let section = match section {
            Section::Answer => 1,
            Section::Authority => 2,
            Section::Additional => 3,
        };
        self.attempt(section, |writer| {
            writer.name(&record.name.0);
            let class = if terms.replaces { IN | REPLACES } else { IN };
            writer.words([record.data.kind(), class]);
            writer.bytes.extend(terms.ttl.to_be_bytes());
            let len_at = writer.bytes.len();
            writer.words([0]);
            writer.data(&record.data);
            let len = writer.bytes.len() - len_at - 2;
            let len = u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes();
            writer.bytes[len_at..len_at + 2].copy_from_slice(&len);
        })
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.counts == [0; 4]
    }

    /// The complete message.
    pub fn finish(mut self) -> Vec<u8> {
        for (index, count) in self.counts.into_iter().enumerate() {
            let at = 4 + 2 * index;
            self.bytes[at..at + 2].copy_from_slice(&count.to_be_bytes());
        }
        self.bytes
    }

    fn attempt(&mut self, section: usize, write: impl FnOnce(&mut Self)) -> Result<(), Full> {
        let (len, known) = (self.bytes.len(), self.known.len());
        write(self);
        if self.bytes.len() > self.limit {
            self.bytes.truncate(len);
            self.known.truncate(known);
            return Err(Full);
        }
        self.counts[section] += 1;
        Ok(())
    }

    fn words<const N: usize>(&mut self, words: [u16; N]) {
        self.bytes.extend(words.into_iter().flat_map(u16::to_be_bytes));
    }

    /// Writes the new part of a name, and a pointer to the rest (RFC 1035, section 4.1.4).
    fn name(&mut self, mut labels: &[String]) {
        while let Some((label, rest)) = labels.split_first() {
            if let Some((_, at)) = self.known.iter().find(|(known, _)| known == labels) {
                self.words([0xC000 | *at]);
                return;
            }
            if let Some(at) = u16::try_from(self.bytes.len()).ok().filter(|&at| at < 0x4000) {
                self.known.push((labels.to_vec(), at));
            }
            let label = &label.as_bytes()[..label.len().min(MAX_LABEL)];
            self.bytes.extend(u8::try_from(label.len()).ok());
            self.bytes.extend(label);
            labels = rest;
        }
        self.bytes.push(0);
    }

    fn data(&mut self, data: &Data) {
        match data {
            Data::Instance(name) => self.name(&name.0),
            Data::Place { port, host } => {
                // Priority 0, weight 0.
                self.words([0, 0, *port]);
                self.name(&host.0);
            }
            Data::Only { name, kinds } => {
                self.name(&name.0);
                self.bytes.extend(bitmap(kinds));
            }
            Data::Address(_) | Data::Text(_) => self.bytes.extend(plain(data)),
        }
    }
}

/// The top bit of a record's class.
const REPLACES: u16 = 0x8000;

/// The data of a record with names uncompressed, as RFC 6762 compares it in section 8.2.
pub(super) fn plain(data: &Data) -> Vec<u8> {
    match data {
        Data::Address(IpAddr::V4(ip)) => ip.octets().to_vec(),
        Data::Address(IpAddr::V6(ip)) => ip.octets().to_vec(),
        Data::Instance(name) => plain_name(name),
        Data::Place { port, host } => {
            [&[0; 4][..], &port.to_be_bytes(), &plain_name(host)].concat()
        }
        Data::Text(pairs) => {
            let mut bytes = Vec::new();
            for (key, value) in pairs {
                let pair = format!("{key}={value}");
                let len = u8::try_from(pair.len()).unwrap_or(u8::MAX);
                bytes.push(len);
                bytes.extend(&pair.as_bytes()[..usize::from(len)]);
            }
            bytes
        }
        Data::Only { name, kinds } => [plain_name(name), bitmap(kinds)].concat(),
    }
}

fn plain_name(name: &Name) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in &name.0 {
        let label = &label.as_bytes()[..label.len().min(MAX_LABEL)];
        bytes.extend(u8::try_from(label.len()).ok());
        bytes.extend(label);
    }
    bytes.push(0);
    bytes
}

/// The kinds below 256 as a bitmap of RFC 4034, section 4.1.2: window 0, a length, one bit for each
/// kind.
fn bitmap(kinds: &[u16]) -> Vec<u8> {
    let mut bits = [0_u8; 32];
    let small = kinds.iter().filter_map(|&kind| u8::try_from(kind).ok());
    small.for_each(|kind| bits[usize::from(kind / 8)] |= 0x80 >> (kind % 8));
    let len = bits.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    [&[0, u8::try_from(len).unwrap_or(32)], &bits[..len]].concat()
}
