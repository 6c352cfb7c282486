//! A camera answers to the name that it announces, whatever its owner calls it.

use crate::discovery::found::{camera, listed, view};
use crate::tools::camera_process::CameraProcess;
use crate::tools::lan::{Lan, Machine};
use crate::tools::program::python_with;
use std::collections::BTreeMap;
use std::process::Command;

/// Names that people may give to cameras.
const NAMES: [&str; 20] = [
    "Garage",
    "Front door",
    "Garage (left)",
    "Küche",
    "玄関",
    "Kitchen!",
    "St. Mary's",
    "A  B",
    "Pi 4.2",
    "_x",
    "Camera #3",
    "3D-Drucker / Büro",
    "raspberrypi.lan",
    "Kamera im Keller neben der Heizung hinten links unten 12",
    "UPPER Case",
    "🐔 Hühner",
    "a\\b",
    "cam.example.org",
    "xn--kche-0ra",
    "0123456789012345678901234567890123456789012345678901234567890ab",
];

/// Resolves every camera and its host, and asks that host by its name for its health. Prints a line for each.
const WITNESS: &str = "
import http.client, socket, sys, time
from zeroconf import ServiceBrowser, Zeroconf
names = set()
class Listener:
    def add_service(self, zc, kind, name): names.add((kind, name))
    def update_service(self, zc, kind, name): pass
    def remove_service(self, zc, kind, name): pass
zc = Zeroconf(interfaces=['10.77.0.2'])
ServiceBrowser(zc, ['_lancam._tcp.local.'], Listener())
end = time.time() + 20
while len(names) < int(sys.argv[1]) and time.time() < end: time.sleep(0.05)
for kind, name in sorted(names):
    info = zc.get_service_info(kind, name, 5000)
    connection = http.client.HTTPConnection(info.parsed_addresses()[0], info.port, timeout=10)
    host = info.server.rstrip('.')
    connection.request('GET', '/healthz', headers={'Host': host})
    code = connection.getresponse().status
    print(info.properties[b'name'].decode(), host, info.port, code, sep='\\t', flush=True)
";

#[test]
fn whatever_a_camera_is_called_it_answers_to_the_name_that_it_announces() {
    let Some(lan) = Lan::new() else { return };
    let Some(python) = python_with(&[("zeroconf", "0.148.0")]) else { return };
    let cameras: Vec<CameraProcess> = NAMES
        .iter()
        .map(|name| {
            let options = ["--source", "test:64x48@1", "--listen", "0.0.0.0:0", "--name", name];
            camera(&lan, &options)
        })
        .collect();
    let ports: BTreeMap<&str, u16> =
        NAMES.into_iter().zip(cameras.iter().map(CameraProcess::port)).collect();
    listed(&lan, Machine::Desk, |lines| lines.len() == NAMES.len());
    let mut command = Command::new(python);
    command.args(["-c", WITNESS, &NAMES.len().to_string()]);
    let witness = lan.on(Machine::Desk, &command).output().expect("python runs");
    let told = String::from_utf8(witness.stdout).expect("UTF-8");
    println!("{told}");
    let mut hosts = BTreeMap::new();
    for line in told.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, host, port, code] = fields[..] else { panic!("{line}") };
        assert_eq!(code, "200", "{name} is announced at {host}");
        assert_eq!(port.parse(), Ok(ports[name]), "{name}");
        assert!(hosts.insert(host.to_owned(), name).is_none(), "{host} twice");
    }
    assert_eq!(hosts.len(), NAMES.len(), "{}", String::from_utf8_lossy(&witness.stderr));
    // The viewer opens some of them by that name. All of them would take too long.
    for name in ["Garage (left)", "Küche", "玄関", NAMES[13]] {
        let host = hosts.iter().find(|(_, of)| **of == name).expect("announced").0;
        let at = format!("{host}:{}", ports[name]);
        let (code, _, stderr) = view(&lan, Machine::Desk, &["--headless", "--frames", "1", &at]);
        assert_eq!(code, Some(0), "{name}: {stderr}");
    }
}

/// If a name is taken, the second camera answers to its new name.
#[test]
fn a_camera_that_had_to_take_another_name_answers_to_that() {
    let Some(lan) = Lan::new() else { return };
    let options = ["--source", "test:64x48@5", "--listen", "0.0.0.0:0", "--name", "Garage"];
    let first = camera(&lan, &options);
    listed(&lan, Machine::Desk, |lines| lines.len() == 1);
    let second = camera(&lan, &options);
    listed(&lan, Machine::Desk, |lines| lines.len() == 2 && lines[1].starts_with("Garage (2)"));
    for (host, port) in [("garage.local", first.port()), ("garage-2.local", second.port())] {
        let mut curl = Command::new("curl");
        let resolve = format!("{host}:{port}:10.77.0.1");
        let url = format!("http://{host}:{port}/healthz");
        let code = ["-s", "-o", "/dev/null", "-w", "%{http_code}"];
        curl.args(code).args(["--max-time", "10", "--resolve", &resolve, &url]);
        let answer = lan.on(Machine::Desk, &curl).output().expect("curl runs");
        assert_eq!(String::from_utf8_lossy(&answer.stdout).trim(), "200", "{host}");
        let at = format!("{host}:{port}");
        let (code, _, stderr) = view(&lan, Machine::Desk, &["--headless", "--frames", "1", &at]);
        assert_eq!(code, Some(0), "{host}: {stderr}");
    }
}
