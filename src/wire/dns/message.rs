//! Reads DNS messages for a responder, without copying and without trusting any byte.

use super::{CLASS, Cursor, DnsError, IS_ANSWER, Labels, NSEC, PTR, SRV};

/// A message whose header was parsed. Questions and records are parsed when they are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    bytes: &'a [u8],
    /// An asker that speaks plain DNS needs this number repeated in the answer.
    pub id: u16,
    flags: u16,
    counts: [u16; 4],
}

/// The sections that hold records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// In a question: what the asker knows already. In an answer: the answer.
    Answer,
    /// In a probe: what the asker wants to claim.
    Authority,
    /// Records that were not asked for.
    Additional,
}

/// A question.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The name that it is about.
    pub name: Labels<'a>,
    /// The kind of records.
    pub kind: u16,
    /// The class of records.
    pub class: u16,
    /// Whether the answer may go to the asker alone (RFC 6762, section 5.4).
    pub is_for_unicast: bool,
}

/// A record that somebody else states.
#[derive(Debug, Clone, Copy)]
pub struct Stated<'a> {
    /// The section that it is in.
    pub section: Section,
    /// Its name.
    pub name: Labels<'a>,
    /// Its kind.
    pub kind: u16,
    /// Its class.
    pub class: u16,
    /// Whether it replaces earlier records of the same name and kind (RFC 6762, section 10.2).
    pub replaces: bool,
    /// Its TTL in seconds; 0 if it no longer exists.
    pub ttl: u32,
    message: &'a [u8],
    start: usize,
    end: usize,
}

impl<'a> Message<'a> {
    /// Parses the header.
    ///
    /// # Errors
    /// When there are too few bytes, or the message is neither a question nor an answer.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DnsError> {
        let mut cursor = Cursor { message: bytes, at: 0 };
        let (id, flags) = (cursor.u16()?, cursor.u16()?);
        let counts = [cursor.u16()?, cursor.u16()?, cursor.u16()?, cursor.u16()?];
        if flags & (OPCODE | RESPONSE_CODE) != 0 {
            // RFC 6762, sections 18.3 and 18.11: ignore it silently.
            return Err(DnsError::NoAnswer);
        }
        Ok(Self { bytes, id, flags, counts })
    }

    /// Whether it is an answer, not a question.
    pub fn is_answer(&self) -> bool {
        self.flags & IS_ANSWER != 0
    }

    /// Whether further known answers follow in another message (RFC 6762, section 7.2).
    pub fn is_continued(&self) -> bool {
        self.flags & TRUNCATED != 0
    }

    /// Whether it has no questions: then it continues a list of known answers.
    pub fn has_no_questions(&self) -> bool {
        self.counts[0] == 0
    }

    /// Its questions, up to the first invalid one.
    pub fn questions(&self) -> impl Iterator<Item = Question<'a>> + use<'a> {
        let mut cursor = Cursor { message: self.bytes, at: super::HEADER };
        (0..self.counts[0]).map_while(move |_| cursor.question().ok())
    }

    /// Its records, up to the first invalid one.
    pub fn records(&self) -> impl Iterator<Item = Stated<'a>> + use<'a> {
        let mut cursor = Cursor { message: self.bytes, at: super::HEADER };
        let is_whole = (0..self.counts[0]).all(|_| cursor.question().is_ok());
        let [_, answers, authorities, additional] = self.counts;
        let sections = [
            (Section::Answer, answers),
            (Section::Authority, authorities),
            (Section::Additional, additional),
        ];
        let sections = sections.into_iter().filter(move |_| is_whole);
        sections
            .flat_map(|(section, count)| (0..count).map(move |_| section))
            .map_while(move |section| cursor.stated(section).ok())
    }
}

/// Bits in the flags of the header (RFC 1035, section 4.1.1).
const OPCODE: u16 = 0x7800;
const TRUNCATED: u16 = 0x0200;
const RESPONSE_CODE: u16 = 0x000F;

/// The top bit of a question's class.
const UNICAST: u16 = 0x8000;

/// The top bit of a record's class.
const REPLACES: u16 = 0x8000;

impl<'a> Cursor<'a> {
    fn question(&mut self) -> Result<Question<'a>, DnsError> {
        let (name, kind, class) = (self.labels()?, self.u16()?, self.u16()?);
        Ok(Question { name, kind, class: class & CLASS, is_for_unicast: class & UNICAST != 0 })
    }

    fn stated(&mut self, section: Section) -> Result<Stated<'a>, DnsError> {
        let (name, kind, class) = (self.labels()?, self.u16()?, self.u16()?);
        let (class, replaces) = (class & CLASS, class & REPLACES != 0);
        let ttl = u32::from(self.u16()?) << 16 | u32::from(self.u16()?);
        let len = usize::from(self.u16()?);
        let start = self.at;
        self.take(len)?;
        let (message, end) = (self.message, self.at);
        Ok(Stated { section, name, kind, class, replaces, ttl, message, start, end })
    }
}

impl Stated<'_> {
    /// Its data with names uncompressed, as RFC 6762 compares it in section 8.2; `None` if it is
    /// invalid.
    pub fn plain_data(&self) -> Option<Vec<u8>> {
        let whole = self.message.get(self.start..self.end)?;
        let before = match self.kind {
            PTR | NSEC | CNAME => 0,
            SRV => 6,
            _ => return Some(whole.to_vec()),
        };
        let mut cursor = Cursor { message: self.message.get(..self.end)?, at: self.start };
        let mut plain = cursor.take(before).ok()?.to_vec();
        for label in cursor.labels().ok()? {
            plain.extend(u8::try_from(label.len()).ok());
            plain.extend(label);
        }
        plain.push(0);
        plain.extend(self.message.get(cursor.at..self.end)?);
        Some(plain)
    }
}

const CNAME: u16 = 5;
