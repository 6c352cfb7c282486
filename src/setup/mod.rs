//! The program `lancam-setup`: turns the settings on the SD card's boot partition into the files that the image's programs
//! read.
//!
//! It runs at each start before those programs, and never fails: what it cannot read becomes a complaint, and the default is
//! used. Files are parsed; they are never executed or passed on unchanged. Each dialect has a module of its own, which does
//! no I/O.

mod cloud;
mod code;
mod files;
mod finding;
mod imager;
pub mod options;
mod partition;
mod secrets;
mod supplicant;
mod text;
mod wifi_key;
mod written;
mod yaml;

use crate::settings::code::WrittenCode;
use crate::settings::lines::{line_at, line_number};
use crate::settings::reading::{Reading, Remark, Weight};
use crate::settings::wishes::{HostName, Network, Secret, Wishes};
use crate::settings::{COMPLAINTS, device, quotes};
use crate::wording::curly_quotes;
use files::{Access, put_or_remove};
use finding::Meant;
use options::{Options, RUN, Step};
use secrets::Secrets;
use std::fmt::Write;
use std::io;
use std::ops::Range;
use std::path::Path;
use text::Text;

/// Reads the settings in a file.
type Dialect = fn(&str) -> Reading;

/// All files that are read. Earlier ones take precedence.
const DIALECTS: [(&str, Dialect); 7] = [
    (OWN, device::read),
    (AUTHORIZED_KEYS, authorized_keys),
    ("custom.toml", imager::read),
    ("rpi-preseed.toml", imager::read),
    ("user-data", cloud::read_user_data),
    ("network-config", cloud::read_network_config),
    ("wpa_supplicant.conf", supplicant::read),
];

const OWN: &str = "lancam.toml";

const AUTHORIZED_KEYS: &str = "authorized_keys";

fn authorized_keys(text: &str) -> Reading {
    let mut reading = Reading::default();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let said = line.trim();
        if !said.is_empty() && !said.starts_with('#') {
            reading.key(at, "this line", said);
        }
        at += line.len();
    }
    reading
}

/// The names of all files that are read.
pub fn files() -> impl Iterator<Item = &'static str> {
    DIALECTS.into_iter().map(|(name, _)| name)
}

/// A file's bytes and what was read from them. For tests and fuzzers, without I/O.
#[derive(Debug)]
pub struct Parsed {
    text: Text,
    /// The settings that the file asks for.
    pub reading: Reading,
}

impl Parsed {
    /// Parses a file; `None` if no file of this name is read.
    pub fn new(file: &str, bytes: Vec<u8>) -> Option<Self> {
        let (_, dialect) = DIALECTS.into_iter().find(|(name, _)| *name == file)?;
        let (text, _) = Text::decode(bytes);
        let reading = dialect(&text.text);
        Some(Self { text, reading })
    }

    /// The file's text.
    pub fn text(&self) -> &str {
        &self.text.text
    }

    /// The file for `wpa_supplicant` that results from it.
    pub fn wifi(&self) -> String {
        supplicant::written(self.reading.wishes.country, &self.reading.wishes.networks)
    }

    /// Overwrites the secrets in the bytes it was made of.
    pub fn move_secrets(&self, file: &mut [u8]) {
        let wishes = &self.reading.wishes;
        let code = wishes.code.iter().map(|code| code.at.clone());
        for place in wishes.networks.iter().filter_map(Network::place_of_secret).chain(code) {
            let (at, bytes) = secrets::moved(&self.text, &place);
            if let Some(there) = file.get_mut(at..at + bytes.len()) {
                there.copy_from_slice(&bytes);
            }
        }
    }
}

/// A file of the boot partition after reading.
struct Source {
    meant: Meant,
    text: Text,
    /// Its networks, even those that are not used, because their passwords are in the file too.
    networks: Vec<Network>,
    /// The same for its code.
    code: Option<WrittenCode>,
}

/// Everything that was read.
#[derive(Default)]
struct Found {
    wishes: Wishes,
    sources: Vec<Source>,
    complaints: Vec<String>,
}

/// Does one step. Failures become complaints, since nobody could react to an exit status.
pub fn run(options: &Options) {
    let mut found = Found::read(&options.boot);
    let done = match options.step {
        Step::Everything => found.write_everything(options),
        Step::KeepSecrets => found.keep_secrets(options),
        // The steps before it have left their complaints.
        Step::TellCode => return found.tell_code(options),
    };
    if let Err(error) = done {
        found.complain(format!("not all settings on the card are used: {error}"));
    }
    let complaints = found.complaints.iter().fold(String::new(), |text, it| text + it + "\n");
    let complaints = Some(complaints.as_str()).filter(|text| !text.is_empty());
    let path = options.run.join(COMPLAINTS.strip_prefix("/run/").unwrap_or(COMPLAINTS));
    if let Err(error) = put_or_remove(&path, complaints, Access::All) {
        log::error!("{}: {error}", path.display());
    }
}

