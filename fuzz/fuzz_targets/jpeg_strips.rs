#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lancam_fuzz::strips::jpeg_strips(bytes));
