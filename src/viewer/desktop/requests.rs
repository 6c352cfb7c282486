//! A few requests of X's protocol, version 11, and their replies: little-endian words, each reply awaited before the next request.

use super::authority::{COOKIE, cookie};
use crate::image::pixels::Size;
use std::io::{self, Read, Write};
use std::time::Duration;

#[cfg(unix)]
type Stream = std::os::unix::net::UnixStream;
#[cfg(not(unix))]
type Stream = std::net::TcpStream;

/// A connection to the server.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    state: State,
    root: u32,
    screen: Size,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// A reply is missing: what comes next may be that one, and be taken for another.
    Lost,
}

/// Where a window is, within the one that it is in, and how large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) x: i16,
    pub(super) y: i16,
    pub(super) size: Size,
}

/// The window waits for this.
const PATIENCE: Duration = Duration::from_millis(300);
/// Properties longer than this, in words, are cut.
const MAX_WORDS: u32 = 16 << 10;

const CONFIGURE_WINDOW: u8 = 12;
const GET_GEOMETRY: u8 = 14;
const INTERN_ATOM: u8 = 16;
const CHANGE_PROPERTY: u8 = 18;
const GET_PROPERTY: u8 = 20;
const SEND_EVENT: u8 = 25;
const TRANSLATE_COORDINATES: u8 = 40;

/// The atom STRING, which is the same everywhere.
const STRING: u32 = 31;

/// The event that one program sends another.
const CLIENT_MESSAGE: u8 = 33;
/// What window managers listen for: SubstructureNotify and SubstructureRedirect.
const FOR_MANAGERS: u32 = 0x0018_0000;

impl Connection {
    pub(super) fn open() -> io::Result<Self> {
        let display = std::env::var("DISPLAY").map_err(io::Error::other)?;
        let number = local_number(&display).ok_or(io::ErrorKind::Unsupported)?;
        let mut stream = connect(number)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let key = authority().and_then(|file| cookie(&file, number)).unwrap_or_default();
        let kind = if key.is_empty() { b"".as_slice() } else { COOKIE };
        let mut hello = vec![b'l', 0, 11, 0, 0, 0];
        hello.extend(length(kind)?);
        hello.extend(length(&key)?);
        hello.extend([0, 0]);
        for part in [kind, &key] {
            hello.extend_from_slice(part);
            hello.resize(hello.len().next_multiple_of(4), 0);
        }
        stream.write_all(&hello)?;
        let mut head = [0; 8];
        stream.read_exact(&mut head)?;
        let mut welcome = vec![0; usize::from(u16::from_le_bytes([head[6], head[7]])) * 4];
        stream.read_exact(&mut welcome)?;
        if head[0] != 1 {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let (root, screen) = first_screen(&welcome).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self { stream, state: State::Open, root, screen })
    }

    pub(super) fn root(&self) -> u32 {
        self.root
    }

    pub(super) fn screen(&self) -> Size {
        self.screen
    }

    /// The number that stands for a name.
    pub(super) fn atom(&mut self, name: &str) -> io::Result<u32> {
        let mut body = length(name.as_bytes())?.to_vec();
        body.extend([0, 0]);
        body.extend_from_slice(name.as_bytes());
        self.send(INTERN_ATOM, &body)?;
        word(&self.reply()?, 8)
    }

    /// A property of a window, as numbers.
    pub(super) fn words(&mut self, window: u32, name: &str) -> io::Result<Vec<u32>> {
        let (format, bytes) = self.property(window, name)?;
        let words = bytes.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
        Ok(if format == 32 { words.collect() } else { Vec::new() })
    }

    /// A property of the root window, as text.
    pub(super) fn root_text(&mut self, name: &str) -> io::Result<String> {
        let (format, bytes) = self.property(self.root, name)?;
        Ok(if format == 8 { String::from_utf8_lossy(&bytes).into_owned() } else { String::new() })
    }

