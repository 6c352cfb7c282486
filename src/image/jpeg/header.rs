//! Parses the segments that decide whether a JPEG can be decoded (ITU-T T.81, annex B.2).

use super::damage::Damage;
use crate::image::pixels::{Chroma, Size};

/// The content of a frame header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) process: Process,
    pub(super) size: Size,
    components: [Component; MOST_COMPONENTS],
    count: usize,
}

/// How the coefficients are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Process {
    /// Row by row, with all of each block at once.
    Sequential,
    /// In several scans that each add detail.
    Progressive,
}

#[derive(Debug, Clone, Copy, Default)]
struct Component {
    id: u8,
    /// How many of its blocks are side by side in an MCU.
    across: usize,
    /// How many are one above the other.
    down: usize,
    quantization: u8,
}

/// Which tables are defined: one bit for each number.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tables {
    pub(super) quantization: u8,
    dc: u8,
    ac: u8,
}

/// Which components of a frame a scan holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScanOf {
    /// All of them, interleaved.
    All,
    /// Some; the others follow in scans of their own.
    Some,
}

/// Grey, or Y, Cb and Cr.
const MOST_COMPONENTS: usize = 3;

/// B.2.3: at most ten blocks in an MCU.
const MOST_BLOCKS: usize = 10;

impl Frame {
    /// Parses the content of a SOF segment after its length.
    pub(super) fn parse(process: Process, content: &[u8]) -> Result<Self, Damage> {
        let (&[precision, h1, h0, w1, w0, count], content) =
            content.split_first_chunk().ok_or(Damage::Head)?;
        // 12 bits or CMYK is valid, but viewers cannot show it.
        if precision != 8 || !matches!(usize::from(count), 1 | MOST_COMPONENTS) {
            return Err(Damage::Coding);
        }
        let height = usize::from(u16::from_be_bytes([h1, h0]));
        let width = usize::from(u16::from_be_bytes([w1, w0]));
        let size = Size::new(width, height);
        let count = usize::from(count);
        let is_sane = size.area() > 0 && size.fits_a_jpeg() && content.len() == 3 * count;
        if !is_sane {
            return Err(Damage::Head);
        }
        let mut components = [Component::default(); MOST_COMPONENTS];
        for (component, &[id, sampling, quantization]) in
            components.iter_mut().zip(content.as_chunks().0)
        {
            let (across, down) = (usize::from(sampling >> 4), usize::from(sampling & 15));
            *component = Component { id, across, down, quantization };
        }
        let frame = Self { process, size, components, count };
        if frame.is_sampled_sanely() { Ok(frame) } else { Err(Damage::Head) }
    }

    fn components(&self) -> &[Component] {
        &self.components[..self.count]
    }

    fn is_sampled_sanely(&self) -> bool {
        let (across, down) = self.most_blocks();
        self.components().iter().enumerate().all(|(index, component)| {
            (1..=4).contains(&component.across)
                && (1..=4).contains(&component.down)
                && across % component.across == 0
                && down % component.down == 0
                && component.quantization < 4
                && self.components[..index].iter().all(|other| other.id != component.id)
        }) && (self.count == 1 || self.blocks_in_mcu() <= MOST_BLOCKS)
    }

    fn most_blocks(&self) -> (usize, usize) {
        let across = self.components().iter().map(|component| component.across).max();
        let down = self.components().iter().map(|component| component.down).max();
        (across.unwrap_or(1), down.unwrap_or(1))
    }

    fn blocks_in_mcu(&self) -> usize {
        // A.2.2: a single component is not interleaved, whatever its sampling factors.
        if self.count == 1 {
            return 1;
        }
        self.components().iter().map(|component| component.across * component.down).sum()
    }

    /// How its colours are subsampled; `None` if in a rare way. Only the ratios of the factors count:
    /// some encoders double all of them.
    pub(super) fn chroma(&self) -> Option<Chroma> {
        let &[luma, cb, cr] = self.components() else { return Some(Chroma::Grey) };
        if (cb.across, cb.down) != (cr.across, cr.down) {
            return None;
        }
        match (luma.across / cb.across, luma.down / cb.down) {
            (2, 2) => Some(Chroma::Yuv420),
            (2, 1) => Some(Chroma::Yuv422),
            (1, 1) => Some(Chroma::Yuv444),
            (1, 2) => Some(Chroma::Yuv440),
            (4, 1) => Some(Chroma::Yuv411),
            (1, 4) => Some(Chroma::Yuv441),
            _ => None,
        }
    }

    /// The size in pixels of an MCU in a scan of all components.
    pub(super) fn mcu(&self) -> Size {
        let (across, down) = if self.count == 1 { (1, 1) } else { self.most_blocks() };
        Size::new(8 * across, 8 * down)
    }

    /// The number of MCUs in a scan of all components.
    pub(super) fn mcus(&self) -> usize {
        let mcu = self.mcu();
        self.size.width.div_ceil(mcu.width) * self.size.height.div_ceil(mcu.height)
    }

