#!/usr/bin/env python3
"""Watches a lancam camera, HOST or HOST:PORT, by its native protocol (docs/PROTOCOL.md). --frames N ends after N frames,
without a window. --save FILE saves the newest JPEG. --pair asks for the camera's code, once; from then on --key-file has the
camera's pin and a key, and everything is encrypted."""
import argparse, hashlib, hmac, importlib.util, math, os, pathlib, re, socket, ssl, struct, sys, time

HELLO, ACK, PING, PONG, PAIR_REQUEST, PAIR_PROOF = 1, 2, 4, 5, 9, 10
WELCOME, STREAM, FRAME, STATUS, GOODBYE, PAIR_OFFER, PAIRED = 64, 65, 66, 67, 68, 72, 73
HEADER = struct.Struct("<4sBBHI")  # magic, version, kind, flags, length of the payload
MAX_PAYLOAD = 16 << 20
NAME = b"native_viewer.py"
now = lambda: time.monotonic_ns() // 1000  # microseconds, as everywhere in the protocol

def message(kind, layout, *fields):
    return HEADER.pack(b"LCAM", 1, kind, 0, struct.calcsize(layout)) + struct.pack(layout, *fields)

def messages(stream):  # each message's kind and payload, until the camera closes
    try:
        while header := stream.read(HEADER.size):
            magic, version, kind, flags, length = HEADER.unpack(header)
            if magic != b"LCAM" or length > MAX_PAYLOAD:
                sys.exit(f"no lancam answers there: {header}")
            payload = stream.read(length)
            if len(payload) < length or kind in (PING, PONG, STREAM, FRAME, STATUS) and (version, flags) != (1, 0):
                sys.exit(f"a message is cut off, or of another version: {header}")
            yield kind, payload  # unknown kinds too, which are to be passed over
    except TimeoutError: sys.exit(f"nothing has come from {options.host}, port {options.port}, for 10 s")

def text(payload, at):  # a length and so many bytes; what a terminal would obey is shown as "?"
    letters = payload[at + 2:at + 2 + struct.unpack_from("<H", payload, at)[0]].decode(errors="replace")
    return "".join(letter if letter.isprintable() else "?" for letter in letters)

def connect(pin):  # inside TLS, to the certificate with this pin alone; "" takes any, for pairing; None: without TLS
    try: camera = socket.create_connection((options.host, options.port), 10)  # and no longer than 10 s without a word
    except (OSError, OverflowError) as error:
        sys.exit(f"cannot connect to {options.host}, port {options.port}: {getattr(error, 'strerror', None) or error}")
    camera.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if pin is None: return camera, None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # no authority knows a camera at home; its pin does
    try: camera = context.wrap_socket(camera)
    except OSError as error:
        sys.exit(f"{options.host} does not encrypt, so it is not the camera that was paired, or wants no code: {error}")
    seen = hashlib.sha256(camera.getpeercert(True))
    if pin and pin != seen.hexdigest():
        camera.close()
        sys.exit(f"{options.host} is not the camera that was paired. Is it another one, or was it set up anew? Then --pair again")
    return camera, seen

def pair(camera, pin, code):  # proves to know the code without saying it, has that proven, and returns the key
    code, nonce, proof = code.upper().translate(str.maketrans("OIL", "011", "- ")).encode(), os.urandom(32), None
    camera.sendall(message(PAIR_REQUEST, f"<32sH{len(NAME)}s", nonce, len(NAME), NAME))
    for kind, payload in messages(camera.makefile("rb")):
        if kind == PAIR_OFFER:
            theirs, salt, iterations = struct.unpack_from("<32s16sI", payload)
            if proof or not 50_000 <= iterations <= 5_000_000:
                sys.exit("this camera cannot be trusted: it asks twice, or wants too few or too many hashes of the code")
            secret = hashlib.pbkdf2_hmac("sha256", code, salt, iterations)
            proof = lambda side: hmac.digest(secret, side + nonce + theirs + pin.digest(), "sha256")
            camera.sendall(message(PAIR_PROOF, "<32s", proof(b"lancam viewer")))
        elif kind == PAIRED and proof:
            if not hmac.compare_digest(payload[:32], proof(b"lancam camera")):
                sys.exit("it does not know the code: it is not your camera, or another machine is in between")
            return text(payload, 36)
        elif kind == GOODBYE:
            sys.exit(text(payload, 4))
    sys.exit("the camera has closed the connection")