    /// Gives a window a property that is text.
    pub(super) fn set_text(&mut self, window: u32, name: &str, text: &str) -> io::Result<()> {
        let atom = self.atom(name)?;
        let len = u32::try_from(text.len()).map_err(io::Error::other)?;
        // Items of 8 bits.
        let mut body = bytes_of(&[window, atom, STRING, 8, len]);
        body.extend_from_slice(text.as_bytes());
        self.send(CHANGE_PROPERTY, &body)?;
        self.finish()
    }

    /// Bits of each item, and the items.
    fn property(&mut self, window: u32, name: &str) -> io::Result<(u8, Vec<u8>)> {
        let atom = self.atom(name)?;
        self.send(GET_PROPERTY, &bytes_of(&[window, atom, 0, 0, MAX_WORDS]))?;
        let mut reply = self.reply()?;
        let format = reply[1];
        let items = usize::try_from(word(&reply, 16)?).map_err(io::Error::other)?;
        let count = items.saturating_mul(usize::from(format / 8));
        let mut value = reply.split_off(32);
        value.truncate(count);
        Ok((format, value))
    }

    /// Where a window is on the screen.
    pub(super) fn place(&mut self, window: u32) -> io::Result<(i32, i32)> {
        self.send(TRANSLATE_COORDINATES, &bytes_of(&[window, self.root, 0]))?;
        let reply = self.reply()?;
        Ok((i32::from(short(&reply, 12)), i32::from(short(&reply, 14))))
    }

    pub(super) fn geometry(&mut self, window: u32) -> io::Result<Geometry> {
        self.send(GET_GEOMETRY, &bytes_of(&[window]))?;
        let reply = self.reply()?;
        let side = |at: usize| usize::from(u16::from_le_bytes([reply[at], reply[at + 1]]));
        let size = Size::new(side(16), side(18));
        Ok(Geometry { x: short(&reply, 12), y: short(&reply, 14), size })
    }

    /// Moves and resizes a window.
    pub(super) fn configure(&mut self, window: u32, to: Geometry) -> io::Result<()> {
        let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        let place = |side: i16| i32::from(side).cast_unsigned();
        // All of x, y, width, height.
        let (width, height) = (side(to.size.width), side(to.size.height));
        let words = [window, 0b1111, place(to.x), place(to.y), width, height];
        self.send(CONFIGURE_WINDOW, &bytes_of(&words))?;
        self.finish()
    }

    /// Asks the window manager for something about a window.
    pub(super) fn tell_manager(
        &mut self,
        window: u32,
        kind: u32,
        data: [u32; 5],
    ) -> io::Result<()> {
        let mut body = bytes_of(&[self.root, FOR_MANAGERS]);
        body.extend([CLIENT_MESSAGE, 32, 0, 0]);
        body.extend(bytes_of(&[window, kind]));
        body.extend(bytes_of(&data));
        self.send(SEND_EVENT, &body)?;
        self.finish()
    }

    /// Any reply proves that what was sent before has been done.
    fn finish(&mut self) -> io::Result<()> {
        self.atom("WM_NAME").map(drop)
    }

    fn send(&mut self, code: u8, body: &[u8]) -> io::Result<()> {
        let words = u16::try_from(1 + body.len().div_ceil(4)).map_err(io::Error::other)?;
        let [low, high] = words.to_le_bytes();
        let mut request = vec![code, 0, low, high];
        request.extend_from_slice(body);
        request.resize(usize::from(words) * 4, 0);
        if self.state == State::Lost {
            return Err(io::ErrorKind::NotConnected.into());
        }
        self.stream.write_all(&request).inspect_err(|_| self.state = State::Lost)
    }

    /// The next reply: at least 32 bytes. Events that every program gets are passed over.
    fn reply(&mut self) -> io::Result<Vec<u8>> {
        let reply = self.next_reply().inspect_err(|_| self.state = State::Lost)?;
        match reply[0] {
            0 => Err(io::Error::other(format!("X refuses it with error {}", reply[1]))),
            _ => Ok(reply),
        }
    }

