//! An X server without a screen. A test can read its pixels and press its keys.

use lancam::image::picture::Picture;
use lancam::image::pixels::Size;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A running Xvfb. Dropping it ends it.
pub struct Xvfb {
    server: Child,
    display: String,
    /// The folder in which the server keeps its screen, as an XWD file.
    folder: TempDir,
}

/// The size of the screen.
pub const SCREEN: Size = Size::new(1400, 900);

impl Xvfb {
    /// Starts an X server on a free display. The error says what this machine lacks.
    pub fn start() -> Result<Self, String> {
        for (program, argument) in [("Xvfb", "-help"), ("xdotool", "version")] {
            let mut command = Command::new(program);
            command.arg(argument).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().map_err(|_| format!("{program} is not installed"))?;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let mut server = Command::new("Xvfb")
            // Without -noreset, the server closes all connections when its last client (xdotool) has gone. That may hit the
            // viewer, if it connects at that moment.
            .args(["-noreset", "-displayfd", "1", "-nolisten", "tcp", "-screen", "0"])
            .arg(format!("{SCREEN}x24"))
            .arg("-fbdir")
            .arg(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("Xvfb does not start: {error}"))?;
        let mut number = String::new();
        let stdout = server.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut number).expect("Xvfb says its number");
        Ok(Self { server, display: format!(":{}", number.trim()), folder })
    }

