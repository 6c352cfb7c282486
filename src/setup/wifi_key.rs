//! Computes the key of a Wi-Fi password and network name: PBKDF2 with HMAC-SHA-1 (IEEE 802.11, J.4), by RustCrypto's crates.

use pbkdf2::pbkdf2_hmac_array;
use sha1::Sha1;

const ROUNDS: u32 = 4096;

/// The key's 32 bytes in hexadecimal digits.
pub(super) fn wifi_key(password: &[u8], ssid: &[u8]) -> String {
    let key: [u8; 32] = pbkdf2_hmac_array::<Sha1, 32>(password, ssid, ROUNDS);
    key.iter().map(|byte| format!("{byte:02x}")).collect()
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
