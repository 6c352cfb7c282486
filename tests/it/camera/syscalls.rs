//! System calls per frame, as `strace` counts them.

use crate::tools::camera_process::{CameraProcess, PATIENCE};
use crate::tools::http_client::HttpClient;
use crate::tools::native_client::NativeClient;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

/// How many frames are counted. About as many before them are not.
const FRAMES: usize = 50;

/// The calls of each thread, in order, by the thread's name.
fn trace(viewers: usize, options: &[&str]) -> Option<BTreeMap<String, Vec<Vec<String>>>> {
    let watch = |port| {
        let mut clients: Vec<_> = (0..viewers).map(|_| NativeClient::connect(port)).collect();
        for _ in 0..2 * FRAMES {
            for client in &mut clients {
                client.frame();
            }
        }
    };
    trace_while(watch, viewers, options).map(|trace| by_thread(&trace))
}

/// What strace prints about a camera to which `watch` connects this many viewers.
fn trace_while(watch: impl FnOnce(u16), viewers: usize, options: &[&str]) -> Option<String> {
    if Command::new("strace").args(["-f", "true"]).output().is_ok_and(|out| !out.status.success()) {
        crate::tools::skip::skip("syscalls", "strace may not trace here");
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("trace");
    let lancam = CameraProcess::command(&[&["--listen", "127.0.0.1:0"], options].concat());
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-qq", "-s", "64", "-o"])
        .arg(&file)
        .arg(lancam.get_program())
        .args(lancam.get_args());
    strace.envs(lancam.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if Command::new("strace").arg("-V").output().is_err() {
        crate::tools::skip::skip("syscalls", "strace is not installed");
        return None;
    }
    let camera = CameraProcess::spawn(&mut strace);
    watch(camera.port());
    for _ in 0..viewers {
        camera.line_with("connection ended");
    }
    // Ends the traced program. strace ends after it.
    let pids = Command::new("pgrep").args(["-P", &camera.child.id().to_string()]).output();
    let pid = String::from_utf8(pids.expect("pgrep runs").stdout).expect("digits");
    let killed = Command::new("kill").args(["-TERM", pid.trim()]).status();
    assert!(killed.expect("kill runs").success());
    let mut camera = camera;
    crate::tools::camera_process::wait(&mut camera.child);
    Some(std::fs::read_to_string(&file).expect("strace wrote"))
}

fn by_thread(trace: &str) -> BTreeMap<String, Vec<Vec<String>>> {
    let mut names = BTreeMap::new();
    let mut calls: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for line in trace.lines() {
        let Some((thread, call)) = line.split_once(char::is_whitespace) else { continue };
        let call = call.trim_start();
        if let Some(name) = call.strip_prefix("prctl(PR_SET_NAME, \"") {
            names.insert(thread, name.split('"').next().unwrap_or_default());
        }
        // strace prints a call twice if another call comes in between: when it begins and when it resumes.
        if let Some((name, _)) = call.split_once('(')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            calls.entry(thread).or_default().push(name.into());
        }
    }
    let mut threads: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for (thread, calls) in calls {
        let name = names.get(thread).copied().unwrap_or("main");
        threads.entry(name.into()).or_default().push(calls);
    }
    threads
}

/// How often each call was made between the 40th and the 90th call of `marker`.
fn per_frames(calls: &[String], marker: &str) -> BTreeMap<String, usize> {
    let marks: Vec<usize> =
        calls.iter().enumerate().filter(|(_, call)| *call == marker).map(|(at, _)| at).collect();
    let mut counts = BTreeMap::new();
    for call in &calls[marks[40]..marks[40 + FRAMES]] {
        *counts.entry(call.clone()).or_insert(0) += 1;
    }
    counts
}

#[test]
fn a_frame_costs_a_session_one_writev_and_at_most_one_recv() {
    let Some(threads) = trace(2, &["--source", "test:320x180@50"]) else { return };
    assert_eq!(threads["session"].len(), 2);
    for calls in &threads["session"] {
        let mut counts = per_frames(calls, "writev");
        println!("session, {FRAMES} frames: {counts:?}");
        assert_eq!(counts.remove("writev"), Some(FRAMES), "one writev a frame");
        let received = counts.remove("recvfrom").unwrap_or(0);
        assert!(received <= FRAMES, "{received} recv for {FRAMES} frames");
        let waits = counts.remove("epoll_wait").unwrap_or(0);
        // One wait for the acknowledgement and one for the next frame. A late wait sees both at once.
        assert!(waits <= 2 * FRAMES + 2, "{waits} waits for {FRAMES} frames");
        // The locks are held for a few instructions. A thread waits for one only if its holder lost the
        // processor.
        let locks = counts.remove("futex").unwrap_or(0);
        assert!(locks <= FRAMES / 10, "{locks} waits for locks");
        // After a late frame it asks for the round trip, once a second at most.
        let asked = counts.remove("getsockopt").unwrap_or(0);
        assert!(asked <= FRAMES / 10, "{asked} questions to the kernel");
        // With strace and other work, the session may be so late that it gets a smaller rendition, with
        // another doorbell.
        for call in ["eventfd2", "fcntl", "epoll_ctl", "close"] {
            let calls = counts.remove(call).unwrap_or(0);
            assert!(calls <= 2, "{calls} {call} for a change of renditions");
        }
        assert!(counts.is_empty(), "nothing else: {counts:?}");
    }
}

#[test]
fn a_raw_frame_costs_the_capture_thread_one_wake_up_and_its_rendition_one_per_waiting_viewer() {
    for viewers in [1, 3] {
        let Some(threads) = trace(viewers, &["--source", "test:320x180@50"]) else { return };
        let calls = &threads["capture"][0];
        // The pattern sleeps in poll, as a camera would, and for the last moment in clock_nanosleep.
        let mut counts = per_frames(calls, "poll");
        println!("capture, {viewers} viewers, {FRAMES} frames: {counts:?}");
        counts.remove("poll");
        counts.remove("clock_nanosleep");
        // One call wakes the rendition's thread. On a busy machine two more wait for a lock, and wake who waits for it.
        let wake_ups = counts.remove("futex").unwrap_or(0);
        assert!(wake_ups <= 3 * FRAMES, "{wake_ups}");
        // If the rendition is behind, the pool grows to two buffers at most.
        assert!(counts.remove("mmap").unwrap_or(0) <= 1, "the pool has stopped growing");
        assert!(counts.is_empty(), "nothing else: {counts:?}");

        let mut counts = per_frames(&threads["rendition 1"][0], "futex");
        println!("rendition, {viewers} viewers, {FRAMES} frames: {counts:?}");
        counts.remove("futex");
        let wake_ups = counts.remove("write").unwrap_or(0);
        // A wait takes one futex call, or two if the lock was held. So viewers wait for at least half of the
        // frames.
        assert!(wake_ups <= FRAMES * viewers, "{wake_ups}");
        assert!(wake_ups * 4 >= FRAMES * viewers, "viewers that wait are woken: {wake_ups}");
        assert!(counts.remove("mmap").unwrap_or(0) < viewers, "the pool has stopped growing");
        // How long it has worked on the frame.
        assert!(counts.remove("clock_gettime").unwrap_or(0) <= 2 * FRAMES);
        assert!(counts.is_empty(), "nothing else: {counts:?}");
    }
}

#[test]
fn a_helper_wakes_works_and_sleeps() {
    let options = ["--source", "test:1280x720@30", "--encode-threads", "2"];
    let Some(threads) = trace(1, &options) else { return };
    let mut counts = BTreeMap::new();
    for call in &threads["helper 1"][0] {
        *counts.entry(call.as_str()).or_insert(0) += 1;
    }
    println!("helper, at least {} frames: {counts:?}", 2 * FRAMES);
    // Of each frame it encodes some strips, and asks how long it worked on each. It sleeps in one call, or two if
    // somebody holds the lock.
    let strips = counts.remove("clock_gettime").unwrap_or(0) / 2;
    assert!(strips >= FRAMES / 2, "it helps: {strips}");
    let sleeps = counts.remove("futex").unwrap_or(0);
    assert!(sleeps <= 4 * strips + 10, "{sleeps} for {strips} strips");
    // What a thread asks for when it begins, and memory for its first strips.
    for once in [
        "set_robust_list",
        "prctl",
        "sigaltstack",
        "rseq",
        "gettid",
        "sched_getaffinity",
        "rt_sigprocmask",
    ] {
        counts.remove(once);
    }
    let memory: usize = ["mmap", "munmap", "mprotect", "madvise", "brk"]
        .iter()
        .filter_map(|call| counts.remove(call))
        .sum();
    assert!(memory <= 4 * FRAMES, "{memory} calls for memory");
    counts.remove("exit");
    assert!(counts.is_empty(), "nothing else: {counts:?}");
}

#[test]
fn a_jpeg_that_passes_through_costs_the_capture_thread_one_wake_up_per_waiting_viewer() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("clip.mjpeg");
    std::fs::write(&path, crate::tools::jpeg_tools::grey_jpegs(&[10, 120, 240])).expect("writes");
    let source = path.to_str().expect("UTF-8");
    for viewers in [1, 3] {
        let Some(threads) = trace(viewers, &["--source", source, "--fps", "50"]) else { return };
        assert!(!threads.contains_key("rendition 1") && !threads.contains_key("decode"));
        let mut counts = per_frames(&threads["capture"][0], "poll");
        println!("capture, {viewers} viewers, {FRAMES} frames: {counts:?}");
        for of_the_clip in ["poll", "clock_nanosleep", "read", "lseek", "statx"] {
            counts.remove(of_the_clip);
        }
        let wake_ups = counts.remove("write").unwrap_or(0);
        assert!(wake_ups <= FRAMES * viewers, "{wake_ups}");
        assert!(wake_ups * 2 >= FRAMES * viewers, "viewers that wait are woken: {wake_ups}");
        // A viewer may hold the lock while it copies a frame.
        counts.remove("futex");
        assert!(counts.remove("mmap").unwrap_or(0) < viewers, "the pool has stopped growing");
        assert!(counts.is_empty(), "nothing else: {counts:?}");
    }
}

