#!/usr/bin/env python3
"""compare.py LANCAM CAMERA: lancam, ustreamer and motion in turn on the same camera, and what each costs and delays.

Each serves MJPEG over HTTP to one reader on this machine, at the same size, rate, format and JPEG quality. compare.py changes the camera's
brightness now and then. The time until a picture that shows the change has arrived is the age. One reader takes everything at once, another
takes 5 Mbit/s (--slow). A dash means: not measured. Needs the right to set the camera's brightness, and djpeg.
"""
import argparse, fcntl, os, random, signal, socket, statistics, struct, subprocess, sys, tempfile, threading, time

VIDIOC_S_CTRL, VIDIOC_G_CTRL, VIDIOC_QUERYCTRL = 0xC008561C, 0xC008561B, 0xC0445624
BRIGHTNESS = 0x00980900
PATIENCE = 240.0


class Camera:
    """The camera's brightness control, whose changes are visible in the picture."""

    def __init__(self, node):
        self.file = os.open(node, os.O_RDWR | os.O_NONBLOCK)
        query = fcntl.ioctl(self.file, VIDIOC_QUERYCTRL, struct.pack("=II32siiiiI2I", BRIGHTNESS, 0, b"", 0, 0, 0, 0, 0, 0, 0))
        low, high = struct.unpack_from("=ii", query, 40)
        self.levels = low + (high - low) // 4, high - (high - low) // 4
        self.before = struct.unpack("=Ii", fcntl.ioctl(self.file, VIDIOC_G_CTRL, struct.pack("=Ii", BRIGHTNESS, 0)))[1]

    def set(self, value):
        fcntl.ioctl(self.file, VIDIOC_S_CTRL, struct.pack("=Ii", BRIGHTNESS, value))


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def lancam(options, port, folder):
    return [options.lancam, "--source", options.camera, "--size", options.size, "--fps", str(options.fps), "--format", "YUYV",
            "--quality", str(options.quality), "--listen", f"127.0.0.1:{port}", "--announce", "off", "-q"], "/stream"


def ustreamer(options, port, folder):
    return ["ustreamer", "--device", options.camera, "--resolution", options.size, "--desired-fps", str(options.fps),
            "--format", "YUYV", "--quality", str(options.quality), "--encoder", "CPU", "--host", "127.0.0.1",
            "--port", str(port), "--log-level", "0"], "/stream"


def motion(options, port, folder):
    width, height = options.size.split("x")
    file = os.path.join(folder, "motion.conf")
    with open(file, "w") as out:
        # Switch off everything else it can do: detection, files, text over the picture.
        out.write(f"""daemon off
log_level 4
log_file {folder}/log
target_dir {folder}
video_device {options.camera}
video_params palette=15
width {width}
height {height}
framerate {options.fps}
pause on
emulate_motion off
picture_output off
movie_output off
text_left
text_right
text_changes off
locate_motion_mode off
webcontrol_port 0
stream_port {port}
stream_localhost on
stream_quality {options.quality}
stream_maxrate {max(1, round(options.fps))}
""")
    return ["motion", "-c", file], "/"


PROGRAMS = {"lancam": lancam, "ustreamer": ustreamer, "motion": motion}


