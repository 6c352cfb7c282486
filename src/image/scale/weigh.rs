//! Weighed sums of pixels: what the compiler makes SIMD of.

// Sums of weighed bytes are shifted into bytes again.
#![allow(clippy::cast_possible_truncation)]

/// Pixels are fetched one by one, and weighed as many at once: so few that the compiler keeps them in registers.
pub(super) const BLOCK: usize = 8;

/// For rounding to the nearest when a sum is divided by 256.
pub(super) const HALF: u16 = 128;

/// Two rows, each with one weight.
pub(super) fn blend(above: &[u8], below: &[u8], (of_above, of_below): (u16, u16), to: &mut [u8]) {
    if of_above == of_below {
        // The same in one instruction.
        for ((to, &above), &below) in to.iter_mut().zip(above).zip(below) {
            *to = ((u16::from(above) + u16::from(below) + 1) >> 1) as u8;
        }
        return;
    }
    for ((to, &above), &below) in to.iter_mut().zip(above).zip(below) {
        let sum = u16::from(above) * of_above + u16::from(below) * of_below + HALF;
        *to = (sum >> 8) as u8;
    }
}

/// Three rows, each with one weight.
pub(super) fn blend_three(rows: [&[u8]; 3], weights: [u16; 3], to: &mut [u8]) {
    let ([above, middle, below], [of_above, of_middle, of_below]) = (rows, weights);
    for (to, ((&above, &middle), &below)) in to.iter_mut().zip(above.iter().zip(middle).zip(below))
    {
        let outer = u16::from(above) * of_above + u16::from(below) * of_below;
        *to = ((outer + u16::from(middle) * of_middle + HALF) >> 8) as u8;
    }
}

/// For each byte of a block of pixels how much of it counts.
pub(super) type Shares = [[u16; 4]; BLOCK];

/// Several pixels for each one, with weights of their own; the first ones count for what the others leave.
pub(super) fn weigh<const TAPS: usize, const SHARES: usize>(
    pixels: &[[u32; BLOCK]; TAPS],
    shares: &[Shares; SHARES],
    to: &mut [u32; BLOCK],
) {
    let to: &mut [u8; BYTES] = bytemuck::cast_mut(to);
    let bytes = |tap: usize| -> &[u8; BYTES] { bytemuck::cast_ref(&pixels[tap]) };
    let shares = |tap: usize| -> &[u16; BYTES] { bytemuck::cast_ref(&shares[tap - 1]) };
    let first = bytes(0);
    if TAPS == 2 {
        for (((to, &first), &other), &share) in
            to.iter_mut().zip(first).zip(bytes(1)).zip(shares(1))
        {
            let sum = u16::from(first) * (256 - share) + u16::from(other) * share + HALF;
            *to = (sum >> 8) as u8;
        }
        return;
    }
    if TAPS == 3 {
        let others = bytes(1).iter().zip(shares(1)).zip(bytes(2).iter().zip(shares(2)));
        for ((to, &first), ((&second, &of_second), (&third, &of_third))) in
            to.iter_mut().zip(first).zip(others)
        {
            let of_first = 256 - of_second - of_third;
            let sum = u16::from(first) * of_first + u16::from(second) * of_second + HALF;
            *to = ((sum + u16::from(third) * of_third) >> 8) as u8;
        }
        return;
    }
    let mut sums = [0_u16; BYTES];
    for (sum, &byte) in sums.iter_mut().zip(first) {
        *sum = (u16::from(byte) << 8) + HALF;
    }
    for tap in 1..TAPS {
        let weighed = first.iter().zip(bytes(tap)).zip(shares(tap));
        for (sum, ((&first, &other), &share)) in sums.iter_mut().zip(weighed) {
            // It goes below zero and back.
            let more = u16::from(other).wrapping_sub(u16::from(first)).wrapping_mul(share);
            *sum = sum.wrapping_add(more);
        }
    }
    for (to, sum) in to.iter_mut().zip(sums) {
        *to = (sum >> 8) as u8;
    }
}

/// The bytes of a block.
const BYTES: usize = 4 * BLOCK;

/// Adds a row that has one weight.
pub(super) fn add(row: &[u8], weight: u16, sums: &mut [u16]) {
    for (sum, &byte) in sums.iter_mut().zip(row) {
        *sum += u16::from(byte) * weight;
    }
}

/// Bytes from sums.
pub(super) fn gather(sums: &[u16], to: &mut [u8]) {
    for (to, sum) in to.iter_mut().zip(sums) {
        *to = (sum >> 8) as u8;
    }
}

/// One pixel from several.
pub(super) fn weigh_each(pixels: &[u32], weights: &[u16]) -> u32 {
    let weighed = pixels.iter().zip(weights);
    gathered(weighed.map(|(&pixel, &weight)| spread(pixel) * u64::from(weight)).sum())
}

/// The three bytes, each with room for a sum: one multiplication does for all of them.
fn spread(pixel: u32) -> u64 {
    u64::from(pixel & 0x00FF_00FF) | u64::from(pixel & 0x0000_FF00) << 24
}

/// The three sums, divided by 256, as a pixel.
fn gathered(sums: u64) -> u32 {
    let rounded = sums + 0x0080_0080_0080;
    (rounded >> 8) as u32 & 0x00FF_00FF | (rounded >> 32) as u32 & 0x0000_FF00
}
