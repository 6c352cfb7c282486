//! A camera that wants keys, without a socket: what each client gets of it, with and without one.

use super::{Guard, Http};
use crate::camera::access::day::Day;
use crate::camera::access::folder::Folder;
use crate::camera::access::keys::Sealing;
use crate::camera::access::{Access, Channel, Plain};
use crate::camera::context::HttpRules;
use crate::camera::encode::Coding;
use crate::camera::roster::wish::Wish;
use crate::camera::session::link::outgoing::Outgoing;
use crate::camera::session::machine::{Ebbed, Input, Machine, Moment, Next, Order, Reported};
use crate::camera::session_end::SessionEnd;
use crate::camera::update::{StreamFacts, Update};
use crate::image::frame::Micros;
use crate::image::pixels::{Chroma, Size};
use crate::image::size_wish::SizeWish;
use crate::latest::Newest;
use crate::rate::Rate;
use crate::wire::access::key::May;
use crate::wire::packet::{Codec, FrameFacts, Packet, PacketPool};
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

const START: Micros = Micros(1_000_000_000);

/// What is in place of a picture.
const PICTURE: &[u8] = b"a picture";

/// The beginning of all answers about the camera.
const REPORT: &str = "a report\n";

const FIREFOX: &str =
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n";
const PAGE: &str = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";
const OWN_SITE: &str = "Sec-Fetch-Site: same-origin\r\n";

/// A camera that wants keys, with files of its own.
struct Camera {
    _folder: tempfile::TempDir,
    access: Access,
    rules: HttpRules,
    now: Instant,
}

/// One connection, from its first byte to its end.
#[derive(Debug)]
struct Talk {
    said: String,
    orders: Vec<String>,
    end: Option<SessionEnd>,
}

impl Talk {
    fn code(&self) -> u16 {
        let code = self.said.split(' ').nth(1).and_then(|code| code.parse().ok());
        code.unwrap_or_else(|| panic!("no answer: {self:?}"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let (head, _) = self.said.split_once("\r\n\r\n").expect("a head");
        head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    fn body(&self) -> &str {
        self.said.split_once("\r\n\r\n").expect("a head").1
    }

    fn end(&self) -> String {
        self.end.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// Whether the camera did anything for the client but look at a key or a code.
    fn was_served(&self) -> bool {
        let is_service =
            |order: &String| !["Stand", "Admit", "LogIn", "CloseSending"].contains(&order.as_str());
        self.orders.iter().any(is_service)
            || self.said.contains("a picture")
            || self.said.contains(REPORT)
    }
}

impl Camera {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let state = Folder::open(&folder.path().join("state")).expect("made");
        let access = Access::open(state, [0xAB; 32]).expect("opens");
        let rules = HttpRules::default();
        Self { _folder: folder, access, rules, now: Instant::now() }
    }

    /// The same, and some keys are accepted without TLS.
    fn with_plain(self) -> Self {
        Self { access: self.access.with_plain(Plain::Keys), ..self }
    }

    fn key(&self, name: &str) -> String {
        self.key_for(name, Sealing::TlsOnly)
    }

    fn key_for(&self, name: &str, sealing: Sealing) -> String {
        let given = self.access.give(name, May::Watch, sealing, today());
        given.expect("it is written").key.text()
    }

    /// What a client gets that sends all this at once and then nothing more.
    fn hear(&self, channel: Channel, bytes: &[u8]) -> Talk {
        self.hear_from([192, 0, 2, 1].into(), channel, &[bytes], 0)
    }

    fn hear_from(&self, peer: IpAddr, channel: Channel, pieces: &[&[u8]], later: u64) -> Talk {
        let mut table = self.table(peer, channel);
        for piece in pieces {
            table.http.received(piece, table.now);
            table.run();
        }
        if later > 0 {
            table.now = table.now.after(Duration::from_millis(later));
            table.run();
        }
        table.http.input_ended();
        table.run();
        table.talk
    }

    /// A connection on which nothing was said yet.
    fn table(&self, peer: IpAddr, channel: Channel) -> Table<'_> {
        let own =
            Wish::own(Coding::Jpeg { quality: 80, chroma: Chroma::Yuv420 }, SizeWish::default());
        let deadline = START.after(Duration::from_secs(5));
        let guard = Guard::new(channel, self.access.pin());
        let http = Http::new("Garage", &self.rules, own, deadline, START).guarded(guard);
        let talk = Talk { said: String::new(), orders: Vec::new(), end: None };
        let (out, now) = (Outgoing::default(), START);
        let (room, pictures, is_closed) = (usize::MAX, 0, false);
        Table { camera: self, peer, channel, http, out, now, talk, room, pictures, is_closed }
    }

    fn get(&self, target: &str, headers: &str) -> Talk {
        self.hear(Channel::Tls, get(target, headers).as_bytes())
    }

    /// Sends a form as a browser does.
    fn type_in(&self, code: &str, headers: &str) -> Talk {
        self.hear(Channel::Tls, form(&format!("code={code}"), headers).as_bytes())
    }

    /// How often a wrong code was counted, out of three.
    fn guesses_left(&self) -> usize {
        let peer = [192, 0, 2, 1].into();
        (0..4)
            .take_while(|_| {
                let refused = self.access.log_in("0000-0000-0000", "", peer, self.now, today());
                refused.is_err_and(|why| why.to_string().starts_with("the code is wrong"))
            })
            .count()
    }
}

fn today() -> Day {
    Day::parse("2026-11-30").expect("a day")
}

fn get(target: &str, headers: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: garage.local:8080\r\nConnection: close\r\n{headers}\r\n"
    )
}

fn form(body: &str, headers: &str) -> String {
    let len = body.len();
    format!(
        "POST /login HTTP/1.1\r\nHost: garage.local:8080\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {len}\r\n{headers}\r\n{body}"
    )
}

struct Table<'a> {
    camera: &'a Camera,
    peer: IpAddr,
    channel: Channel,
    http: Http<'a>,
    out: Outgoing,
    now: Micros,
    talk: Talk,
    /// How many bytes the client still takes.
    room: usize,
    pictures: u64,
    /// Whether the camera has ended.
    is_closed: bool,
}