    /// The least number of bytes in a sequential scan of all components: two codes for each block,
    /// each at least one bit (F.1.2).
    pub(super) fn least_data(&self) -> usize {
        (self.mcus() * self.blocks_in_mcu() * 2).div_ceil(8)
    }

    /// Whether every quantization table that the components use is defined.
    pub(super) fn is_quantized_by(&self, tables: Tables) -> bool {
        self.components()
            .iter()
            .all(|component| tables.quantization & (1 << component.quantization) != 0)
    }
}

/// The content of a scan header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan {
    pub(super) of: ScanOf,
    /// The Huffman tables that it uses.
    needs: Tables,
}

impl Scan {
    /// Parses the content of a SOS segment after its length. `None` if it does not belong to
    /// `frame`.
    pub(super) fn parse(frame: &Frame, content: &[u8]) -> Option<Self> {
        let (&count, content) = content.split_first()?;
        let count = usize::from(count);
        if !(1..=frame.count).contains(&count) || content.len() != 2 * count + 3 {
            return None;
        }
        let (selectors, &[first, last, bits]) = content.split_last_chunk()?;
        let is_sequential = frame.process == Process::Sequential;
        if !is_sequential && !is_progression(count, first, last, bits) {
            return None;
        }
        let mut needs = Tables::default();
        let mut seen = 0_u8;
        for &[id, tables] in selectors.as_chunks().0 {
            let index = frame.components().iter().position(|component| component.id == id)?;
            let is_new = seen & (1 << index) == 0;
            seen |= 1 << index;
            let (dc, ac) = (tables >> 4, tables & 15);
            if !is_new || dc > 3 || ac > 3 {
                return None;
            }
            needs.dc |= if first == 0 || is_sequential { 1 << dc } else { 0 };
            needs.ac |= if first > 0 || is_sequential { 1 << ac } else { 0 };
        }
        let of = if count == frame.count { ScanOf::All } else { ScanOf::Some };
        Some(Self { of, needs })
    }

    /// Whether `tables` has everything that this scan uses.
    pub(super) fn is_coded_by(&self, tables: Tables) -> bool {
        self.needs.dc & !tables.dc == 0 && self.needs.ac & !tables.ac == 0
    }

    /// Whether the standard tables are enough for this scan.
    pub(super) fn takes_standard_tables(&self) -> bool {
        (self.needs.dc | self.needs.ac) & !0b11 == 0
    }
}

/// G.1.1.1: a scan has either the DC coefficients of any components or a band of the AC
/// coefficients of one, and refines them by one bit at a time.
fn is_progression(count: usize, first: u8, last: u8, bits: u8) -> bool {
    let (high, low) = (bits >> 4, bits & 15);
    let is_band = if first == 0 { last == 0 } else { count == 1 && first <= last && last < 64 };
    is_band && low <= 13 && (high == 0 || high == low + 1)
}

impl Tables {
    /// Whether no Huffman table is defined.
    pub(super) fn lack_huffman(&self) -> bool {
        self.dc | self.ac == 0
    }

    /// Adds the content of a DQT segment after its length. `None` if it is broken.
    pub(super) fn add_quantization(&mut self, mut content: &[u8]) -> Option<()> {
        while let Some((&head, rest)) = content.split_first() {
            let (precision, number) = (head >> 4, head & 15);
            if precision > 1 || number > 3 {
                return None;
            }
            content = rest.get(if precision == 0 { 64 } else { 128 }..)?;
            self.quantization |= 1 << number;
        }
        Some(())
    }

    /// Adds the content of a DHT segment after its length. `None` if it is broken.
    pub(super) fn add_huffman(&mut self, mut content: &[u8]) -> Option<()> {
        while let Some((&head, rest)) = content.split_first() {
            let (class, number) = (head >> 4, head & 15);
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let symbols: usize = counts.iter().copied().map(usize::from).sum();
            if class > 1 || number > 3 || symbols > 256 || !fits_its_lengths(counts) {
                return None;
            }
            let (symbols, rest) = rest.split_at_checked(symbols)?;
            // A DC symbol is a number of bits (F.1.2.1).
            if class == 0 && symbols.iter().any(|&bits| bits > 15) {
                return None;
            }
            let defined = if class == 0 { &mut self.dc } else { &mut self.ac };
            *defined |= 1 << number;
            content = rest;
        }
        Some(())
    }
}

/// Whether these numbers of codes of each length are possible (C.2). n bits have room for 2^n
/// codes, minus those that begin with a shorter code, and minus the code that has only ones.
fn fits_its_lengths(counts: &[u8; 16]) -> bool {
    let mut free = 1_usize;
    counts.iter().all(|&count| {
        free *= 2;
        let fits = count == 0 || usize::from(count) < free;
        free = free.saturating_sub(usize::from(count));
        fits
    })
}
