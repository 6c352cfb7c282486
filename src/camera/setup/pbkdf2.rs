//! The key that a Wi-Fi password and its network's name make: PBKDF2 with HMAC-SHA-1 (IEEE 802.11, J.4; RFC 8018, 2104, 3174).

/// How often each block is hashed anew.
const ROUNDS: u32 = 4096;
const BLOCK: usize = 64;
const DIGEST: usize = 20;

/// 32 bytes, in hexadecimal digits.
pub(super) fn wifi_key(password: &[u8], ssid: &[u8]) -> String {
    let blocks = [1_u32, 2].map(|number| {
        let mut last = hmac(password, &[ssid, &number.to_be_bytes()].concat());
        let mut block = last;
        for _ in 1..ROUNDS {
            last = hmac(password, &last);
            block.iter_mut().zip(last).for_each(|(byte, more)| *byte ^= more);
        }
        block
    });
    blocks.iter().flatten().take(32).map(|byte| format!("{byte:02x}")).collect()
}

/// Passwords are shorter than a block.
fn hmac(password: &[u8], text: &[u8]) -> [u8; DIGEST] {
    let padded = |pad: u8| {
        let mut block = [pad; BLOCK];
        block.iter_mut().zip(password).for_each(|(byte, letter)| *byte ^= letter);
        block
    };
    let inner = sha1(&[&padded(0x36), text].concat());
    sha1(&[padded(0x5c).as_slice(), &inner].concat())
}

fn sha1(text: &[u8]) -> [u8; DIGEST] {
    let bits = u64::try_from(text.len()).unwrap_or(u64::MAX).wrapping_mul(8);
    let mut padded = text.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(BLOCK) - 8, 0);
    padded.extend(bits.to_be_bytes());
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    for block in padded.chunks_exact(BLOCK) {
        compress(&mut state, block);
    }
    let mut digest = [0; DIGEST];
    digest
        .chunks_exact_mut(4)
        .zip(state)
        .for_each(|(to, word)| to.copy_from_slice(&word.to_be_bytes()));
    digest
}

fn compress(state: &mut [u32; 5], block: &[u8]) {
    let mut words = [0_u32; 80];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.iter().fold(0, |word, &byte| word << 8 | u32::from(byte));
    }
    for at in 16..80 {
        words[at] =
            (words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1);
    }
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for (at, word) in words.into_iter().enumerate() {
        let (mixed, constant) = match at {
            0..20 => ((b & c) | (!b & d), 0x5a82_7999_u32),
            20..40 => (b ^ c ^ d, 0x6ed9_eba1),
            40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6),
        };
        let next = a
            .rotate_left(5)
            .wrapping_add(mixed)
            .wrapping_add(e)
            .wrapping_add(constant)
            .wrapping_add(word);
        (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
    }
    for (word, more) in state.iter_mut().zip([a, b, c, d, e]) {
        *word = word.wrapping_add(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_standard() {
        // IEEE 802.11-2020, J.4.2.
        for (password, ssid, key) in [
            (
                "password",
                "IEEE",
                "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e",
            ),
            (
                "ThisIsAPassword",
                "ThisIsASSID",
                "0dc0d6eb90555ed6419756b9a15ec3e3209b63df707dd508d14581f8982721af",
            ),
            (
                &"a".repeat(32),
                &"Z".repeat(32),
                "becb93866bb8c3832cb777c2f559807c8c59afcb6eae734885001300a981cc62",
            ),
        ] {
            assert_eq!(wifi_key(password.as_bytes(), ssid.as_bytes()), key, "{password}");
        }
    }
}