impl Table<'_> {
    /// Asks for this with a key.
    fn ask(&mut self, target: &str, key: &str) {
        let head = get(target, &format!("Authorization: Bearer {key}\r\n"));
        self.http.received(head.as_bytes(), self.now);
        self.run();
    }

    /// The program stops.
    fn stop(&mut self) {
        self.http.end(SessionEnd::Stopping, &mut self.out, self.now);
        self.run();
    }

    fn run(&mut self) {
        let mut input = Input::Awake;
        while self.talk.end.is_none() {
            let moment = Moment {
                now: self.now,
                since_1970: Duration::from_secs(9),
                interval: Duration::ZERO,
                measured: Duration::ZERO,
                first_frame_at: Micros(0),
            };
            input = match self.http.next(input, &mut self.out, &moment) {
                Next::Order(order) => self.fulfil(order),
                Next::Look => Input::Newest(self.newest()),
                Next::End(end) => {
                    self.talk.end = Some(end);
                    break;
                }
                Next::Wait(_) if self.out.is_empty() || self.room == 0 => break,
                Next::Wait(_) => {
                    let (said, room) = (&mut self.talk.said, &mut self.room);
                    let Ok(_) = self.out.send_with(|parts| {
                        let bytes: Vec<u8> =
                            parts.iter().flat_map(|part| part.iter().copied()).collect();
                        let count = bytes.len().min(*room);
                        said.push_str(&String::from_utf8_lossy(&bytes[..count]));
                        *room -= count;
                        Ok::<_, Infallible>(count)
                    });
                    Input::Awake
                }
            };
        }
    }

    fn fulfil(&mut self, order: Order) -> Input {
        let Camera { access, now, .. } = self.camera;
        let name = format!("{order:?}");
        let name = name.split(['(', ' ']).next().expect("a name");
        self.talk.orders.push(name.to_owned());
        match order {
            Order::Admit(key) => {
                Input::Admitted(access.admit(&key.0, self.channel).map(|it| it.may))
            }
            Order::LogIn(code, name) => {
                Input::LoggedIn(access.log_in(&code.shown(), &name, self.peer, *now, today()))
            }
            Order::Sit => Input::Seated(Ok(())),
            Order::Report(_) => Input::Reported(Reported { is_well: true, text: REPORT.into() }),
            Order::Ebb(_) => Input::Ebbed(Ebbed::InTime(Duration::ZERO)),
            Order::Draw(_) => Input::Drawn(Some(packet(self.now))),
            _ => Input::Awake,
        }
    }

    /// One picture, and then no other.
    fn newest(&mut self) -> Newest<Update> {
        if self.is_closed {
            return Newest::Closed;
        }
        self.pictures += 1;
        if self.pictures > 1 {
            return Newest::NotYet;
        }
        let text: Arc<str> = "x".into();
        let size = Size::new(8, 8);
        let stream = StreamFacts {
            source: text.to_string(),
            told: text.to_string(),
            rate: Rate::NONE,
            size,
        };
        Newest::Fresh {
            value: Update::Frame { packet: packet(self.now), stream: Arc::new(stream) },
            skipped: 0,
        }
    }
}