impl Source {
    /// The lines without comments and blank lines.
    fn says(&self) -> impl Iterator<Item = &str> {
        let lines = self.text.text.lines().map(str::trim);
        lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
    }
}

impl Found {
    fn read(boot: &Path) -> Self {
        let mut found = Self::default();
        let folder = files::names(boot);
        for meant in finding::meant(&folder, files()) {
            found.read_file(boot, meant);
        }
        found.tell_of_contradictions();
        found.look_for_others(&folder);
        found
    }

    fn read_file(&mut self, boot: &Path, meant: Meant) {
        let Some((_, dialect)) = DIALECTS.into_iter().find(|(name, _)| *name == meant.name) else {
            return;
        };
        let mut reading = Reading::default();
        let Some(text) = files::read(&boot.join(&meant.file), &mut reading) else {
            return self.tell(&meant.file, "", &reading.remarks);
        };
        self.tell(&meant.file, &text.text, &reading.remarks);
        let Reading { mut wishes, remarks } = dialect(&text.text);
        self.tell(&meant.file, &text.text, &remarks);
        let networks = wishes.networks.clone();
        for network in &networks {
            let name = network.ssid.to_string();
            if let Some(inside) = quotes::without(&name) {
                self.complain(format!(
                    "{}: the network's name {name} has curly quotes. If it is {inside}, write straight quotes around it",
                    meant.file
                ));
            }
        }
        let code = wishes.code.clone();
        self.sources.push(Source { meant, text, networks, code });
        if self.sources.last().is_some_and(|source| source.meant.name == AUTHORIZED_KEYS) {
            // Keys of both files may log in.
            self.wishes.keys.append(&mut wishes.keys);
        }
        self.wishes = std::mem::take(&mut self.wishes).or(wishes);
    }

    /// Reports a second file for the same name, because only the first is used.
    fn tell_of_contradictions(&mut self) {
        let mut told = Vec::new();
        for (at, second) in self.sources.iter().enumerate() {
            let earlier = &self.sources[..at];
            let first = earlier
                .iter()
                .find(|it| it.meant.name == second.meant.name && it.says().next().is_some());
            let Some(first) = first.filter(|it| it.meant.name != AUTHORIZED_KEYS) else { continue };
            if second.says().next().is_some() && !first.says().eq(second.says()) {
                told.push(format!(
                    "{}: ignored, since {} is there too. Delete one of the two",
                    second.meant.file, first.meant.file
                ));
            }
        }
        told.into_iter().for_each(|line| self.complain(line));
    }

    /// Logs remarks, and keeps complaints for the screen and for viewers.
    fn tell(&mut self, file: &str, text: &str, remarks: &[Remark]) {
        for remark in remarks {
            let at = remark.at.map(|at| format!(":{}", line_number(text, at))).unwrap_or_default();
            let mut line = format!("{file}{at}: {}", remark.text);
            match remark.weight {
                Weight::Complaint => {
                    let curly = remark.at.and_then(|at| quotes::shown(line_at(text, at)));
                    if let Some(right) = curly {
                        let _ = write!(line, ". {}", curly_quotes(&right));
                    }
                    self.complain(line);
                }
                Weight::Note => log::info!("{line}"),
            }
        }
    }

    fn complain(&mut self, line: String) {
        log::warn!("{line}");
        self.complaints.push(line);
    }

    /// Reports files that owners may expect to work, but which are not read.
    fn look_for_others(&mut self, folder: &[String]) {
        let names: Vec<_> = files().collect();
        finding::misnamed(folder, &names).into_iter().for_each(|line| self.complain(line));
        let is_there = |names: &[&str]| {
            folder.iter().any(|file| names.iter().any(|name| file.eq_ignore_ascii_case(name)))
        };
        if is_there(&["firstrun.sh"]) {
            self.complain(
                "firstrun.sh: ignored, since lancam runs no scripts; write the settings into lancam.toml".into(),
            );
        }
        if is_there(&["ssh", "ssh.txt"]) && self.wishes.keys.is_empty() {
            self.complain(
                "ssh: a file alone opens no shell; write your public SSH key into the file authorized_keys".into(),
            );
        }
        if is_there(&["userconf", "userconf.txt"]) {
            log::info!("userconf.txt: ignored, since lancam has no accounts and no passwords");
        }
    }

