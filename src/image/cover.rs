//! Covers rows of pixels with others that can be seen through, all bytes alike and many at once.

// Weighed bytes are shifted into bytes again.
#![allow(clippy::cast_possible_truncation)]

/// Leaves `rest` of 256 of each pixel and adds `colour` to it, of which no byte is more than what was taken.
pub fn tint(row: &mut [u32], colour: u32, rest: u16) {
    for byte in bytemuck::cast_slice_mut::<u32, u8>(row) {
        *byte = ((u16::from(*byte) * rest) >> 8) as u8;
    }
    for pixel in row {
        *pixel = pixel.wrapping_add(colour);
    }
}

/// Leaves of each byte as much as `clear` says, of 255, and adds the same of `colours`.
pub fn lay(row: &mut [u32], colours: &[u32], clear: &[u32]) {
    let bytes = bytemuck::cast_slice::<u32, u8>;
    let row = bytemuck::cast_slice_mut::<u32, u8>(row);
    for ((under, colour), clear) in row.iter_mut().zip(bytes(colours)).zip(bytes(clear)) {
        // From 0..=255 to 0..=256, so that dividing is shifting.
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