fn packet(now: Micros) -> Arc<Packet> {
    let facts =
        FrameFacts { sequence: 1, captured_at: now, codec: Codec::Jpeg, size: Size::new(8, 8) };
    let mut packet = PacketPool::default().take(facts);
    let open = PacketPool::open(&mut packet);
    open.storage(PICTURE.len()).copy_from_slice(PICTURE);
    open.set_len(PICTURE.len());
    packet
}

/// The key in the cookie that an answer sets.
fn cookie_in(talk: &Talk) -> String {
    let cookie = talk.header("Set-Cookie").unwrap_or_else(|| panic!("no cookie: {talk:?}"));
    let (pair, attributes) = cookie.split_once(';').expect("attributes");
    assert_eq!(attributes, " Max-Age=34560000; Path=/; Secure; HttpOnly; SameSite=Strict");
    pair.strip_prefix("__Host-lancam-abababab=").expect("its name").to_owned()
}

fn with_cookie(key: &str) -> String {
    format!("Cookie: theme=dark; __Host-lancam-abababab={key}\r\n")
}

const RESOURCES: [&str; 12] = [
    "/",
    "/index.html",
    "/stream",
    "/stream.mjpg?width=64",
    "/?action=stream",
    "/?action=snapshot",
    "/snapshot",
    "/snapshot.jpg",
    "/state",
    "/metrics",
    "/healthz",
    "/nowhere",
];

#[test]
fn nobody_without_a_key_gets_anything_of_the_camera() {
    let camera = Camera::new();
    let unknown = "A".repeat(43);
    let keys =
        [String::new(), with_cookie(&unknown), format!("Authorization: Bearer {unknown}\r\n")];
    for channel in [Channel::Tls, Channel::Plain] {
        for target in RESOURCES {
            for method in ["GET", "HEAD", "POST", "PUT"] {
                for (accept, key) in ["", PAGE, "Accept: image/*\r\n"].iter().zip(&keys) {
                    let head = get(target, &format!("{accept}{key}")).replacen("GET", method, 1);
                    let talk = camera.hear(channel, head.as_bytes());
                    let code = if channel == Channel::Tls { 401 } else { 403 };
                    assert_eq!(talk.code(), code, "{channel:?} {head}");
                    assert!(!talk.was_served(), "{head}: {talk:?}");
                    assert_eq!(talk.body().is_empty(), method == "HEAD", "{head}");
                }
            }
        }
    }
}

#[test]
fn a_key_counts_in_each_place_where_a_client_can_show_it() {
    let camera = Camera::new();
    let key = camera.key("HA");
    let basic = crate::wire::base64::encode(format!("any: body:{key}").as_bytes());
    let wrong = crate::wire::base64::encode(format!("any:{key}").as_bytes());
    for (query, headers) in [
        (format!("?key={key}"), String::new()),
        (format!("?width=64&key={key}&x"), String::new()),
        (String::new(), format!("Authorization: Bearer {key}\r\n")),
        (String::new(), format!("authorization: basic {wrong}\r\n")),
        (String::new(), with_cookie(&key)),
        // The key that counts, among others that do not.
        (format!("?key={key}"), format!("Authorization: Basic {basic}\r\n{}", with_cookie("x"))),
        ("?key=no".into(), with_cookie(&key)),
    ] {
        for (path, says) in [
            ("/state", REPORT),
            ("/metrics", REPORT),
            ("/healthz", REPORT),
            ("/snapshot", "a picture"),
            ("/stream", "a picture"),
            ("/", "<title>Garage"),
        ] {
            let talk = camera.get(&format!("{path}{query}"), &headers);
            assert!(talk.code() == 200 && talk.said.contains(says), "{path}{query}: {talk:?}");
        }
    }
}

