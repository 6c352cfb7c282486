//! The part of DNS (RFC 1035) that is needed to find cameras and to be found.

pub mod message;
pub mod write;

use std::fmt;
// Only the types of addresses; this module uses no sockets.
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The kinds of questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryKind {
    /// The IPv4 addresses of a host.
    A,
    /// The instances of a service.
    Pointer,
    /// The IPv6 addresses of a host.
    Aaaa,
}

impl QueryKind {
    const fn code(self) -> u16 {
        match self {
            Self::A => A,
            Self::Pointer => PTR,
            Self::Aaaa => AAAA,
        }
    }
}

// Section 3.2.2, RFC 2782, RFC 3596 and RFC 4034.
const A: u16 = 1;
const PTR: u16 = 12;
const TXT: u16 = 16;
const AAAA: u16 = 28;
const SRV: u16 = 33;
const NSEC: u16 = 47;
/// In a question: records of any kind.
pub const ANY: u16 = 255;
/// The Internet, the only class in use.
pub const IN: u16 = 1;
/// The class without its top bit. In answers of multicast DNS, that bit says that older answers are
/// void (RFC 6762, section 10.2).
const CLASS: u16 = 0x7FFF;
/// The bit in the flags that distinguishes an answer from a question.
const IS_ANSWER: u16 = 0x8000;
const HEADER: usize = 12;

/// A name of labels. Comparison ignores the case of ASCII letters.
#[derive(Debug, Clone, Eq)]
pub struct Name(Vec<String>);

impl Name {
    /// A name from labels without dots in them: `pi.local`, with or without a final dot.
    pub fn of(dotted: &str) -> Self {
        Self(dotted.split('.').filter(|label| !label.is_empty()).map(str::to_owned).collect())
    }

    /// One label, which may contain dots, in front of `domain`.
    pub fn below(label: &str, domain: &Self) -> Self {
        Self([&[label.to_owned()][..], &domain.0].concat())
    }

    /// Its first label: of an instance the name for people, of a host its name without `.local`.
    pub fn first(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Whether this is one label in front of `domain`, and so an instance of that service.
    pub fn is_directly_below(&self, domain: &Self) -> bool {
        self.0.split_first().is_some_and(|(_, rest)| same(rest, &domain.0))
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        same(&self.0, &other.0)
    }
}

impl PartialEq<Labels<'_>> for Name {
    fn eq(&self, other: &Labels<'_>) -> bool {
        let mut theirs = *other;
        let mut is_next =
            |label: &[u8]| theirs.next().is_some_and(|it| it.eq_ignore_ascii_case(label));
        self.0.iter().all(|label| is_next(label.as_bytes())) && theirs.next().is_none()
    }
}

fn same(left: &[String], right: &[String]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.join("."))
    }
}

/// A record in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub name: Name,
    /// Its data.
    pub data: Data,
}

/// The kinds of data that matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// The address of a host.
    Address(IpAddr),
    /// An instance of a service.
    Instance(Name),
    /// Where an instance listens.
    Place {
        /// The port.
        port: u16,
        /// The host.
        host: Name,
    },
    /// The facts about an instance, each `key=value`. Without `=`, the value is empty.
    Text(Vec<(String, String)>),
    /// There are records of these kinds only (RFC 6762, section 6.1).
    Only {
        /// The name of these records.
        name: Name,
        /// Their kinds.
        kinds: Vec<u16>,
    },
}

impl Data {
    /// The kind of record that has this data.
    pub fn kind(&self) -> u16 {
        match self {
            Self::Address(IpAddr::V4(_)) => A,
            Self::Address(IpAddr::V6(_)) => AAAA,
            Self::Instance(_) => PTR,
            Self::Place { .. } => SRV,
            Self::Text(_) => TXT,
            Self::Only { .. } => NSEC,
        }
    }

    /// Its bytes with names uncompressed, as RFC 6762 compares it in section 8.2.
    pub fn plain(&self) -> Vec<u8> {
        write::plain(self)
    }
}

/// Why bytes are not an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// The bytes end too early.
    #[error("a DNS message is cut short")]
    CutShort,
    /// A name that refers to itself, or is longer than names may be.
    #[error("a DNS message has an invalid name")]
    Name,
    /// Not an answer, or an answer with an error.
    #[error("a DNS message is not an answer")]
    NoAnswer,
}

/// A message with all of `questions`. Labels that are too long for DNS are cut, and so will not be
/// found.
pub fn query(questions: &[(&Name, QueryKind)]) -> Vec<u8> {
    let count = u16::try_from(questions.len()).unwrap_or(u16::MAX);
    let mut message = Vec::with_capacity(HEADER + 32 * questions.len());
    // Number, flags, and the numbers of questions, answers, authorities and additional records.
    for word in [0, 0, count, 0, 0, 0] {
        message.extend(u16::to_be_bytes(word));
    }
    for (name, kind) in questions {
        for label in &name.0 {
            let bytes = &label.as_bytes()[..label.len().min(MAX_LABEL)];
            message.extend(u8::try_from(bytes.len()).ok());
            message.extend(bytes);
        }
        message.push(0);
        message.extend(kind.code().to_be_bytes());
        message.extend(IN.to_be_bytes());
    }
    message
}