    /// The value of `DISPLAY`.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// Runs xdotool. Returns its standard output, or `None` if it failed.
    pub fn xdotool(&self, arguments: &[&str]) -> Option<String> {
        let mut command = Command::new("xdotool");
        let output = command.args(arguments).env("DISPLAY", &self.display).output();
        let output = output.expect("xdotool runs");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().into())
    }

    /// The title of the only window, if there is one with a title that contains `text`.
    pub fn title_with(&self, text: &str) -> Option<String> {
        // xdotool only searches for ASCII, so search for any title and compare it here.
        let title = self.xdotool(&["search", "--onlyvisible", "--name", ".", "getwindowname"])?;
        title.contains(text).then_some(title)
    }

    /// Asks window `id` to close, as the button in its title bar does (ICCCM, 4.2.8.1).
    pub fn close(&self, id: u32) -> io::Result<()> {
        let (mut x, _) = self.connect()?;
        let protocols = atom(&mut x, "WM_PROTOCOLS")?;
        let delete = atom(&mut x, "WM_DELETE_WINDOW")?;
        // SendEvent, 11 words, to the window, without an event mask. The event is ClientMessage, format 32.
        let mut request = vec![25, 0, 11, 0];
        for word in [id, 0] {
            request.extend(word.to_le_bytes());
        }
        request.extend([33, 32, 0, 0]);
        for word in [id, protocols, delete, 0, 0, 0, 0] {
            request.extend(word.to_le_bytes());
        }
        x.write_all(&request)?;
        // The reply to this request proves that the previous one was executed.
        atom(&mut x, "WM_PROTOCOLS").map(drop)
    }

    /// A new connection, and the root window.
    fn connect(&self) -> io::Result<(UnixStream, u32)> {
        let number = self.display.trim_start_matches(':');
        let mut x = UnixStream::connect(format!("/tmp/.X11-unix/X{number}"))?;
        // Little-endian, version 11.0, no authorization. The reply's length is in words.
        x.write_all(&[b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
        let mut head = [0; 8];
        x.read_exact(&mut head)?;
        assert_eq!(head[0], 1, "the server lets us in");
        let mut setup = vec![0; usize::from(u16::from_le_bytes([head[6], head[7]])) * 4];
        x.read_exact(&mut setup)?;
        // The first screen follows 32 bytes, the vendor's name and 8 bytes per pixel format. It begins with the root
        // window's id.
        let vendor = usize::from(u16::from_le_bytes([setup[16], setup[17]])).next_multiple_of(4);
        let screen = &setup[32 + vendor + 8 * usize::from(setup[21])..];
        let root = u32::from_le_bytes(*screen.first_chunk().expect("a screen"));
        Ok((x, root))
    }

    /// A property of a window as 32-bit numbers.
    pub fn property(&self, window: u32, name: &str) -> io::Result<Vec<u32>> {
        let (mut x, _) = self.connect()?;
        let name = atom(&mut x, name)?;
        // GetProperty of any type, from its beginning, up to 64 k words.
        let mut request = vec![20, 0, 6, 0];
        for word in [window, name, 0, 0, 1 << 16] {
            request.extend(word.to_le_bytes());
        }
        x.write_all(&request)?;
        let (_, rest) = reply(&mut x)?;
        Ok(rest.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect())
    }

    /// Sets the screen saver's timeout. Returns the server's value.
    pub fn screen_saver_after(&self, seconds: u8) -> io::Result<u16> {
        let (mut x, _) = self.connect()?;
        // SetScreenSaver: the timeout, no interval, defaults for the rest.
        x.write_all(&[107, 0, 3, 0, seconds, 0, 0, 0, 2, 2, 0, 0])?;
        x.write_all(&[108, 0, 1, 0])?;
        let (head, _) = reply(&mut x)?;
        Ok(u16::from_le_bytes([head[8], head[9]]))
    }

    /// Whether the screen saver is on (MIT-SCREEN-SAVER, QueryInfo).
    pub fn is_screen_saver_on(&self) -> io::Result<bool> {
        const NAME: &[u8] = b"MIT-SCREEN-SAVER";
        let (mut x, root) = self.connect()?;
        // QueryExtension returns the extension's request number.
        let mut request = vec![98, 0, 6, 0, 16, 0, 0, 0];
        request.extend_from_slice(NAME);
        x.write_all(&request)?;
        let (head, _) = reply(&mut x)?;
        assert_eq!(head[8], 1, "the server has a screen saver");
        let mut request = vec![head[9], 1, 2, 0];
        request.extend(root.to_le_bytes());
        x.write_all(&request)?;
        let (head, _) = reply(&mut x)?;
        Ok(head[1] == 1)
    }

    /// What is on the screen now.
    pub fn screenshot(&self) -> Picture {
        let file: PathBuf = self.folder.path().join("Xvfb_screen0");
        let bytes = std::fs::read(&file).expect("Xvfb keeps its screen in a file");
        // The header of XWDFile.h: big-endian words, of which these are needed.
        let word = |index: usize| {
            let bytes = bytes[index * 4..].first_chunk().expect("a whole header");
            usize::try_from(u32::from_be_bytes(*bytes)).expect("64 bits")
        };
        let (header, width, height, line, colours) =
            (word(0), word(4), word(5), word(12), word(19));
        assert_eq!((word(11), Size::new(width, height)), (32, SCREEN), "bits per pixel, and size");
        // Each colour map entry is 12 bytes.
        let pixels = &bytes[header + colours * 12..];
        let mut picture = Picture::blank(SCREEN, 0);
        for (row, out) in picture.pixels_mut().chunks_exact_mut(width).enumerate() {
            for (pixel, bytes) in out.iter_mut().zip(pixels[row * line..].as_chunks().0) {
                *pixel = u32::from_le_bytes(*bytes) & 0x00FF_FFFF;
            }
        }
        picture
    }
}

impl Drop for Xvfb {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// InternAtom.
fn atom(x: &mut UnixStream, name: &str) -> io::Result<u32> {
    let words = 2 + name.len().div_ceil(4);
    let mut request = vec![16, 0, u8::try_from(words).expect("a short name"), 0];
    request.extend([u8::try_from(name.len()).expect("a short name"), 0, 0, 0]);
    request.extend_from_slice(name.as_bytes());
    request.resize(words * 4, 0);
    x.write_all(&request)?;
    let (head, _) = reply(x)?;
    Ok(u32::from_le_bytes([head[8], head[9], head[10], head[11]]))
}

/// The first 32 bytes of a reply, and what follows them.
fn reply(x: &mut UnixStream) -> io::Result<([u8; 32], Vec<u8>)> {
    let mut head = [0; 32];
    x.read_exact(&mut head)?;
    assert_eq!(head[0], 1, "a reply, not an error");
    let words = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    let mut rest = vec![0; usize::try_from(words).expect("64 bits") * 4];
    x.read_exact(&mut rest)?;
    Ok((head, rest))
}
