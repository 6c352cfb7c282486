"""The programs of clients.py: how each is installed, started and checked for pictures. docs/INTEGRATIONS.md has the same lines."""
import base64, hashlib, http.client, json, os, shutil, ssl, subprocess, threading, time, urllib.parse, urllib.request
from clients import HEIGHT, WIDTH, WITHIN, Failure, Skip, answers, free_port, wait_for

CLIENTS = {}
# Each is called with a wrong key and the right one. It returns the words for the wrong one and for none, and goes on with the
# right one.
WITH_KEYS = {}


def client(function):
    CLIENTS[function.__name__] = function
    return function


def client_with_keys(function):
    WITH_KEYS[function.__name__] = function
    return function


DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/INTEGRATIONS.md")


def code_in_row(client, program):
    """What is to be copied from this row of docs/INTEGRATIONS.md, for this camera; KEY is still to be filled in."""
    with open(DOCUMENT) as document:
        row = next(line for line in document if line.startswith(f"| {program} |"))
    camera = client.url.removeprefix("https://")
    return [code.replace("CAMERA:8080", camera) for code in row.split("`")[1::2]]


def need(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        raise Skip(f"{', '.join(missing)} is not installed")


def runs(python):
    """Whether the program runs. A version manager may have only a placeholder under its name."""
    return bool(shutil.which(python)) and not subprocess.run([python, "-c", ""], stderr=subprocess.DEVNULL).returncode


def python_with(client, name, packages, check, python="python3"):
    """A separate Python with these packages from PyPI."""
    folder = os.path.join(client.tools, name)
    program = os.path.join(folder, "bin/python")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    if subprocess.run([program, "-c", check], **quiet).returncode if os.path.exists(program) else True:
        need(python)
        subprocess.run([python, "-m", "venv", folder], check=True, **quiet)
        install = [program, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
        done = subprocess.run(install, **quiet)
        if done.returncode:
            raise Skip(f"{' '.join(packages)} cannot be had: {done.stderr.decode().strip()[-200:]}")
    return program


# Programs that decode.

# Reconnects after the end of a stream, a refusal, and while nothing listens.
RECONNECT = ["-reconnect", "1", "-reconnect_streamed", "1", "-reconnect_at_eof", "1", "-reconnect_on_network_error", "1",
             "-reconnect_on_http_error", "5xx", "-reconnect_delay_max", "60"]


PICTURES = ["-fps_mode", "passthrough", "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1"]


@client
def ffmpeg(client):
    need("ffmpeg")
    process = client.run("ffmpeg", "-nostdin", "-v", "error", *RECONNECT, "-use_wallclock_as_timestamps", "1",
                         "-i", client.url + "/stream", *PICTURES, stdout=subprocess.PIPE)
    client.read_pictures(process.stdout, WIDTH * HEIGHT)


@client
def gstreamer(client):
    need("gst-launch-1.0")
    line = (f"while sleep 1; do gst-launch-1.0 -q souphttpsrc location={client.url}/stream ! multipartdemux ! jpegdec ! videoconvert"
            " ! videoscale ! video/x-raw,format=GRAY8,width=640,height=360 ! fdsink fd=1 sync=false; done")
    process = client.run("sh", "-c", line, stdout=subprocess.PIPE)
    client.read_pictures(process.stdout, WIDTH * HEIGHT)


OPENCV = """
import cv2, sys, time
while True:
    camera = cv2.VideoCapture(sys.argv[1])
    while camera.read()[0]:
        print(end=".", flush=True)
    time.sleep(1)
"""


@client
def opencv(client):
    python = python_with(client, "opencv", ["opencv-python-headless"], "import cv2")
    process = client.run(python, "-c", OPENCV, client.url + "/stream", stdout=subprocess.PIPE)
    client.read_pictures(process.stdout, 1)


OPENCV_ONCE = """
import cv2
capture = LINE
while capture.read()[0]:
    print(end="#", flush=True)
"""


@client_with_keys
def opencv_with_a_key(client, wrong, right):
    """By the line of docs/INTEGRATIONS.md, and so that it knows the camera."""
    python = python_with(client, "opencv", ["opencv-python-headless"], "import cv2")
    pem = os.path.join(client.camera.folder, "camera.pem")
    knows = os.environ | {"OPENCV_FFMPEG_CAPTURE_OPTIONS": f"tls_verify;1|ca_file;{pem}", "OPENCV_FFMPEG_LOGLEVEL": "24"}

    line = code_in_row(client, "OpenCV (Python) with a key")[0]

    def script(query):
        return OPENCV_ONCE.replace("LINE", line.replace("?key=KEY", query))
    words = []
    for query in (f"?key={wrong}", ""):
        refused = subprocess.run([python, "-c", script(query)], capture_output=True, text=True, timeout=60, env=knows)
        if "#" in refused.stdout or "401" not in refused.stdout:
            raise Failure(f"OpenCV gets pictures without the right key: {query}: {refused}")
        words.append(refused.stdout.strip())
    process = client.run(python, "-c", script(f"?key={right}"), stdout=subprocess.PIPE, env=knows)
    client.read_pictures(process.stdout, 1)
    return ", ".join(words)


PYAV = """
import av, sys, time
while True:
    try:
        with av.open(sys.argv[1], timeout=None) as camera:
            for picture in camera.decode(video=0):
                print(end=".", flush=True)
    except av.FFmpegError as error:
        print(error, file=sys.stderr)
    time.sleep(1)
"""


@client
def pyav(client):
    python = python_with(client, "pyav", ["av"], "import av")
    process = client.run(python, "-c", PYAV, client.url + "/stream", stdout=subprocess.PIPE)
    client.read_pictures(process.stdout, 1)


# Programs that show: each on a screen of its own, whose changes are counted.

def screen(client, width=WIDTH, height=HEIGHT, part=None):
    """Watches the whole screen, or a part of it: left, top, width, height."""
    need("Xvfb", "ffmpeg")
    left, top, wide, high = part or (0, 0, width, height)
    ends = os.pipe()
    client.run("Xvfb", "-displayfd", ends[1], "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", pass_fds=[ends[1]])
    os.close(ends[1])
    display = ":" + os.fdopen(ends[0]).readline().strip()
    grab = client.run("ffmpeg", "-nostdin", "-v", "error", "-f", "x11grab", "-draw_mouse", "0", "-framerate", "8",
                      "-video_size", f"{wide}x{high}", "-i", f"{display}+{left},{top}",
                      "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1", stdout=subprocess.PIPE)

    def look():
        last = None
        while picture := grab.stdout.read(wide * high):
            seen = hashlib.sha1(picture).digest()
            client.count += seen != last
            last = seen
    threading.Thread(target=look, daemon=True).start()
    return {"DISPLAY": display, "HOME": client.folder, "PATH": os.environ["PATH"]}


@client
def mpv(client):
    need("mpv")
    client.run("mpv", "--profile=low-latency", "--untimed", "--loop-playlist=force", "--no-osc", "--fs", client.url + "/stream",
               env=screen(client))


@client
def vlc(client):
    need("cvlc")
    command = ["cvlc", "--vout", "xcb_x11", "--repeat", "--network-caching=100", "--no-video-title-show", client.url + "/stream"]
    env = screen(client)
    if os.getuid() == 0:  # VLC will not be run by root
        os.chmod(client.folder, 0o777)
        command = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command]
    client.run(*command, env=env)


@client
def chromium(client):
    need("chromium")
    client.run("chromium", "--no-sandbox", "--disable-gpu", "--no-first-run", "--kiosk", f"--user-data-dir={client.folder}/profile",
               client.url + "/", env=screen(client))


@client
def firefox(client):
    need("firefox-esr")
    profile = os.path.join(client.folder, "profile")
    os.mkdir(profile)
    client.run("firefox-esr", "--no-remote", "--profile", profile, "--kiosk", client.url + "/", env=screen(client))


@client_with_keys
def firefox_with_a_code(client, wrong, right):
    """A person has accepted the certificate, and types codes on the login page."""
    need("firefox-esr", "xdotool")
    profile = os.path.join(client.folder, "profile")
    os.mkdir(profile)
    with open(os.path.join(client.camera.folder, "camera.pem")) as file:
        pin = hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read())).hexdigest().upper()
    fingerprint = ":".join(pin[at:at + 2] for at in range(0, len(pin), 2))
    written(client, "profile/cert_override.txt",
            f"{client.url.removeprefix('https://')}:\tOID.2.16.840.1.101.3.4.2.1\t{fingerprint}\t\n")
    env = screen(client)
    client.run("firefox-esr", "--no-remote", "--profile", profile, "--kiosk", client.url + "/", env=env)
    refused = 'lancam_connections_refused_total{reason="wrong_code"} '

    def count():
        request = urllib.request.Request(f"{client.url}/metrics?key={right}")
        text = urllib.request.urlopen(request, timeout=10, context=ssl._create_unverified_context()).read().decode()
        return int(text.split(refused)[1].split()[0])

    def types(code):
        subprocess.run(["xdotool", "type", code], env=env, check=True)
        subprocess.run(["xdotool", "key", "Return"], env=env, check=True)
        time.sleep(2)

    def has_tried():
        types("000000000000")
        return count()
    wait_for("a wrong code", has_tried, 120)
    if client.moves():
        raise Failure("Firefox shows pictures after a wrong code")
    types(client.camera.code)
    return "the login page"