#[test]
fn a_frame_over_http_is_one_writev_with_the_boundary_that_ends_it() {
    let watch = |port| {
        let mut stream = HttpClient::connect(port).stream("/stream");
        for _ in 0..2 * FRAMES {
            stream.part();
        }
    };
    let Some(trace) = trace_while(watch, 1, &["--source", "test:320x180@50"]) else { return };
    let writes: Vec<&str> = trace.lines().filter(|line| line.contains("writev(")).collect();
    assert!(writes.len() >= 2 * FRAMES, "{} writes", writes.len());
    for line in &writes[1..2 * FRAMES] {
        let whole =
            line.contains("Content-Type: image/jpeg") && line.contains("\\r\\n--frame\\r\\n");
        assert!(whole, "{line}");
    }
    let mut counts = per_frames(&by_thread(&trace)["session"][0], "writev");
    println!("HTTP session, {FRAMES} frames: {counts:?}");
    assert_eq!(counts.remove("writev"), Some(FRAMES), "one writev a frame");
    // A question to the kernel about what it still holds. One is enough if it holds nothing.
    assert!(counts.remove("ioctl").unwrap_or(0) <= 2 * FRAMES);
    assert!(counts.remove("epoll_wait").unwrap_or(0) <= 2 * FRAMES + 2);
    // On a busy machine a reader may be late now and then, which costs these calls. They must not come with
    // each frame.
    for when_late in ["setsockopt", "epoll_ctl", "getsockopt"] {
        assert!(counts.remove(when_late).unwrap_or(0) <= FRAMES, "{when_late}");
    }
    assert!(counts.is_empty(), "nothing else: {counts:?}");
}