/// Section 2.3.4.
const MAX_LABEL: usize = 63;
const MAX_NAME: usize = 255;

/// The records in an answer; those of other kinds are skipped, and those that their sender withdraws.
///
/// # Errors
/// When this is not an answer, or it is not complete.
pub fn records(message: &[u8]) -> Result<Vec<Record>, DnsError> {
    let mut bytes = Cursor { message, at: 0 };
    let _number = bytes.u16()?;
    let flags = bytes.u16()?;
    let no_error = flags & 0x000F == 0;
    if flags & IS_ANSWER == 0 || !no_error {
        return Err(DnsError::NoAnswer);
    }
    let questions = bytes.u16()?;
    let answers = u32::from(bytes.u16()?) + u32::from(bytes.u16()?) + u32::from(bytes.u16()?);
    for _ in 0..questions {
        bytes.name()?;
        bytes.take(4)?;
    }
    // Allocate nothing by the header's numbers: each record needs bytes that must be there.
    let mut records = Vec::new();
    for _ in 0..answers {
        records.extend(bytes.record()?);
    }
    Ok(records)
}

/// The labels of a name in a message. Its pointers were checked before.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'a> {
    message: &'a [u8],
    at: usize,
}

impl Labels<'_> {
    /// The name as an owned value.
    pub fn to_name(self) -> Name {
        Name(self.map(|label| String::from_utf8_lossy(label).into_owned()).collect())
    }
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            match *self.message.get(self.at)? {
                0 => return None,
                pointer if pointer & 0xC0 == 0xC0 => {
                    let low = *self.message.get(self.at + 1)?;
                    self.at = usize::from(u16::from_be_bytes([pointer & 0x3F, low]));
                }
                count => {
                    let start = self.at + 1;
                    self.at = start + usize::from(count);
                    return self.message.get(start..self.at);
                }
            }
        }
    }
}

/// A place in a message.
struct Cursor<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], DnsError> {
        let end = self.at.checked_add(count).ok_or(DnsError::CutShort)?;
        let taken = self.message.get(self.at..end).ok_or(DnsError::CutShort)?;
        self.at = end;
        Ok(taken)
    }

    fn u8(&mut self) -> Result<u8, DnsError> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn u16(&mut self) -> Result<u16, DnsError> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn name(&mut self) -> Result<Name, DnsError> {
        Ok(self.labels()?.to_name())
    }

    /// Parses a name, which may end with a pointer to the place of its rest (section 4.1.4).
    fn labels(&mut self) -> Result<Labels<'a>, DnsError> {
        let labels = Labels { message: self.message, at: self.at };
        let mut len = 0;
        let mut behind = None;
        loop {
            let started = self.at;
            match self.u8()? {
                0 => break,
                pointer if pointer & 0xC0 == 0xC0 => {
                    let low = self.u8()?;
                    behind.get_or_insert(self.at);
                    let target = usize::from(u16::from_be_bytes([pointer & 0x3F, low]));
                    // Pointers may only go backwards, so that the loop ends.
                    if target >= started {
                        return Err(DnsError::Name);
                    }
                    self.at = target;
                    // A pointer counts towards the length too, so that a message full of pointers
                    // does not take long.
                    len += 1;
                }
                count if count & 0xC0 == 0 => len += self.take(usize::from(count))?.len() + 1,
                _ => return Err(DnsError::Name),
            }
            if len >= MAX_NAME {
                return Err(DnsError::Name);
            }
        }
        if let Some(behind) = behind {
            self.at = behind;
        }
        Ok(labels)
    }

    fn record(&mut self) -> Result<Option<Record>, DnsError> {
        let name = self.name()?;
        let kind = self.u16()?;
        let class = self.u16()? & CLASS;
        // RFC 6762, section 10.1.
        let is_withdrawn = self.take(4)? == [0; 4];
        let len = usize::from(self.u16()?);
        let start = self.at;
        let bytes = self.take(len)?;
        let behind = self.at;
        if class != IN || is_withdrawn {
            return Ok(None);
        }
        // Names in the data may point to any earlier place, so they are read from the whole
        // message.
        let mut inside = Cursor { message: &self.message[..behind], at: start };
        let data = match kind {
            A => <[u8; 4]>::try_from(bytes).ok().map(|ip| Data::Address(Ipv4Addr::from(ip).into())),
            AAAA => {
                <[u8; 16]>::try_from(bytes).ok().map(|ip| Data::Address(Ipv6Addr::from(ip).into()))
            }
            PTR => Some(Data::Instance(inside.name()?)),
            SRV => {
                let _priority_and_weight = inside.take(4)?;
                Some(Data::Place { port: inside.u16()?, host: inside.name()? })
            }
            TXT => Some(Data::Text(text(bytes))),
            _ => None,
        };
        Ok(data.map(|data| Record { name, data }))
    }
}