#[test]
fn each_request_on_a_connection_needs_its_own_key() {
    let camera = Camera::new();
    let key = camera.key("HA");
    let first = format!("GET /state?key={key} HTTP/1.1\r\nHost: pi\r\n\r\n");
    let both = first.clone() + "GET /state HTTP/1.1\r\nHost: pi\r\n\r\n" + &first;
    let talk = camera.hear(Channel::Tls, both.as_bytes());
    assert_eq!(talk.said.matches("HTTP/1.1 ").count(), 2, "{}", talk.said);
    assert_eq!((talk.code(), talk.said.matches("HTTP/1.1 401 ").count()), (200, 1));
    assert!(talk.end().starts_with("this camera wants a key"), "{}", talk.end());
}

#[test]
fn programs_are_asked_for_basic_and_browsers_are_not() {
    let camera = Camera::new();
    let challenge = Some("Basic realm=\"Garage\"");
    for (headers, is_program) in [
        ("", true),
        ("Accept: */*\r\n", true),
        ("Accept: */*\r\nSec-Fetch-Site: same-origin\r\n", false),
        ("Accept: image/avif,image/webp,*/*;q=0.8\r\n", false),
        (PAGE, false),
    ] {
        let talk = camera.get("/stream", headers);
        let expected = challenge.filter(|_| is_program);
        assert_eq!((talk.code(), talk.header("WWW-Authenticate")), (401, expected), "{headers}");
        let is_page = talk.header("Content-Type") == Some("text/html; charset=utf-8");
        assert_eq!(is_page, headers == PAGE);
        let says = if is_page {
            "<form method=\"post\" action=\"login\">"
        } else {
            "sudo lancam pair --name NAME"
        };
        assert!(talk.body().contains(says), "{headers}: {talk:?}");
    }
    let unknown = camera.get("/state", "Authorization: Bearer x\r\n");
    assert!(unknown.body().contains("it may have been revoked"), "{unknown:?}");
}

#[test]
fn a_name_with_any_letters_makes_a_challenge_that_is_one() {
    let header = super::answers::challenge("Front \"door\"\\\r\nX: ü");
    assert_eq!(header, "WWW-Authenticate: Basic realm=\"Front ?door????X: ?\"");
}

#[test]
fn without_tls_people_are_shown_the_way_and_programs_are_told() {
    let camera = Camera::new();
    let key = camera.key("HA");
    let page = camera.hear(Channel::Plain, get("/", PAGE).as_bytes());
    assert!(
        page.code() == 403 && page.body().contains("<a href=\"https://garage.local:8080/\">"),
        "{page:?}"
    );
    assert!(page.body().contains("SHA-256") && page.body().contains("sudo lancam pair"));
    assert_eq!(
        (page.header("Strict-Transport-Security"), page.header("WWW-Authenticate")),
        (None, None)
    );
    let program = camera.hear(Channel::Plain, get("/stream", "").as_bytes());
    assert_eq!(program.header("WWW-Authenticate"), None, "a secret would be readable");
    assert!(program.body().contains("Use https://garage.local:8080 and a key"), "{program:?}");
    // Neither a key nor the code helps.
    for request in [get(&format!("/stream?key={key}"), ""), get("/snapshot", &with_cookie(&key))] {
        let talk = camera.hear(Channel::Plain, request.as_bytes());
        assert!(talk.code() == 403 && !talk.was_served(), "{talk:?}");
    }
    let code = camera.access.code().shown();
    for request in [form(&format!("code={code}"), OWN_SITE), get("/login", PAGE)] {
        let talk = camera.hear(Channel::Plain, request.as_bytes());
        assert!(talk.code() == 403 && talk.said.contains("https://"), "{talk:?}");
        assert!(!talk.said.contains("<form") && !talk.orders.contains(&"LogIn".to_owned()));
    }
    assert_eq!(camera.access.keys().len(), 1);
}