    fn write_everything(&mut self, options: &Options) -> io::Result<()> {
        let lancam = options.run.join("lancam");
        files::folder(&lancam, Access::All)?;
        // Root's home folder.
        files::folder(&lancam.join("home"), Access::Root)?;
        let mut own = self.sources.iter().filter(|source| source.meant.name == OWN);
        // The file that came with the card contains only comments.
        let own = own.clone().find(|source| source.says().next().is_some()).or_else(|| own.next());
        let own = own.map(|source| device::without_tables(&source.text.text));
        put_or_remove(&lancam.join("lancam.toml"), own.as_deref(), Access::All)?;

        let ssh = lancam.join("ssh");
        files::folder(&ssh, Access::Root)?;
        let keys = self.wishes.keys.iter().fold(String::new(), |text, key| text + key + "\n");
        let keys = Some(keys.as_str()).filter(|text| !text.is_empty());
        put_or_remove(&ssh.join("authorized_keys"), keys, Access::Root)?;

        let networks = options.run.join("systemd/network");
        files::folder(&networks, Access::All)?;
        // With net.ifnames=0, the kernel gives these names to the first interface of each kind.
        let interfaces = [("eth0", &self.wishes.wired), ("wlan0", &self.wishes.wireless)];
        for (interface, addresses) in interfaces {
            let text = addresses.as_ref().map(|addresses| written::network(interface, addresses));
            let path = networks.join(format!("40-{interface}.network"));
            put_or_remove(&path, text.as_deref(), Access::All)?;
        }
        self.write_wifi(options)?;
        self.name_the_machine(options)
    }

    fn name_the_machine(&self, options: &Options) -> io::Result<()> {
        let name = self.wishes.name.as_ref().map(HostName::as_str);
        put_or_remove(&options.run.join("lancam/hostname"), name, Access::All)?;
        match name {
            Some(name) if options.run == Path::new(RUN) => {
                log::info!("this machine's name is {name}");
                Ok(nix::unistd::sethostname(name)?)
            }
            _ => Ok(()),
        }
    }

    /// Writes the networks whose secret is known.
    fn write_wifi(&self, options: &Options) -> io::Result<()> {
        let networks = &self.wishes.networks;
        let is_any = networks.iter().any(|network| network.secret != Secret::Moved);
        let text = is_any.then(|| supplicant::written(self.wishes.country, networks));
        let path = options.run.join("lancam/wpa_supplicant.conf");
        put_or_remove(&path, text.as_deref(), Access::Root)
    }

    fn keep_secrets(&mut self, options: &Options) -> io::Result<()> {
        if let Some(trouble) = partition::trouble(&options.data) {
            self.complain(format!("data partition: {trouble}"));
        }
        self.keep_code(options);
        let kept = options.data.join("wifi");
        let mut secrets = Secrets::read(&kept).unwrap_or_else(|error| {
            self.complain(format!(
                "cannot read the stored Wi-Fi passwords: {}: {error}",
                kept.display()
            ));
            Secrets::default()
        });
        // If two files have the same network, the first one wins. So it is taken last.
        let networks = self.sources.iter().rev().flat_map(|source| source.networks.iter().rev());
        networks.for_each(|network| secrets.take(&network.ssid, &network.secret));
        match secrets.keep(&kept) {
            Ok(()) => self.write_over(&options.boot, "Wi-Fi passwords", |source| {
                source.networks.iter().filter_map(Network::place_of_secret).collect()
            }),
            Err(error) => self.complain(format!(
                "Wi-Fi passwords stay on the boot partition, where any PC can read them: {}: {error}",
                kept.display()
            )),
        }
        let mut unknown = String::new();
        for network in &mut self.wishes.networks {
            match secrets.get(&network.ssid) {
                Some(secret) if network.secret != Secret::Open => network.secret = secret.clone(),
                None if network.secret == Secret::Moved => {
                    let _ = write!(unknown, "{} ", network.ssid);
                }
                _ => {}
            }
        }
        if !unknown.is_empty() {
            self.complain(format!(
                "this camera does not have the password of {unknown}any more: write it there again"
            ));
        }
        self.write_wifi(options)
    }

    /// Overwrites secrets on the boot partition, once the camera's own partition has them.
    fn write_over(
        &mut self,
        boot: &Path,
        what: &str,
        places: impl Fn(&Source) -> Vec<Range<usize>>,
    ) {
        let places = self.sources.iter().map(|source| (source, places(source)));
        let places: Vec<_> = places.filter(|(_, places)| !places.is_empty()).collect();
        if places.is_empty() {
            return;
        }
        let done = secrets::writable(boot, || {
            places.iter().try_for_each(|(source, places)| {
                secrets::write_over(&boot.join(&source.meant.file), &source.text, places)
            })
        });
        match done {
            Ok(()) => log::info!("moved {what} from the boot partition to the camera's own"),
            Err(error) => self.complain(format!(
                "{what}: still on the boot partition, where any PC can read it: {error}"
            )),
        }
    }
}

#[cfg(test)]
mod tests;