#[test]
fn to_chrome_a_frame_is_one_writev_with_the_next_ones_head() {
    let watch = |port| {
        let mut tcp = TcpStream::connect(("127.0.0.1", port)).expect("connects");
        tcp.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
        let chrome =
            b"GET /stream HTTP/1.0\r\nUser-Agent: Mozilla/5.0 (X) Chrome/150.0.0.0\r\nAccept: image/*\r\n\r\n";
        tcp.write_all(chrome).expect("writes");
        let mut bytes = vec![0; 1 << 20];
        let (mut len, mut frames) = (0, 0);
        while frames <= FRAMES {
            len += tcp.read(&mut bytes[len..]).expect("it goes on");
            frames = bytes[..len].windows(9).filter(|part| part == b"--frame\r\n").count();
        }
    };
    let Some(trace) = trace_while(watch, 1, &["--source", "test:320x180@50"]) else { return };
    let writes: Vec<&str> = trace.lines().filter(|line| line.contains("writev(")).collect();
    assert!(writes.len() >= FRAMES, "{} writes", writes.len());
    for line in &writes[1..FRAMES] {
        let head = "\\r\\n--frame\\r\\nContent-Type: image/jpeg\\r\\n\\r\\n";
        assert!(line.contains(head), "{line}");
    }
}