#[test]
fn a_key_that_was_made_for_it_counts_without_tls_where_the_owner_allows_that() {
    let camera = Camera::new().with_plain();
    let (plain, sealed) = (camera.key_for("VLC", Sealing::PlainToo), camera.key("HA"));
    let hear = |camera: &Camera, request: String| camera.hear(Channel::Plain, request.as_bytes());
    for (path, says) in [("/stream", "a picture"), ("/state", REPORT), ("/", "<title>Garage")] {
        let talk = hear(&camera, get(&format!("{path}?key={plain}"), PAGE));
        assert!(talk.code() == 200 && talk.said.contains(says), "{talk:?}");
        assert_eq!(talk.header("Set-Cookie"), None);
        let talk = hear(&camera, get(path, &format!("Authorization: Bearer {plain}\r\n")));
        assert!(talk.code() == 200 && talk.said.contains(says), "{talk:?}");
    }
    let refused = hear(&camera, get(&format!("/stream?key={sealed}"), ""));
    assert!(refused.code() == 403 && !refused.was_served(), "{refused:?}");
    assert!(refused.body().contains("that key works over TLS only"), "{refused:?}");
    let unknown = hear(&camera, get(&format!("/stream?key={}", "A".repeat(43)), ""));
    assert!(unknown.code() == 403 && !unknown.was_served(), "{unknown:?}");
    assert!(unknown.body().contains("does not know that key"), "{unknown:?}");
    assert!(hear(&camera, get("/stream", "")).body().contains("Use https://garage.local:8080"));
    // The code is never taken without TLS.
    let login = hear(&camera, get(&format!("/login?key={plain}"), PAGE));
    assert!(login.code() == 403 && !login.said.contains("<form"), "{login:?}");
    let form = form(&format!("code={}", camera.access.code().shown()), OWN_SITE);
    let form = hear(&camera, form);
    assert!(form.code() == 403 && !form.orders.contains(&"LogIn".to_owned()), "{form:?}");

    let strict = Camera::new();
    let key = strict.key_for("VLC", Sealing::PlainToo);
    let refused = hear(&strict, get(&format!("/stream?key={key}"), ""));
    assert!(refused.code() == 403 && !refused.was_served(), "{refused:?}");
}

#[test]
fn a_browser_types_the_code_once_and_then_has_a_key_of_its_own() {
    let camera = Camera::new();
    let asked = camera.get("/", PAGE);
    assert_eq!((asked.code(), asked.header("Set-Cookie")), (401, None));
    let policy = asked.header("Content-Security-Policy").expect("a policy");
    assert!(policy.contains("form-action 'self'; frame-ancestors 'none'"), "{policy}");
    assert_eq!(asked.header("Referrer-Policy"), Some("same-origin"));
    assert_eq!(camera.get("/login", PAGE).code(), 200);

    let typed = camera.access.code().shown().to_lowercase().replace('-', "+");
    let logged_in = camera.type_in(&typed, &format!("{OWN_SITE}{FIREFOX}"));
    assert_eq!(
        (logged_in.code(), logged_in.header("Location")),
        (303, Some("./")),
        "{logged_in:?}"
    );
    assert_eq!(logged_in.end(), "it was paired as \"Firefox on Linux\"");
    let key = cookie_in(&logged_in);
    let entry = &camera.access.keys()[0];
    assert_eq!(
        (entry.name.as_str(), entry.may, entry.sealing),
        ("Firefox on Linux", May::Control, Sealing::TlsOnly)
    );

    let page = camera.get("/", &format!("{PAGE}{}", with_cookie(&key)));
    assert!(page.code() == 200 && page.body().contains("Only clients with a key"), "{page:?}");
    assert_eq!(cookie_in(&page), key, "each visit keeps it for longer");
    let state = camera.get("/state", &format!("{OWN_SITE}{}", with_cookie(&key)));
    assert_eq!((state.code(), state.body()), (200, REPORT));

    // Once it is revoked, the browser is asked again.
    assert!(camera.access.revoke("Firefox on Linux").expect("written"));
    let page = camera.get("/", &format!("{PAGE}{}", with_cookie(&key)));
    assert!(
        page.code() == 401 && page.body().contains("no longer knows this browser&#39;s key"),
        "{page:?}"
    );
}

#[test]
fn a_browser_that_does_not_say_whose_page_it_was_counts_by_its_origin() {
    let camera = Camera::new();
    let code = camera.access.code().shown();
    let talk = camera.type_in(&code, "Origin: https://Garage.local:8080\r\n");
    assert_eq!(talk.code(), 303, "{talk:?}");
}

#[test]
fn no_other_page_and_no_program_may_try_codes() {
    let camera = Camera::new();
    let code = camera.access.code().shown();
    for headers in [
        "",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Origin: https://evil.example\r\n",
        "Origin: http://garage.local:8080\r\n",
        "Origin: null\r\n",
    ] {
        let talk = camera.type_in(&code, headers);
        assert!(
            talk.code() == 403 && talk.body().contains("on this camera's own page"),
            "{headers}: {talk:?}"
        );
        assert!(!talk.orders.contains(&"LogIn".to_owned()), "{talk:?}");
    }
    assert!(camera.access.keys().is_empty());
    assert_eq!(camera.guesses_left(), 3);
}