@client
def webkit(client):
    need("surf")
    client.run("surf", "-F", client.url + "/", env=screen(client) | {"WEBKIT_DISABLE_COMPOSITING_MODE": "1"})


# Proxies: ffmpeg watches through them.

def proxied(client, port, path):
    """A loop, because ffmpeg does not reconnect after a chunked stream of a proxy has ended."""
    need("ffmpeg")
    wait_for("the proxy", lambda: answers(port))
    line = f"while sleep 1; do ffmpeg -nostdin -v error -i 'http://127.0.0.1:{port}{path}' {' '.join(PICTURES)}; done"
    process = client.run("sh", "-c", line, stdout=subprocess.PIPE)
    client.read_pictures(process.stdout, WIDTH * HEIGHT)


def written(client, name, text):
    path = os.path.join(client.folder, name)
    with open(path, "w") as file:
        file.write(text)
    return path


def nginx_of_a_printer(client, moonraker=None):
    """nginx with the configuration of MainsailOS, KIAUH and FluiddPI. Returns its port."""
    need("nginx")
    port = free_port()
    conf = written(client, "nginx.conf", f"""
daemon off; pid {client.folder}/pid; error_log stderr; worker_processes 1;
events {{}}
http {{
    access_log off;
    client_body_temp_path {client.folder}; proxy_temp_path {client.folder}; fastcgi_temp_path {client.folder};
    uwsgi_temp_path {client.folder}; scgi_temp_path {client.folder};
    upstream apiserver {{ ip_hash; server 127.0.0.1:{moonraker or 7125}; }}
    upstream mjpgstreamer1 {{ ip_hash; server 127.0.0.1:{client.camera.port}; }}
    server {{
        listen 127.0.0.1:{port};
        gzip on;
        gzip_proxied expired no-cache no-store private auth;
        client_max_body_size 0;
        proxy_request_buffering off;
        location ~ ^/(printer|api|access|machine|server)/ {{
            proxy_pass http://apiserver$request_uri;
            proxy_set_header Host $http_host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Scheme $scheme;
        }}
        location /webcam/ {{
            postpone_output 0;
            proxy_buffering off;
            proxy_ignore_headers X-Accel-Buffering;
            access_log off;
            error_log off;
            proxy_pass http://mjpgstreamer1/;
        }}
        location /webcam2/ {{ proxy_pass http://mjpgstreamer1/; }}
    }}
}}
""")
    os.chmod(client.folder, 0o777)
    client.run("nginx", "-c", conf)
    wait_for("nginx", lambda: answers(port))
    return port


