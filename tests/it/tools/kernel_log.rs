//! Whether a kernel has failed, by its log (`dmesg`).

/// What the kernel says of a failure of its own: the lines from the first sign of it.
pub fn failure(log: &str) -> Option<String> {
    let lines: Vec<&str> = log.lines().collect();
    let first = lines.iter().position(|line| SIGNS.iter().any(|sign| line.contains(sign)))?;
    Some(lines[first..].iter().take(LINES).copied().collect::<Vec<_>>().join("\n"))
}

/// A crash, a bug that the kernel has found in itself, and what has stood still: a CPU, or a task for two minutes.
const SIGNS: [&str; 9] = [
    "Unable to handle kernel",
    "Internal error",
    "Oops",
    "BUG:",
    "kernel BUG at",
    "soft lockup",
    "self-detected stall",
    "detected stalls on CPUs",
    "blocked for more than",
];

/// A crash takes about so many lines.
const LINES: usize = 40;

#[test]
fn each_failure_of_a_kernel_is_found_with_its_lines() {
    let before = "[    9.100000] usb 1-1: USB disconnect, device number 7\n";
    for (sign, lines) in [
        (
            "a crash",
            "[   93.640721] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010\n\
             [   93.647000] Internal error: Oops: 0000000096000004 [#1] SMP\n\
             [   93.650112] pc : uvc_video_complete+0x4c/0x2c0 [uvcvideo]",
        ),
        ("a bug", "[   12.000001] BUG: scheduling while atomic: lancam/212/0x00000002"),
        ("an assertion", "[   12.000001] kernel BUG at mm/slub.c:379!"),
        (
            "a CPU",
            "[   52.068001] watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [kworker/1:2:84]",
        ),
        ("a stall", "[   71.004001] rcu: INFO: rcu_sched self-detected stall on CPU"),
        ("another one", "[   71.004001] rcu: INFO: rcu_sched detected stalls on CPUs/tasks:"),
        (
            "a hung task",
            "[  242.692001] INFO: task lancam:212 blocked for more than 120 seconds.\n\
             [  242.692900]       Not tainted 6.1.0-57-arm64 #1 Debian 6.1.0-57\n\
             [  242.693100] \"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.",
        ),
    ] {
        let log = format!("{before}{lines}\n");
        assert_eq!(failure(&log).as_deref(), Some(lines), "{sign}");
    }
}

#[test]
fn a_camera_that_goes_is_no_failure_of_the_kernel() {
    let log = "[    7.310001] uvcvideo 1-1:1.0: Found UVC 1.00 device Plain Webcam (0912:0001)\n\
               [    9.100000] usb 1-1: USB disconnect, device number 7\n\
               [    9.200000] uvcvideo 1-1:1.1: Failed to resubmit video URB (-1).\n\
               [    9.300000] vhci_hcd: connection closed\n";
    assert_eq!(failure(log), None);
}
