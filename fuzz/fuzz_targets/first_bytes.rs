#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lancam_fuzz::first_bytes(bytes));
