#!/usr/bin/env python3
"""first-picture.py MACHINE CARD [KERNEL-ARGUMENT...]: boots CARD as qemu.sh does, and says when, after power-on, what was there:
the kernel, the initramfs, systemd, lancam as ready, networkd, and the first JPEG of the live picture, over HTTP, on this side of the machine's network. CARD is written to:
the second call is a second boot. Also says how much of this machine's CPU that took, which depends less on what else it does."""
import http.client, os, queue, socket, subprocess, sys, threading, time

LIMIT = 300.0
STAGES = {b"Booting Linux": "kernel", b"lancam: initramfs": "initramfs", b"running in system mode": "systemd",
          b"Started lancam.service": "service", b"Started systemd-networkd.service": "network"}


def free_port():
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return chosen.getsockname()[1]


def ask(port, answers):
    """Puts the size of a JPEG into `answers`, or nothing. (/snapshot would wait until the camera has measured the light.)"""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/stream")
        reply = connection.getresponse()
        while reply.readline().strip():
            pass
        body = b""
        while b"\xff\xd9" not in body and (more := reply.read1()):
            body += more
        if reply.status == 200 and body.startswith(b"\xff\xd8"):
            answers.put(body.index(b"\xff\xd9") + 2)
    except (OSError, http.client.HTTPException):
        pass


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    port = free_port()
    # One capture node, as cameras have.
    more = ["modules_load=vivid", "vivid.node_types=1", "systemd.log_target=kmsg", "loglevel=7"]
    start = time.monotonic()
    pi = subprocess.Popen([f"{here}/qemu.sh", *sys.argv[1:3], *more, *sys.argv[3:]], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, env={**os.environ, "LANCAM_FORWARD": f"{port}:8080"})
    console, answers = [], queue.Queue()

    def read_console():
        waiting = dict(STAGES)
        for line in pi.stdout:
            console.append(line)
            for mark in [mark for mark in waiting if mark in line]:
                print(f"{time.monotonic() - start:6.2f} s  {waiting.pop(mark)}", flush=True)

    threading.Thread(target=read_console, daemon=True).start()
    try:
        while pi.poll() is None and time.monotonic() - start < LIMIT:
            # QEMU accepts a connection before the guest has a network, and then retries it less and less often. So open a
            # new one soon.
            threading.Thread(target=ask, args=(port, answers), daemon=True).start()
            try:
                size = answers.get(timeout=0.5)
            except queue.Empty:
                continue
            took = time.monotonic() - start
            print(f"{took:6.2f} s  first JPEG, {size} bytes; {cpu_seconds(pi.pid):.2f} s of CPU")
            return 0
        print("no picture; the console's last lines:")
        sys.stdout.flush()
        sys.stdout.buffer.write(b"".join(console[-40:]))
        return 1
    finally:
        pi.kill()
        pi.wait()


if __name__ == "__main__":
    sys.exit(main())