@client
def nginx(client):
    proxied(client, nginx_of_a_printer(client), "/webcam/?action=stream")


@client
def nginx_plain(client):
    """The same with the one line of older configurations."""
    proxied(client, nginx_of_a_printer(client), "/webcam2/?action=stream")


@client
def caddy(client):
    need("caddy")
    port = free_port()
    file = written(client, "Caddyfile", f"""
{{
    admin off
    auto_https off
}}
http://127.0.0.1:{port} {{
    handle_path /webcam/* {{
        reverse_proxy 127.0.0.1:{client.camera.port} {{
            header_up Host {{upstream_hostport}}
        }}
    }}
}}
""")
    client.run("caddy", "run", "--config", file, "--adapter", "caddyfile", env={"HOME": client.folder, "PATH": os.environ["PATH"]})
    proxied(client, port, "/webcam/stream")


@client
def haproxy(client):
    need("haproxy")
    port = free_port()
    file = written(client, "haproxy.cfg", f"""
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend all
    bind 127.0.0.1:{port}
    default_backend camera
backend camera
    http-request replace-path /webcam/(.*) /\\1
    http-request set-header Host 127.0.0.1
    option httpchk GET /healthz
    server pi 127.0.0.1:{client.camera.port}
""")
    client.run("haproxy", "-db", "-f", file)
    proxied(client, port, "/webcam/stream")


# Programs that watch by themselves.