    /// The same, or an error of X's.
    fn next_reply(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let mut reply = vec![0; 32];
            self.stream.read_exact(&mut reply)?;
            match reply[0] {
                0 => return Ok(reply),
                1 => {
                    let words = word(&reply, 4)?;
                    if words > MAX_WORDS {
                        return Err(io::ErrorKind::InvalidData.into());
                    }
                    let words = usize::try_from(words).map_err(io::Error::other)?;
                    reply.resize(32 + words * 4, 0);
                    self.stream.read_exact(&mut reply[32..])?;
                    return Ok(reply);
                }
                _ => {}
            }
        }
    }
}

/// The number of a display of this machine: the 1 of `:1.0`.
fn local_number(display: &str) -> Option<&str> {
    let number = display.strip_prefix("unix").unwrap_or(display).strip_prefix(':')?;
    let number = number.split('.').next()?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(number)
}

#[cfg(unix)]
fn connect(number: &str) -> io::Result<Stream> {
    Stream::connect(format!("/tmp/.X11-unix/X{number}"))
}

#[cfg(not(unix))]
fn connect(_number: &str) -> io::Result<Stream> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The file of keys, if there is one.
fn authority() -> Option<Vec<u8>> {
    let path = match std::env::var_os("XAUTHORITY") {
        Some(path) => path.into(),
        None => std::path::PathBuf::from(std::env::var_os("HOME")?).join(".Xauthority"),
    };
    std::fs::read(path).ok()
}

/// The root window of the first screen, and its size, from what the server says at first.
fn first_screen(welcome: &[u8]) -> Option<(u32, Size)> {
    let vendor = usize::from(u16::from_le_bytes(*welcome.get(16..18)?.first_chunk()?));
    let formats = usize::from(*welcome.get(21)?);
    let screen = welcome.get(32 + vendor.next_multiple_of(4) + formats * 8..)?;
    let side = |at: usize| Some(usize::from(u16::from_le_bytes(*screen.get(at..)?.first_chunk()?)));
    Some((word(screen, 0).ok()?, Size::new(side(20)?, side(22)?)))
}

fn bytes_of(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn word(bytes: &[u8], at: usize) -> io::Result<u32> {
    let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk);
    bytes.map(|bytes| u32::from_le_bytes(*bytes)).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// A coordinate of a reply, all of which are 32 bytes long.
fn short(reply: &[u8], at: usize) -> i16 {
    i16::from_le_bytes([reply[at], reply[at + 1]])
}

fn length(bytes: &[u8]) -> io::Result<[u8; 2]> {
    Ok(u16::try_from(bytes.len()).map_err(io::Error::other)?.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_displays_of_this_machine_have_a_number_here() {
        for (display, number) in [
            (":0", Some("0")),
            (":10.2", Some("10")),
            ("unix:3", Some("3")),
            ("localhost:10", None),
            ("", None),
            (":", None),
            (":/etc", None),
        ] {
            assert_eq!(local_number(display), number, "{display}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_reply_that_comes_too_late_is_not_taken_for_another() {
        let (stream, mut server) = Stream::pair().expect("two ends");
        stream.set_read_timeout(Some(Duration::from_millis(1))).expect("set");
        let screen = Size::new(1, 1);
        let mut x = Connection { stream, state: State::Open, root: 1, screen };
        let reply = |kind: u8| [&[kind, 9], [0; 30].as_slice()].concat();
        // An error of X's is an answer.
        server.write_all(&reply(0)).expect("sent");
        assert!(x.atom("A").is_err());
        server.write_all(&reply(1)).expect("sent");
        assert!(x.atom("B").is_ok());
        assert!(x.atom("C").is_err(), "nothing comes");
        server.write_all(&reply(1)).expect("sent");
        assert!(x.atom("D").is_err(), "that was the answer to C");
    }

    #[test]
    fn a_welcome_cut_short_is_no_screen() {
        let mut welcome = vec![0; 32 + 4 + 8 + 24];
        (welcome[16], welcome[21]) = (3, 1);
        welcome[44] = 7;
        welcome[64..68].copy_from_slice(&[0x78, 5, 0x84, 3]);
        assert_eq!(first_screen(&welcome), Some((7, Size::new(1400, 900))));
        for len in 0..welcome.len() {
            assert_eq!(first_screen(&welcome[..len]), None, "{len}");
        }
    }
}