#[test]
fn a_wrong_code_is_told_so_and_after_three_the_browser_has_to_wait() {
    let camera = Camera::new();
    for _ in 0..3 {
        let talk = camera.type_in("0000-0000-0000", OWN_SITE);
        assert!(
            talk.code() == 403 && talk.body().contains("role=\"alert\">The code is wrong"),
            "{talk:?}"
        );
        assert!(talk.end().starts_with("the code is wrong"), "{}", talk.end());
    }
    let code = camera.access.code().shown();
    let talk = camera.type_in(&code, OWN_SITE);
    assert_eq!((talk.code(), talk.header("Retry-After")), (429, Some("1")), "{talk:?}");
    assert!(talk.body().contains("takes no code for 1 s"), "{talk:?}");
    let other = form(&format!("code={code}"), OWN_SITE);
    let other = camera.hear_from([192, 0, 2, 9].into(), Channel::Tls, &[other.as_bytes()], 0);
    assert_eq!(other.code(), 303, "another address does not wait: {other:?}");
}

#[test]
fn a_mistake_in_typing_is_explained_and_costs_no_guess() {
    let camera = Camera::new();
    for (typed, says) in [
        ("K7QM", "this has 4"),
        ("", "this has 0"),
        ("K7QM-2XPD-9HR%3C", "A code has no &#39;&lt;&#39;"),
    ] {
        let talk = camera.type_in(typed, OWN_SITE);
        assert!(talk.code() == 400 && talk.body().contains(says), "{talk:?}");
    }
    let empty = camera.hear(Channel::Tls, form("", OWN_SITE).as_bytes());
    assert!(empty.code() == 400 && empty.body().contains("this has 0"), "{empty:?}");
    assert!(empty.body().contains("<form"), "it may be typed again: {empty:?}");
    assert_eq!(camera.guesses_left(), 3);
}

#[test]
fn a_form_that_no_browser_sends_is_refused_in_words() {
    let camera = Camera::new();
    let code = camera.access.code().shown();
    let right = form(&format!("code={code}"), OWN_SITE);
    let long = form(&format!("code={code}{}", "+".repeat(1024)), OWN_SITE);
    for (request, status, says) in [
        (right.replace("Content-Length: ", "X: "), 411, "Content-Length"),
        (
            right.replace("Content-Length: 19", "Content-Length: 19\r\nContent-Length: 5"),
            411,
            "Content-Length",
        ),
        (
            right.replace("Content-Length: ", "Transfer-Encoding: chunked\r\nX: "),
            411,
            "Transfer-Encoding",
        ),
        (right.replace("application/x-www-form-urlencoded", "text/plain"), 415, "Content-Type"),
        (right.replace("code=", "Code="), 400, "one field, code"),
        (right.replace("Content-Length: 19", "Content-Length: 20"), 400, "cut short"),
        (long, 413, "1024 bytes"),
    ] {
        let talk = camera.hear(Channel::Tls, request.as_bytes());
        assert_eq!(talk.code(), status, "{request}: {talk:?}");
        assert!(talk.body().contains(says) && !talk.said.contains(&code), "{talk:?}");
        assert!(talk.end.is_some() && talk.said.matches("HTTP/1.1 ").count() == 1, "{talk:?}");
    }
    assert!(camera.access.keys().is_empty());
}

#[test]
fn a_form_may_come_in_pieces_and_not_for_ever() {
    let camera = Camera::new();
    let code = camera.access.code().shown();
    let request = form(&format!("code={code}"), OWN_SITE);
    let peer = [192, 0, 2, 1].into();
    for cut in 1..request.len() {
        let (first, second) = request.as_bytes().split_at(cut);
        let talk = camera.hear_from(peer, Channel::Tls, &[first, second], 0);
        assert_eq!(talk.code(), 303, "cut at {cut}: {talk:?}");
    }
    let half = &request.as_bytes()[..request.len() - 1];
    let talk = camera.hear_from(peer, Channel::Tls, &[half], 5000);
    assert!(
        talk.code() == 408 && talk.body().contains("no complete form came within 5 s"),
        "{talk:?}"
    );
}