@client
def motion(client):
    need("motion")
    port = free_port()
    conf = written(client, "motion.conf", f"""
daemon off
log_level 5
target_dir {client.folder}
width {WIDTH}
height {HEIGHT}
framerate 12
netcam_url {client.url}/stream
picture_output off
movie_output off
text_right
webcontrol_port 0
stream_port {port}
stream_localhost on
stream_maxrate 12
""")
    client.run("motion", "-n", "-c", conf)
    distinct(client, f"http://127.0.0.1:{port}/")


def distinct(client, url, headers={}):
    """Counts the different pictures of a multipart stream. Opens the stream again when it ends."""
    def read():
        last = None
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as stream:
            while line := stream.readline():
                if line.lower().startswith(b"content-length"):
                    while stream.readline().strip():
                        pass
                    picture = hashlib.sha1(stream.read(int(line.split(b":")[1]))).digest()
                    client.count += picture != last
                    last = picture
    client.thread(read)


def prometheus_with(client, name, job):
    """Prometheus with this camera. Returns a function that asks it."""
    port = free_port()
    conf = written(client, f"{name}.yml", f"""
global: {{scrape_interval: 1s}}
scrape_configs:
- job_name: camera
{job}
""")
    client.run("prometheus", f"--config.file={conf}", f"--storage.tsdb.path={client.folder}/{name}",
               f"--web.listen-address=127.0.0.1:{port}")
    wait_for("Prometheus", lambda: answers(port))
    return lambda path: json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}", timeout=10))["data"]


def rises(ask):
    """Whether frames are counted."""
    try:
        return bool(ask("query?query=rate(lancam_capture_frames_total[10s])%3E4%20and%20up%3D%3D1")["result"])
    except OSError:
        time.sleep(1)
        return False


@client
def prometheus(client):
    need("prometheus", "promtool")
    metrics = urllib.request.urlopen(client.url + "/metrics", timeout=10).read()
    check = subprocess.run(["promtool", "check", "metrics"], input=metrics, capture_output=True)
    if check.returncode or check.stdout or check.stderr:
        raise Failure(f"promtool: {check.stdout} {check.stderr}")
    ask = prometheus_with(client, "prometheus", f"""
  static_configs: [{{targets: ["127.0.0.1:{client.camera.port}"]}}]
""")
    client.moves = lambda: rises(ask)


@client_with_keys
def prometheus_with_a_key(client, wrong, right):
    """By the lines of docs/INTEGRATIONS.md."""
    need("prometheus")
    rows, pem = code_in_row(client, "Prometheus with a key"), os.path.join(client.camera.folder, "camera.pem")

    def job(key):
        lines = [line for line in rows if key or "KEY" not in line]
        return "  " + "\n  ".join(lines).replace("KEY", key or "").replace("camera.pem", pem)

    def refusal(name, key):
        ask = prometheus_with(client, name, job(key))

        def words():
            targets = ask("targets")["activeTargets"]
            return targets and targets[0]["lastError"]
        wait_for("its refusal", words)
        if ask("query?query=up%3D%3D1")["result"]:
            raise Failure(f"Prometheus reads with a {name} key")
        return words()
    said = [refusal("wrong", wrong), refusal("missing", None)]
    asks = prometheus_with(client, "right", job(right))
    client.moves = lambda: rises(asks)
    return ", ".join(said)