def frames(camera, key):  # each JPEG with its number, its age and how wrong that may be, in milliseconds
    clock = math.inf, 0, now()  # the camera's minus ours: how wrong it may be, what it is, as of when
    layout = f"<BBBxHHIB3xH{len(NAME)}sH{len(key)}s"  # credit 1, no wishes
    camera.sendall(message(HELLO, layout, 1, 1, 1, 0, 0, 0, 0, len(NAME), NAME, len(key), key.encode()))
    for kind, payload in messages(camera.makefile("rb")):
        arrived = now()
        if kind == FRAME:
            sequence, captured_at, width, height, codec = struct.unpack_from("<QQHHB3x", payload)
            if codec != 1:
                raise ValueError(f"codec {codec} is not JPEG")
            # Acknowledge first: the next frame travels while this one is worked on. No other data delays a ping sent here.
            camera.sendall(message(PING, "<Q", arrived) + message(ACK, "<Q", sequence))
            yield sequence, (arrived + clock[1] - captured_at) / 1000, clock[0] / 1000, payload[24:]
        elif kind == PONG:  # to our ping, whose token says when it was sent
            sent, there, back = struct.unpack_from("<QQQ", payload)
            new = ((arrived - sent) - (back - there)) / 2, ((there - sent) + (back - arrived)) / 2
            old = clock[0] + (arrived - clock[2]) / 10_000, clock[1]  # clocks may drift by 100 µs a second
            clock = *min(new, old), arrived
        elif kind == PING:
            camera.sendall(message(PONG, "<QQQ", *struct.unpack_from("<Q", payload), arrived, now()))
        elif kind in (WELCOME, STATUS, GOODBYE):  # 4 bytes for programs, then a text for people
            print(text(payload, 4), flush=True)

options = argparse.ArgumentParser(description=__doc__)
options.add_argument("host"), options.add_argument("--port", type=int, default=9999)
options.add_argument("--frames", type=int), options.add_argument("--save", type=pathlib.Path)
options.add_argument("--pair", action="store_true"), options.add_argument("--key-file", type=pathlib.Path)
options = options.parse_args()
if named := re.fullmatch(r"([^:]+):(\d+)", options.host):
    options.host, options.port = named[1], int(named[2])
options.key_file = options.key_file or pathlib.Path(f"{options.host}{'' if options.port == 9999 else f'-{options.port}'}.key")
if options.pair:
    print("the camera's code: ", end="", file=sys.stderr, flush=True)
    code, (camera, pin) = input(), connect(pin="")
    with camera: key = pair(camera, pin, code)
    options.key_file.unlink(missing_ok=True)  # one that others may read would stay so
    with open(options.key_file, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(f"{pin.hexdigest()} {key}\n")
pin, key = options.key_file.read_text().split() if options.key_file.exists() else (None, "")
if has_window := not options.frames and importlib.util.find_spec("cv2"):
    import cv2, numpy  # only for showing: all else is in Python's own library
with connect(pin)[0] as camera:
    for count, (sequence, age, uncertainty, jpeg) in enumerate(frames(camera, key), 1):
        how_old = f"{age:.1f} ms old, give or take {uncertainty:.1f} ms" if uncertainty < math.inf else "of unknown age"
        print(f"frame {sequence}: {len(jpeg)} bytes, {how_old}", flush=True)
        options.save and options.save.write_bytes(jpeg)
        if has_window:
            cv2.imshow(options.host, cv2.imdecode(numpy.frombuffer(jpeg, numpy.uint8), cv2.IMREAD_COLOR))
        if count == options.frames or has_window and cv2.waitKey(1) in (27, ord("q")):
            sys.exit()
sys.exit("the camera has closed the connection")