#[test]
fn a_cookie_that_another_origin_made_the_browser_send_does_not_count() {
    let camera = Camera::new();
    let cookie = with_cookie(&camera.key("phone"));
    for (site, code) in [
        ("Sec-Fetch-Site: same-origin\r\n", 200),
        ("Sec-Fetch-Site: none\r\n", 200),
        ("", 200),
        ("Origin: https://garage.local:8080\r\n", 200),
        ("Sec-Fetch-Site: same-site\r\n", 401),
        ("Sec-Fetch-Site: cross-site\r\n", 401),
        ("Origin: https://garage.local:9000\r\n", 401),
        ("Origin: null\r\n", 401),
    ] {
        for target in ["/stream", "/snapshot", "/state"] {
            let talk = camera.get(target, &format!("{site}{cookie}"));
            assert_eq!((talk.code(), talk.was_served()), (code, code == 200), "{site}: {talk:?}");
        }
    }
    // A person who follows a link is let in at the second step, which is the camera's own.
    let link = camera.get("/", &format!("{PAGE}Sec-Fetch-Site: cross-site\r\n"));
    assert!(link.code() == 401 && link.body().contains("http-equiv=\"refresh\""), "{link:?}");
    let own = camera.get("/", &format!("{PAGE}Sec-Fetch-Site: same-origin\r\n{cookie}"));
    assert_eq!(own.code(), 200);
}

#[test]
fn a_foreign_host_is_refused_before_any_key_or_code_is_looked_at() {
    let camera = Camera::new();
    let key = camera.key("HA");
    let code = camera.access.code().shown();
    for request in [
        get(&format!("/stream?key={key}"), &with_cookie(&key)),
        get("/login", PAGE),
        form(&format!("code={code}"), OWN_SITE),
    ] {
        for channel in [Channel::Tls, Channel::Plain] {
            let request = request.replace("garage.local:8080", "evil.example");
            let talk = camera.hear(channel, request.as_bytes());
            assert_eq!((talk.code(), talk.was_served()), (421, false), "{talk:?}");
            assert!(!talk.orders.iter().any(|it| it == "Admit" || it == "LogIn"), "{talk:?}");
        }
    }
}

#[test]
fn a_foreign_host_is_told_how_it_is_let_in_where_lancam_reads_its_options() {
    let mut camera = Camera::new();
    let request = get("/", PAGE).replace("garage.local:8080", "cam.example.org");
    for (is_service, how) in [
        (false, "or start lancam with --http-name cam.example.org"),
        (true, "or write http-name = [\"cam.example.org\"] into this camera's configuration file"),
    ] {
        camera.rules.is_service = is_service;
        let talk = camera.hear(Channel::Tls, request.as_bytes());
        assert!(talk.code() == 421 && talk.body().contains(how), "{talk:?}");
    }
}

#[test]
fn preflight_requests_need_no_key_and_say_that_one_may_be_sent() {
    let mut camera = Camera::new();
    camera.rules.origins.push("https://octopi.local".into());
    let request = get("/state", "Origin: https://octopi.local\r\n").replacen("GET", "OPTIONS", 1);
    let talk = camera.hear(Channel::Tls, request.as_bytes());
    assert_eq!(talk.code(), 204);
    assert_eq!(talk.header("Access-Control-Allow-Headers"), Some("*, Authorization"));
    // The page that may read answers may read why it gets none.
    let refused = camera.get("/state", "Origin: https://octopi.local\r\n");
    assert_eq!(
        (refused.code(), refused.header("Access-Control-Allow-Origin")),
        (401, Some("https://octopi.local"))
    );
}

#[test]
fn keys_and_codes_get_into_no_log() {
    let camera = Camera::new();
    let (key, code) = (camera.key("HA"), camera.access.code().shown());
    for request in [
        get(&format!("/nowhere?key={key}"), ""),
        get(&format!("/stream?width=x&key={key}"), ""),
        get(&format!("/stream?key={key}x"), ""),
        get("/stream", &format!("Authorization: Bearer {key}x\r\n")),
        get("/stream", &format!("Authorization : Bearer {key}\r\n")),
        get(&format!("/stream?key={key} "), ""),
        form(&format!("code={code}&x"), OWN_SITE),
        form(&format!("code={code}0"), OWN_SITE),
    ] {
        for channel in [Channel::Tls, Channel::Plain] {
            let talk = camera.hear(channel, request.as_bytes());
            for secret in [&key[..12], &code] {
                assert!(!talk.end().contains(secret) && !talk.said.contains(secret), "{talk:?}");
            }
        }
    }
}