class Reader(threading.Thread):
    """Reads a multipart stream, at a rate or without a limit. Remembers each picture and when its last byte arrived."""

    def __init__(self, port, path, rate):
        super().__init__(daemon=True)
        self.port, self.path, self.rate = port, path, rate
        self.pictures, self.error, self.ends = [], None, False

    def run(self):
        try:
            self.read()
        except (OSError, ValueError) as error:
            self.error = error

    def read(self):
        with socket.socket() as tcp:
            if self.rate:
                tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            tcp.settimeout(PATIENCE)
            tcp.connect(("127.0.0.1", self.port))
            tcp.sendall(f"GET {self.path} HTTP/1.0\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode())
            came, held, begun, taken = b"", b"", time.monotonic(), 0
            head = None
            while not self.ends:
                some = tcp.recv(2048 if self.rate else 1 << 20)
                if not some:
                    raise ValueError("the stream ended")
                if self.rate:
                    taken += len(some)
                    early = begun + taken / self.rate - time.monotonic()
                    if early > 0:
                        time.sleep(early)
                    else:
                        begun, taken = time.monotonic(), 0
                came += some
                if head is None:
                    if b"\r\n\r\n" not in came:
                        continue
                    head, came = came.split(b"\r\n\r\n", 1)
                if b"chunked" in head.lower():
                    content, came = unchunked(came)
                else:
                    content, came = came, b""
                held = self.keep(held + content)

    def keep(self, held):
        """Takes whole pictures out of `held`, by the lengths before them. Returns the rest."""
        while True:
            at = held.lower().find(b"content-length:")
            end = held.find(b"\r\n\r\n", max(at, 0))
            if at < 0 or end < 0:
                return held
            length = int(held[at + 15:held.find(b"\r\n", at)])
            if len(held) < end + 4 + length:
                return held
            self.pictures.append((time.monotonic(), held[end + 4:end + 4 + length]))
            held = held[end + 4 + length:]


def unchunked(came):
    """The content of whole chunks, and the part of the next one that has arrived."""
    content = b""
    while (end := came.find(b"\r\n")) >= 0:
        length = int(came[:end], 16)
        if len(came) < end + 4 + length:
            break
        content += came[end + 2:end + 2 + length]
        came = came[end + 4 + length:]
    return content, came


def brightness(jpeg):
    """The mean grey value of a picture."""
    made = subprocess.run(["djpeg", "-grayscale", "-scale", "1/8", "-pnm"], input=jpeg, stdout=subprocess.PIPE, check=True)
    pixels = made.stdout.split(b"\n", 3)[3]
    return sum(pixels) / len(pixels)


def usage(pid):
    """CPU seconds and proportional memory (PSS) in bytes of a process and all its children."""
    ticks, memory = 0, 0
    for process in [pid] + children(pid):
        with open(f"/proc/{process}/stat") as file:
            fields = file.read().rsplit(") ", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
        with open(f"/proc/{process}/smaps_rollup") as file:
            memory += sum(int(line.split()[1]) for line in file if line.startswith("Pss:")) * 1024
    return ticks / os.sysconf("SC_CLK_TCK"), memory


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def wait_for(what, condition, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {patience:.0f} s")
        time.sleep(0.05)
    return found


def ages(reader, changes):
    """For each change, the time until a picture showed it. Found by bisection, because all later pictures show it too."""
    found = []
    for (at, value, other), (until, *_) in zip(changes, changes[1:]):
        between = [picture for picture in reader.pictures if at < picture[0] <= until]
        if len(between) < 2:
            continue
        first, last = brightness(between[0][1]), brightness(between[-1][1])
        # The last picture before the next change must show this change.
        if abs(last - first) < 10 or (last > first) != (value > other):
            continue
        low, high = 0, len(between) - 1
        while high - low > 1:
            middle = (low + high) // 2
            shows = abs(brightness(between[middle][1]) - last) < abs(brightness(between[middle][1]) - first)
            low, high = (low, middle) if shows else (middle, high)
        found.append(between[high][0] - at)
    return found


def started(port, path, rate):
    """A reader with a first picture. None if the program has no picture yet and ends the stream."""
    reader = Reader(port, path, rate)
    reader.start()
    wait_for("a picture", lambda: reader.pictures or reader.error)
    return reader if reader.pictures else None


def watch(options, camera, pid, port, path, rate):
    """Runs one reader for a while, changing the brightness. Returns its figures."""
    reader = wait_for("a picture", lambda: started(port, path, rate))
    # Data piles up at a slow reader only after a while.
    time.sleep(options.seconds / 4)
    began, (cpu, _), count = time.monotonic(), usage(pid), len(reader.pictures)
    changes, pause = [], options.pause * (4 if rate else 1)
    while time.monotonic() - began < options.seconds:
        value, other = camera.levels if len(changes) % 2 else camera.levels[::-1]
        camera.set(value)
        changes.append((time.monotonic(), value, other))
        time.sleep(pause * random.uniform(0.9, 1.3))
    changes.append((time.monotonic(), 0, 0))
    took, (cpu_after, memory) = time.monotonic() - began, usage(pid)
    reader.ends = True
    reader.join(PATIENCE)
    if reader.error:
        raise reader.error
    pictures = [jpeg for at, jpeg in reader.pictures[count:]]
    found = sorted(ages(reader, changes))
    return {"cpu": (cpu_after - cpu) / took, "memory": memory, "fps": len(pictures) / took,
            "bytes": sum(map(len, pictures)) / max(1, len(pictures)), "ages": found, "changes": len(changes) - 1}


def measure(options, camera, name):
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        command, path = PROGRAMS[name](options, port, folder)
        log = open(os.path.join(folder, "log"), "w+")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   env={**os.environ, "LANCAM_CONFIG": ""})
        try:
            wait_for(f"{name} listens", lambda: answers(port) or process.poll() is not None)
            if process.poll() is not None:
                raise ValueError("it has ended")
            fast = watch(options, camera, process.pid, port, path, None)
            slow = watch(options, camera, process.pid, port, path, options.slow * 1e6 / 8) if options.slow else None
            return fast, slow
        except (OSError, TimeoutError, ValueError) as error:
            log.seek(0)
            print(f"{name}: not measured: {error}: {log.read()[-300:].strip()}", file=sys.stderr)
            return None
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
        return True
    except OSError:
        return False


def milliseconds(found, at):
    if len(found) < 4:
        return "–"
    value = statistics.median(found) if at == 50 else found[min(len(found) - 1, round(len(found) * at / 100))]
    return f"{value * 1000:.0f} ms"


def row(name, results):
    fast, slow = [r[0] for r in results], [r[1] for r in results]
    mean = lambda runs, key: statistics.mean(run[key] for run in runs)
    pool = lambda runs: sorted(age for run in runs for age in run["ages"])
    reader = lambda runs: [f"{mean(runs, 'fps'):.1f}", milliseconds(pool(runs), 50), milliseconds(pool(runs), 95)]
    cost = mean(fast, "cpu") / max(0.01, mean(fast, "fps"))
    return [name, f"{mean(fast, 'cpu') * 100:.0f} %", f"{cost * 1000:.1f} ms", f"{mean(fast, 'memory') / 1e6:.1f} MB",
            f"{mean(fast, 'bytes') / 1e3:.0f} kB"] + reader(fast) + (reader(slow) if slow[0] else [])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("lancam")
    parser.add_argument("camera")
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--fps", type=float, default=15)
    parser.add_argument("--quality", type=int, default=80)
    parser.add_argument("--slow", type=float, default=5, help="Mbit/s of the slow reader; 0 leaves it out")
    parser.add_argument("--seconds", type=float, default=20, help="for each reader of each program in each round")
    parser.add_argument("--pause", type=float, default=1.0, help="between two changes; four times as long for the slow reader")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    options.fps = int(options.fps) if options.fps == int(options.fps) else options.fps
    try:
        camera = Camera(options.camera)
    except OSError as error:
        sys.exit(f"{options.camera}: its brightness cannot be set ({error}): no ages without that")
    results = {name: [] for name in PROGRAMS}
    try:
        # In turns, so that other load on the machine affects all alike.
        for _ in range(options.rounds):
            for name in PROGRAMS:
                result = measure(options, camera, name)
                results[name] += [result] if result else []
    finally:
        camera.set(camera.before)
    print(f"{options.size} YUYV, {options.fps} fps asked for, quality {options.quality}, {options.rounds} rounds of {options.seconds:.0f} s for each reader")
    heads = ["", "CPU", "a frame", "memory", "a picture", "fps", "age, half", "95 of 100"]
    heads += [f"{options.slow:g} Mbit/s: fps", "age, half", "95 of 100"] if options.slow else []
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for name, found in results.items():
        print("| " + " | ".join(row(name, found) if found else [name] + ["–"] * (len(heads) - 1)) + " |")


if __name__ == "__main__":
    main()