def home_assistant(client, urls=None):
    """A new Home Assistant. Returns its address, a function that asks it, one that fills in the form of "MJPEG IP Camera", and
    the headers with which it shows pictures."""
    newest = next((python for python in ("python3.14", "python3.13", "python3.12", "python3.11") if runs(python)), "python3")
    # The newest version for an older Python accepts any josepy but breaks with 2, and does not install what its cameras
    # import.
    pins = [] if newest in ("python3.14", "python3.13") else ["josepy<2", "numpy<2", "PyTurboJPEG"]
    check = "import homeassistant.components.mjpeg.config_flow, hass_nabucasa"
    python = python_with(client, "homeassistant", ["homeassistant", *pins], check, newest)
    port = free_port()
    written(client, "configuration.yaml", f"http:\n  server_host: 127.0.0.1\n  server_port: {port}\nconfig:\nonboarding:\n")
    client.run(python, "-m", "homeassistant", "-c", client.folder)
    base = f"http://127.0.0.1:{port}"
    token = []

    def ask(path, content=None, form=False):
        headers = {"Authorization": f"Bearer {token[0]}"} if token else {}
        data = None
        if content is not None:
            data = urllib.parse.urlencode(content).encode() if form else json.dumps(content).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded" if form else "application/json"
        return json.load(urllib.request.urlopen(urllib.request.Request(base + path, data, headers), timeout=60))

    wait_for("Home Assistant", lambda: answers(port), 300)
    wait_for("its onboarding", lambda: works(lambda: ask("/api/onboarding")), 600)
    user = {"client_id": base + "/", "name": "x", "username": "x", "password": "xxxxxxxx", "language": "en"}
    code = ask("/api/onboarding/users", user)["auth_code"]
    grant = {"grant_type": "authorization_code", "code": code, "client_id": base + "/"}
    token.append(ask("/auth/token", grant, form=True)["access_token"])

    mjpeg, still = urls or (client.url + "/stream", client.url + "/snapshot")

    def add(**more):
        flow = ask("/api/config/config_entries/flow", {"handler": "mjpeg"})["flow_id"]
        form = {"name": "pi", "mjpeg_url": mjpeg, "still_image_url": still, "verify_ssl": False}
        return ask(f"/api/config/config_entries/flow/{flow}", form | more)
    return base, add, {"Authorization": f"Bearer {token[0]}"}


def watch_in_home_assistant(client, base, headers, done):
    if done["type"] != "create_entry":
        raise Failure(f"Home Assistant: {done}")
    distinct(client, base + "/api/camera_proxy_stream/camera.pi", headers)


@client
def homeassistant(client):
    base, add, headers = home_assistant(client)
    watch_in_home_assistant(client, base, headers, add())


@client_with_keys
def homeassistant_with_a_key(client, wrong, right):
    """At the addresses of docs/INTEGRATIONS.md."""
    base, add, headers = home_assistant(client, code_in_row(client, "Home Assistant with a key, MJPEG IP Camera")[:2])
    words = []
    for refused in (add(), add(username="any", password=wrong)):
        if refused["type"] != "form" or not refused["errors"]:
            raise Failure(f"Home Assistant takes a camera without a key: {refused}")
        words.append(str(refused["errors"]))
    watch_in_home_assistant(client, base, headers, add(username="any", password=right))
    return ", ".join(words)


def seldom(client, pictures):
    """For a program that takes a picture now and then. `pictures` returns how many it has."""
    def moves():
        before = pictures()
        time.sleep(2 * WITHIN)
        return pictures() - before >= 2
    client.moves = moves


@client
def moonraker(client):
    """Behind the printer's nginx. It tests a webcam by its stills."""
    python = python_with(client, "moonraker", ["moonraker"], "import moonraker")
    port = free_port()
    proxy = f"http://127.0.0.1:{nginx_of_a_printer(client, port)}"
    conf = written(client, "moonraker.conf", f"""
[server]
host: 127.0.0.1
port: {port}
klippy_uds_address: {client.folder}/klippy.sock
[machine]
provider: none
validate_service: False
validate_config: False
[authorization]
trusted_clients: 127.0.0.1
[webcam pi]
service: mjpegstreamer-adaptive
stream_url: {proxy}/webcam/?action=stream
snapshot_url: {proxy}/webcam/?action=snapshot
""")
    client.run(python, "-m", "moonraker", "-d", client.folder, "-c", conf)
    wait_for("Moonraker", lambda: answers(port), 120)

    def reachable():
        request = urllib.request.Request(proxy + "/server/webcams/test?name=pi", b"")
        return json.load(urllib.request.urlopen(request, timeout=20))["result"]["snapshot_reachable"]

    def read():
        client.count += reachable()
        time.sleep(0.5)
    client.thread(read)
    seldom(client, lambda: client.count)


