//! Blends translucent pixels over rows of pixels, byte by byte, in loops that the compiler
//! vectorises.

// Weighted sums of bytes are shifted back into the range of bytes.
#![allow(clippy::cast_possible_truncation)]

/// Keeps `rest` of 256 of each pixel and adds `colour`, none of whose bytes is more than what was
/// taken away.
pub fn tint(row: &mut [u32], colour: u32, rest: u16) {
    for byte in bytemuck::cast_slice_mut::<u32, u8>(row) {
        *byte = ((u16::from(*byte) * rest) >> 8) as u8;
    }
    for pixel in row {
        *pixel = pixel.wrapping_add(colour);
    }
}

/// Keeps `clear` of 255 of each byte, and adds the byte of `colours`, which is already weighted.
pub fn lay(row: &mut [u32], colours: &[u32], clear: &[u32]) {
    let bytes = bytemuck::cast_slice::<u32, u8>;
    let row = bytemuck::cast_slice_mut::<u32, u8>(row);
    for ((under, colour), clear) in row.iter_mut().zip(bytes(colours)).zip(bytes(clear)) {
        // From 0..=255 to 0..=256, so that the division is a shift.
        let clear = u16::from(*clear) + u16::from(clear >> 7);
        *under = (((u16::from(*under) * clear) >> 8) as u8).saturating_add(*colour);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_where_all_is_clear_and_all_where_nothing_is() {
        let row: Vec<u32> = (0..=255).map(|byte| byte * 0x0001_0101).collect();
        let covered = |by: fn(&mut [u32])| {
            let mut row = row.clone();
            by(&mut row);
            row
        };
        assert_eq!(covered(|row| lay(row, &[0; 256], &[u32::MAX; 256])), row);
        assert_eq!(covered(|row| lay(row, &[0x0012_3456; 256], &[0; 256])), [0x0012_3456; 256]);
        assert_eq!(covered(|row| tint(row, 0, 256)), row);
        assert_eq!(covered(|row| tint(row, 0x0012_3456, 0)), [0x0012_3456; 256]);
    }
}