/// The strings of a TXT record (RFC 6763, section 6). If a key is repeated, the caller has to use
/// the first one.
fn text(mut bytes: &[u8]) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    while let Some((&len, rest)) = bytes.split_first() {
        let (pair, rest) = rest.split_at(usize::from(len).min(rest.len()));
        bytes = rest;
        let pair = String::from_utf8_lossy(pair);
        let (key, value) = pair.split_once('=').unwrap_or((&pair, ""));
        if !key.is_empty() {
            pairs.push((key.to_ascii_lowercase(), value.to_owned()));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer as cameras send it: PTR, SRV, TXT and A, with names compressed.
    #[rustfmt::skip]
    const ANSWER: &[u8] = &[
        0, 0, 0x84, 0, // number, answer with authority
        0, 0, 0, 1, 0, 0, 0, 3, // no question, one answer, none, three beside it
        7, b'_', b'l', b'a', b'n', b'c', b'a', b'm', // 12: _lancam
        4, b'_', b't', b'c', b'p', // 20
        5, b'l', b'o', b'c', b'a', b'l', 0, // 25
        0, 12, 0, 1, 0, 0, 0, 10, 0, 7, // PTR, IN, 10 s, 7 bytes
        4, b'D', b'o', b'o', b'r', 0xC0, 12, // 42: Door, and the rest at 12
        0xC0, 42, 0, 33, 0x80, 1, 0, 0, 0, 10, 0, 11, // SRV of it, older ones are void
        0, 0, 0, 0, 0x27, 0x0F, // no priority, no weight, port 9999
        2, b'p', b'i', 0xC0, 25, // 67: pi.local
        0xC0, 42, 0, 16, 0x80, 1, 0, 0, 0, 10, 0, 10, // TXT
        6, b'F', b'p', b's', b'=', b'3', b'0', 2, b'o', b'n',
        0xC0, 67, 0, 1, 0x80, 1, 0, 0, 0, 10, 0, 4, 10, 0, 0, 5, // A
    ];

    #[test]
    fn an_answer_is_read_record_by_record() {
        let records = records(ANSWER).expect("whole");
        let data: Vec<_> = records.iter().map(|record| record.data.clone()).collect();
        let instance = Name::of("door._LANCAM._tcp.local");
        let host = Name::of("pi.local");
        let text = [("fps", "30"), ("on", "")].map(|(key, value)| (key.into(), value.into()));
        assert_eq!(
            data,
            [
                Data::Instance(instance.clone()),
                Data::Place { port: 9999, host: host.clone() },
                Data::Text(text.to_vec()),
                Data::Address([10, 0, 0, 5].into()),
            ]
        );
        assert_eq!((&records[1].name, &records[3].name), (&instance, &host));
        assert_eq!(records[1].name.first(), "Door");
        assert!(instance.is_directly_below(&records[0].name));
        assert!(!host.is_directly_below(&records[0].name));
    }

    #[test]
    fn a_record_that_is_withdrawn_is_skipped() {
        let ttl = ANSWER.len() - 10..ANSWER.len() - 6;
        assert_eq!(ANSWER[ttl.clone()], [0, 0, 0, 10]);
        let mut message = ANSWER.to_vec();
        message[ttl].fill(0);
        let left = records(&message).expect("whole");
        assert_eq!(left.len(), 3, "{left:?}");
    }

    #[test]
    fn a_message_that_ends_anywhere_is_refused_and_no_byte_in_it_is_trusted() {
        for len in 0..ANSWER.len() {
            assert!(records(&ANSWER[..len]).is_err(), "{len}");
        }
        for at in 0..ANSWER.len() {
            for value in [0, 1, 12, 42, 0x7F, 0x80, 0xC0, 0xFF] {
                let mut message = ANSWER.to_vec();
                message[at] = value;
                // Its meaning does not matter, as long as parsing ends.
                let _ = records(&message);
            }
        }
    }

    #[test]
    fn names_that_lead_in_circles_are_refused() {
        let answer = |name: &[u8]| {
            let mut message = vec![0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0];
            message.extend(name);
            message.extend([0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4]);
            records(&message)
        };
        assert!(answer(&[1, b'a', 0]).is_ok());
        assert_eq!(answer(&[0xC0, 12]), Err(DnsError::Name), "to itself");
        assert_eq!(answer(&[1, b'a', 0xC0, 12]), Err(DnsError::Name), "round and round");
        assert_eq!(answer(&[0xC0, 200]), Err(DnsError::Name), "forwards");
        assert_eq!(answer(&[0x80, 0]), Err(DnsError::Name), "a length nobody defined");
        assert_eq!(records(&query(&[])), Err(DnsError::NoAnswer));
    }

    #[test]
    fn a_question_is_written_as_the_standard_says() {
        let name = Name::of("pi.local.");
        #[rustfmt::skip]
        let expected = [
            0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, // two questions
            2, b'p', b'i', 5, b'l', b'o', b'c', b'a', b'l', 0, 0, 1, 0, 1, // A, IN
            2, b'p', b'i', 5, b'l', b'o', b'c', b'a', b'l', 0, 0, 28, 0, 1, // AAAA, IN
        ];
        assert_eq!(query(&[(&name, QueryKind::A), (&name, QueryKind::Aaaa)]), expected);
    }
}