def octoprint_with(client, urls=None, more=""):
    """OctoPrint with this camera and a virtual printer. Returns its address and a function that asks it."""
    python = python_with(client, "octoprint", ["octoprint"], "import octoprint")
    port, api_key = free_port(), "0123456789ABCDEF0123456789ABCDEF"
    stream, snapshot = urls or (client.url + "/?action=stream", client.url + "/?action=snapshot")
    written(client, "config.yaml", f"""
server: {{firstRun: false, onlineCheck: {{enabled: false}}, pluginBlacklist: {{enabled: false}}}}
accessControl: {{autologinLocal: true, autologinAs: x, localNetworks: [127.0.0.0/8]}}
serial: {{autoconnect: true, port: VIRTUAL}}
webcam: {{ffmpeg: {shutil.which("ffmpeg")}, timelapse: {{type: timed, postRoll: 0, options: {{interval: 1}}}}}}
plugins:
  _disabled: [achievements, announcements, discovery, health_check, pluginmanager, softwareupdate, tracking]
  virtual_printer: {{enabled: true}}
  classicwebcam:
    _config_version: 1
    stream: {stream}
    snapshot: {snapshot}
{more}
""")
    base = [python, "-m", "octoprint", "--basedir", client.folder]
    subprocess.run([*base, "user", "add", "x", "--password", "x", "--admin"], check=True, capture_output=True, timeout=120)
    users = os.path.join(client.folder, "users.yaml")
    with open(users) as file:
        text = file.read().replace("apikey: null", "apikey: " + api_key)
    written(client, "users.yaml", text)
    root = ["--iknowwhatimdoing"] if os.getuid() == 0 else []
    client.run(*base, "serve", *root, "--host", "127.0.0.1", "--port", str(port), env=os.environ | {"HOME": client.folder})
    url = f"http://127.0.0.1:{port}"

    def ask(path, data=None):
        headers = {"X-Api-Key": api_key, "Content-Type": "application/json"}
        return urllib.request.urlopen(urllib.request.Request(url + path, data, headers), timeout=60).read()
    wait_for("OctoPrint", lambda: works(lambda: ask("/api/version")), 300)
    return url, ask


def count_its_timelapse(client, ask):
    """A still each second of a print that only waits."""
    wait_for("its printer", lambda: json.loads(ask("/api/connection"))["current"]["state"] == "Operational", 60)
    ask("/api/files/local/x.gcode", b'{"command": "select", "print": true}')
    stills = os.path.join(client.folder, "timelapse", "tmp")

    def kept():
        return sum(name.endswith(".jpg") for name in os.listdir(stills)) if os.path.isdir(stills) else 0
    seldom(client, kept)


def with_a_print(client):
    need("ffmpeg")
    os.mkdir(os.path.join(client.folder, "uploads"))
    written(client, "uploads/x.gcode", "G4 P500\n" * 5000)


@client
def octoprint(client):
    """OctoPrint's timelapse."""
    with_a_print(client)
    url, ask = octoprint_with(client)
    count_its_timelapse(client, ask)


@client_with_keys
def octoprint_with_a_key(client, wrong, right):
    """The same at the addresses of docs/INTEGRATIONS.md, and OctoPrint's own test of that of stills."""
    with_a_print(client)
    urls = [code for code in code_in_row(client, "OctoPrint with a key") if code.startswith(client.url)]
    right_urls = [address.replace("KEY", right) for address in urls]
    url, ask = octoprint_with(client, right_urls, "    snapshotSslValidation: false")

    def tested(address):
        question = {"command": "url", "url": address, "method": "GET", "validSsl": False, "response": True}
        return json.loads(ask("/api/util/test", json.dumps(question).encode()))
    words = []
    for address in (urls[1].replace("KEY", wrong), urls[1].replace("&key=KEY", "")):
        refused = tested(address)
        if refused["result"] or refused["response"]["content"].startswith("/9j/"):
            raise Failure(f"OctoPrint gets a picture without the right key: {refused}")
        content = base64.b64decode(refused["response"]["content"]).decode().strip()
        words.append(f"status {refused['status']}, {content}")
    if not tested(right_urls[1])["result"]:
        raise Failure("OctoPrint gets no picture with the right key")
    count_its_timelapse(client, ask)
    return ", ".join(words)


@client
def octoprint_page(client):
    """OctoPrint's page in a browser."""
    need("chromium", "xdotool")
    url, ask = octoprint_with(client)
    env = screen(client, 1280, 900, part=(400, 150, 300, 250))
    client.run("chromium", "--no-sandbox", "--disable-gpu", "--no-first-run", "--kiosk", f"--user-data-dir={client.folder}/profile",
               url + "/#control", env=env)
    client.by_hand = lambda: subprocess.run(["xdotool", "key", "F5"], env=env, check=True)


@client
def frame(client):
    """The camera's page in a frame of another page, as in Home Assistant's web page card."""
    need("chromium")
    page = written(client, "page.html", f'<iframe src="{client.url}/" style="width:100%;height:95vh;border:0"></iframe>')
    client.run("chromium", "--no-sandbox", "--disable-gpu", "--no-first-run", "--kiosk", f"--user-data-dir={client.folder}/profile",
               "file://" + page, env=screen(client))


def works(function):
    try:
        function()
        return True
    except (OSError, http.client.HTTPException):
        return False
