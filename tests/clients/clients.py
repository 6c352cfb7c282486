#!/usr/bin/env python3
"""clients.py LANCAM FOLDER CLIENT...: programs that people watch with, through an unplugged camera and a restart of lancam.

All named clients watch one lancam at the same time. Its camera is a pipe. First the pipe stops for 35 s and continues; then lancam is
stopped for 3 s. Each time all clients must show moving pictures again by themselves. Prints one line for each client; exits with 1 if one
fails. A client that cannot be installed here is skipped with the reason. FOLDER keeps what is installed from PyPI between runs.

clients.py --keys LANCAM FOLDER CLIENT...: the same programs before a camera that wants a key. Each is told a wrong one and none first. It
must say so and show no picture. Then it gets the right one, and must show pictures.
"""
import os, shutil, signal, socket, subprocess, sys, tempfile, threading, time, urllib.request
sys.dont_write_bytecode = True  # into the sources
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

AWAY = float(os.environ.get("CLIENTS_AWAY", 35))      # longer than OpenCV waits, and everybody but nginx
STOPPED = 3.0
PATIENCE = 60.0  # for pictures again; more than any client's own waiting
FPS = 12
WIDTH, HEIGHT = 640, 360
# Notices come about every 4 s, twice each. Faster pictures are the camera's.
MOVES = 8        # pictures
WITHIN = 3.0     # seconds


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def jpegs(lancam):
    """One or two seconds of the test pattern, as JPEGs."""
    port = free_port()
    process = subprocess.Popen([lancam, "--source", f"test:{WIDTH}x{HEIGHT}@{FPS}", "--listen", f"127.0.0.1:{port}"],
                               env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for("lancam", lambda: answers(port))
        pictures = []
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/stream", timeout=20) as stream:
            while len(pictures) < 2 * FPS:
                while not (line := stream.readline()).startswith(b"Content-Length"):
                    pass
                while stream.readline().strip():
                    pass
                pictures.append(stream.read(int(line.split(b":")[1])))
        return pictures
    finally:
        process.kill()
        process.wait()


def environment():
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LANCAM_")}
    return kept | {"LANCAM_ANNOUNCE": "off", "LANCAM_CONFIG": ""}


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
        return True
    except OSError:
        return False


def wait_for(what, condition, patience=30.0):
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.1)
    raise Failure(f"{what}: not within {patience:.0f} s")


class Failure(Exception):
    pass


class Skip(Exception):
    pass


