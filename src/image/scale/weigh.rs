//! Weighted sums of pixels, in loops that the compiler vectorises.

// Weighted sums of bytes are shifted back into the range of bytes.
#![allow(clippy::cast_possible_truncation)]

/// Pixels are loaded one by one, and this many are weighted at once: few enough that the compiler
/// keeps them in registers.
pub(super) const BLOCK: usize = 8;

/// For rounding to the nearest when a sum is divided by 256.
pub(super) const HALF: u16 = 128;

/// Two rows with one weight each.
pub(super) fn blend(above: &[u8], below: &[u8], (of_above, of_below): (u16, u16), to: &mut [u8]) {
    if of_above == of_below {
        // Equal weights: one instruction does the same.
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

/// Three rows with one weight each.
pub(super) fn blend_three(rows: [&[u8]; 3], weights: [u16; 3], to: &mut [u8]) {
    let ([above, middle, below], [of_above, of_middle, of_below]) = (rows, weights);
    for (to, ((&above, &middle), &below)) in to.iter_mut().zip(above.iter().zip(middle).zip(below))
    {
        let outer = u16::from(above) * of_above + u16::from(below) * of_below;
        *to = ((outer + u16::from(middle) * of_middle + HALF) >> 8) as u8;
    }
}

/// The weight of each byte in a block of pixels.
pub(super) type Shares = [[u16; 4]; BLOCK];

/// Several source pixels per target pixel, each with its own weight. The first one has the weight
/// that the others leave.
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
            // The difference wraps below zero and back.
            let more = u16::from(other).wrapping_sub(u16::from(first)).wrapping_mul(share);
            *sum = sum.wrapping_add(more);
        }
    }
    for (to, sum) in to.iter_mut().zip(sums) {
        *to = (sum >> 8) as u8;
    }
}

/// The number of bytes in a block.
const BYTES: usize = 4 * BLOCK;

/// Adds a row with one weight.
pub(super) fn add(row: &[u8], weight: u16, sums: &mut [u16]) {
    for (sum, &byte) in sums.iter_mut().zip(row) {
        *sum += u16::from(byte) * weight;
    }
}

/// Converts sums to bytes.
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

/// Spreads the three bytes so that each has room for a sum: one multiplication serves all of them.
fn spread(pixel: u32) -> u64 {
    u64::from(pixel & 0x00FF_00FF) | u64::from(pixel & 0x0000_FF00) << 24
}

/// Divides the three sums by 256 and makes a pixel of them.
fn gathered(sums: u64) -> u32 {
    let rounded = sums + 0x0080_0080_0080;
    (rounded >> 8) as u32 & 0x00FF_00FF | (rounded >> 32) as u32 & 0x0000_FF00
}