#[test]
fn where_everybody_may_watch_there_is_no_login() {
    let rules = HttpRules::default();
    let own = Wish::own(Coding::Jpeg { quality: 80, chroma: Chroma::Yuv420 }, SizeWish::default());
    for (request, status) in [(get("/login", PAGE), "404 "), (form("code=x", OWN_SITE), "405 ")] {
        let mut http = Http::new("Garage", &rules, own, START.after(Duration::from_secs(5)), START);
        http.received(request.as_bytes(), START);
        let mut out = Outgoing::default();
        let moment = Moment {
            now: START,
            since_1970: Duration::ZERO,
            interval: Duration::ZERO,
            measured: Duration::ZERO,
            first_frame_at: Micros(0),
        };
        while let Next::Order(_) = http.next(Input::Awake, &mut out, &moment) {}
        let said = String::from_utf8(out.messages().expect("room").clone()).expect("text");
        assert!(said.starts_with(&format!("HTTP/1.1 {status}")), "{said}");
        assert!(!said.contains("login\n") && !said.contains("<form"), "{said}");
    }
}

#[test]
fn who_waits_when_lancam_stops_is_told_so() {
    let camera = Camera::new();
    let key = camera.key("HA");
    // The session is told, or finds that the camera has ended.
    let is_told = |table: &mut Table<'_>| table.stop();
    let finds_out = |table: &mut Table<'_>| {
        table.is_closed = true;
        table.run();
    };
    // The client closes its side, or keeps it open for longer than lancam waits.
    let leaves = |table: &mut Table<'_>| table.http.input_ended();
    let stays = |table: &mut Table<'_>| table.now = table.now.after(Duration::from_millis(200));
    type Step<'a> = &'a dyn Fn(&mut Table<'_>);
    let ways: [[Step<'_>; 2]; 4] =
        [[&is_told, &leaves], [&is_told, &stays], [&finds_out, &leaves], [&finds_out, &stays]];
    for (way, [stops, then]) in ways.iter().enumerate() {
        for target in ["/snapshot", "/stream"] {
            let mut table = camera.table([192, 0, 2, 1].into(), Channel::Tls);
            // The camera sends no picture yet.
            table.pictures = 1;
            table.ask(target, &key);
            assert!(table.talk.said.is_empty() && table.talk.end.is_none(), "{target}");
            stops(&mut table);
            assert!(table.talk.end.is_none(), "{target}, {way}: it has to arrive");
            then(&mut table);
            table.run();
            let talk = table.talk;
            assert_eq!(talk.code(), 503, "{target}, {way}");
            assert_eq!(talk.body(), "lancam is stopping\n", "{target}, {way}");
            assert!(talk.header("Retry-After").is_some(), "{talk:?}");
            assert!(matches!(talk.end, Some(SessionEnd::Stopping)), "{talk:?}");
            let orders: Vec<&str> = talk.orders.iter().map(String::as_str).collect();
            let last = if way < 2 { &["CloseSending"][..] } else { &["Unwatch", "CloseSending"] };
            assert!(orders.ends_with(last), "{talk:?}");
        }
    }
}

#[test]
fn an_answer_that_has_begun_is_sent_to_its_end_though_lancam_stops() {
    let camera = Camera::new();
    let key = camera.key("HA");
    let mut table = camera.table([192, 0, 2, 1].into(), Channel::Tls);
    table.room = 20;
    table.ask("/state", &key);
    assert_eq!(table.talk.said.len(), 20);
    table.room = usize::MAX;
    table.stop();
    table.http.input_ended();
    table.run();
    assert_eq!(table.talk.body(), REPORT);
    assert!(matches!(table.talk.end, Some(SessionEnd::Stopping)), "{:?}", table.talk);
    // A client that takes nothing delays the end for a moment alone.
    let mut table = camera.table([192, 0, 2, 1].into(), Channel::Tls);
    table.room = 20;
    table.ask("/state", &key);
    table.stop();
    assert!(table.talk.end.is_none());
    table.now = table.now.after(Duration::from_millis(200));
    table.run();
    assert!(matches!(table.talk.end, Some(SessionEnd::Stopping)), "{:?}", table.talk);
}