class KeyedCamera:
    """lancam that wants a key, at this machine's own address. camera.pem in its folder is its certificate."""

    def __init__(self, lancam):
        self.folder, self.port = tempfile.mkdtemp(prefix="keyed-"), free_port()
        state, env = os.path.join(self.folder, "state"), environment()
        self.process = subprocess.Popen(
            [lancam, "--source", f"test:{WIDTH}x{HEIGHT}@{FPS}", "--listen", f"0.0.0.0:{self.port}", "--name", "Garage",
             "--access", "keys", "--state", state], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("lancam", lambda: answers(self.port))
        made = subprocess.run([lancam, "pair", "--name", "HA", "--state", state], env=env, check=True, capture_output=True, text=True)
        self.key = next(line.split()[1] for line in made.stdout.splitlines() if line.startswith("key "))
        with open(os.path.join(state, "code")) as file:
            self.code = file.readline().strip()
        end = "-----END CERTIFICATE-----\n"
        with open(os.path.join(state, "identity")) as identity, open(os.path.join(self.folder, "camera.pem"), "w") as file:
            file.write(identity.read().split(end)[0] + end)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:  # which sends nothing
            probe.connect(("192.0.2.1", 9))
            self.address = probe.getsockname()[0]

    def end(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)


class Camera:
    """lancam, and a camera at its standard input that can be unplugged."""

    def __init__(self, lancam):
        self.lancam, self.port, self.pictures = lancam, free_port(), jpegs(lancam)
        self.plugged = threading.Event()
        self.plugged.set()
        self.ends = False
        self.process = None
        self.start()
        threading.Thread(target=self.feed, daemon=True).start()

    def start(self):
        self.process = subprocess.Popen(
            [self.lancam, "--source", "-", "--listen", f"127.0.0.1:{self.port}", "--name", "Garage"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
        wait_for("lancam", lambda: answers(self.port))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)

    def feed(self):
        count = 0
        while not self.ends:
            self.plugged.wait()
            count += 1
            try:
                self.process.stdin.write(self.pictures[count % len(self.pictures)])
                self.process.stdin.flush()
            except (OSError, ValueError):
                pass
            time.sleep(1 / FPS)

    def end(self):
        self.ends = True
        self.plugged.set()
        self.process.kill()
        self.process.wait()


class Client:
    """A program that watches, and the number of pictures it has shown."""

    def __init__(self, name, camera, tools, url):
        self.name, self.camera, self.tools, self.url = name, camera, tools, url
        self.folder = tempfile.mkdtemp(prefix=f"{name}-")
        self.processes, self.count, self.ends = [], 0, False
        self.by_hand = None  # what docs/INTEGRATIONS.md says that one has to do after a restart of lancam

    def run(self, *command, **more):
        log = open(os.path.join(self.folder, "log"), "ab")
        more = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, "cwd": self.folder,
                "start_new_session": True} | more
        process = subprocess.Popen([str(part) for part in command], **more)
        self.processes.append(process)
        return process

    def read_pictures(self, stream, size):
        """Counts raw pictures of `size` bytes."""
        def read():
            while stream.read(size):
                self.count += 1
        threading.Thread(target=read, daemon=True).start()

    def thread(self, function):
        def run():
            while not self.ends:
                try:
                    function()
                except Exception as error:  # tried again, as such programs do
                    with open(os.path.join(self.folder, "log"), "a") as log:
                        print(repr(error), file=log)
                    time.sleep(1)
        threading.Thread(target=run, daemon=True).start()

    def moves(self):
        before = self.count
        time.sleep(WITHIN)
        return self.count - before >= MOVES

    def end(self):
        self.ends = True
        for process in self.processes:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()

    def log(self):
        try:
            with open(os.path.join(self.folder, "log"), errors="replace") as log:
                return " | ".join(log.read().strip().splitlines()[-4:])[-400:]
        except OSError:
            return ""


def drill(lancam, tools, table, names):
    camera = Camera(lancam)
    clients, failed, skipped = [], [], []
    try:
        for name in names:
            client = Client(name, camera, tools, f"http://127.0.0.1:{camera.port}")
            clients.append(client)
            try:
                table[name](client)
            except Skip as why:
                skipped.append(name)
                print(f"skipped: {name}: {why}", flush=True)
                client.end()
                clients.remove(client)
        steps = [("at first", lambda: None), ("after an unplugging", lambda: unplug(camera)), ("after a restart", lambda: restart(camera))]
        for when, step in steps:
            step()
            start = time.monotonic()
            waiting = list(clients)
            for client in [one for one in clients if one.by_hand and when == "after a restart"]:
                time.sleep(WITHIN)
                client.by_hand()
            while waiting and time.monotonic() - start < PATIENCE * (2 if when == "at first" else 1):
                results = {}
                threads = [threading.Thread(target=lambda one=one: results.update({one: one.moves()})) for one in waiting]
                [thread.start() for thread in threads]
                [thread.join() for thread in threads]
                for client in [client for client in waiting if results.get(client)]:
                    waiting.remove(client)
                    print(f"{client.name}: pictures {when}, {time.monotonic() - start:.0f} s", flush=True)
            for client in waiting:
                failed.append(client.name)
                print(f"{client.name}: NO pictures {when}: {client.log()}", flush=True)
                client.end()
                clients.remove(client)
    finally:
        for client in clients:
            client.end()
        camera.end()
    return 1 if failed else 0


def with_keys(lancam, tools, table, names):
    camera, failed = KeyedCamera(lancam), False
    try:
        for name in names:
            client = Client(name, camera, tools, f"https://{camera.address}:{camera.port}")
            try:
                words = table[name](client, "A" * 43, camera.key)
                print(f"{name}: with a wrong key and with none: {words}", flush=True)
                wait_for(f"{name}: pictures", client.moves, PATIENCE)
                print(f"{name}: pictures with the right key", flush=True)
            except Skip as why:
                print(f"skipped: {name}: {why}", flush=True)
            except Failure as why:
                failed = True
                print(f"{name}: FAILED: {why}: {client.log()}", flush=True)
            finally:
                client.end()
    finally:
        camera.end()
    return 1 if failed else 0


def unplug(camera):
    camera.plugged.clear()
    time.sleep(AWAY)
    camera.plugged.set()


def restart(camera):
    camera.stop()
    time.sleep(STOPPED)
    camera.start()


def main():
    import table
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    of_keys = sys.argv[1] == "--keys"
    run, known = (with_keys, table.WITH_KEYS) if of_keys else (drill, table.CLIENTS)
    lancam, folder, *names = sys.argv[2 if of_keys else 1:]
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"unknown: {unknown}; there are {sorted(known)}")
    os.makedirs(folder, exist_ok=True)
    # A signal to end must end the clients first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(run(os.path.abspath(lancam), os.path.abspath(folder), known, names))


if __name__ == "__main__":
    import clients  # so that the table and this file mean the same exceptions
    clients.main()
