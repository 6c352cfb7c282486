//! The SD card's image as a file: its size, its partitions, its files and their licences, its units as
//! systemd judges them; and that two builds are the same.

use crate::tools::appliance::{file_of_the_image, image, run, script};
use crate::tools::skip::skip;
use crate::tools::systemd;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const MIB: u64 = 1 << 20;

/// The partitions in the table: type, and first byte and length in bytes.
fn partitions(card: &[u8]) -> Vec<(u8, u64, u64)> {
    assert_eq!(card[510..512], [0x55, 0xaa], "the mark of a partition table");
    assert_eq!(card[440..444], 0x6c61_6e63_u32.to_le_bytes(), "what PARTUUIDs begin with");
    let entries = card[446..510].chunks(16).filter(|entry| entry[4] != 0);
    let sectors =
        |bytes: &[u8]| u64::from(u32::from_le_bytes(bytes.try_into().expect("four"))) * 512;
    entries.map(|entry| (entry[4], sectors(&entry[8..12]), sectors(&entry[12..16]))).collect()
}

#[test]
fn it_is_small_and_its_partitions_are_where_the_documents_say() {
    let Some(path) = image() else { return };
    let card = fs::read(&path).expect("an image");
    let len = u64::try_from(card.len()).expect("a length");
    let packed = fs::metadata(path.with_extension("img.xz")).map(|xz| xz.len());
    println!("image: {len} bytes, {packed:?} as .xz");
    assert!(len <= 300_000_000 && packed.is_ok_and(|packed| packed <= 64_000_000));
    let [boot, system, data] = partitions(&card)[..] else { panic!("three partitions") };
    assert_eq!(boot, (0x0c, 4 * MIB, 64 * MIB));
    assert_eq!((system.0, system.1), (0x83, 68 * MIB));
    assert_eq!(data, (0x83, system.1 + system.2, 512 * MIB));
    // The image contains only a blank beginning of the last partition. It grows to the size of the card.
    assert_eq!(len, data.1 + MIB);
    let from = usize::try_from(data.1).expect("a length");
    assert!(card[from..].iter().all(|&byte| byte == 0));
}

/// The system, unpacked. `None` if that is not possible here, which counts as a skip.
fn system() -> Option<TempDir> {
    let path = image()?;
    let got = script("cross/need.sh").arg("unsquashfs:squashfs-tools").output().expect("runs");
    if !got.status.success() {
        skip("squashfs-tools", "cannot be installed");
        return None;
    }
    let card = fs::read(&path).expect("an image");
    let (_, offset, _) = partitions(&card)[1];
    let folder = tempfile::tempdir().expect("a folder");
    let mut unpack = Command::new("unsquashfs");
    unpack.args(["-quiet", "-no-progress", "-o", &offset.to_string(), "-d"]);
    run(unpack.arg(folder.path().join("root")).arg(path));
    Some(folder)
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("readable") {
            let entry = entry.expect("readable");
            let kind = entry.file_type().expect("a kind");
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files
}

#[test]
fn nobody_has_a_password_no_program_more_rights_than_who_starts_it_and_units_are_in_order() {
    let Some(folder) = system() else { return };
    let root = folder.path().join("root");
    let shadow = fs::read_to_string(root.join("etc/shadow")).expect("readable");
    for line in shadow.lines() {
        assert!(line.split(':').nth(1).is_some_and(|it| it.starts_with('!')), "{line}");
    }
    let passwd = fs::read_to_string(root.join("etc/passwd")).expect("readable");
    for line in passwd.lines() {
        assert_eq!(line.split(':').nth(1), Some("x"), "{line}: its password is in etc/shadow");
    }
    let all = files(&root);
    let mode = |file: &PathBuf| fs::metadata(file).expect("readable").permissions().mode();
    let more: Vec<_> = all.iter().filter(|file| mode(file) & 0o6000 != 0).collect();
    assert!(more.is_empty(), "setuid or setgid: {more:?}");
    let keys = all.iter().filter(|file| {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name == "authorized_keys" || name.contains("host_key")
    });
    assert_eq!(keys.count(), 0, "keys in the image are everybody's");
    println!("{} files, 0 setuid, 0 passwords, 0 keys", all.len());
    units_are_in_order(&root);
}

fn units_are_in_order(root: &Path) {
    let ours = |folder: &str| {
        let names = fs::read_dir(root.join(folder)).expect("readable");
        let names =
            names.map(|it| it.expect("readable").file_name().to_string_lossy().into_owned());
        let ours =
            names.filter(|name| ["lancam", "ssh", "wifi"].iter().any(|it| name.starts_with(it)));
        ours.filter(|name| name.contains('.') && !name.ends_with(".d")).collect::<Vec<_>>()
    };
    let units = ours("usr/lib/systemd/system");
    assert!(units.len() >= 8, "{units:?}");
    let mut verify = Command::new("systemd-analyze");
    verify.arg("--root").arg(root).args(["verify", "--man=no"]).args(&units);
    let Ok(output) = verify.output() else {
        return skip("systemd-analyze", "is not here");
    };
    let said = String::from_utf8_lossy(&output.stderr);
    // This machine's systemd may be older than the image's 257, and may not know every setting.
    let is_news = |line: &str| systemd::is_news(line) || line.ends_with(": disconnected");
    let wrong: Vec<_> = said
        .lines()
        .filter(|line| units.iter().any(|unit| line.contains(unit.as_str())) && !is_news(line))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let mut security = Command::new("systemd-analyze");
    security.arg("--root").arg(root).args([
        "security",
        "--offline=true",
        "--no-pager",
        "lancam.service",
    ]);
    let said = run(&mut security).stdout;
    let said = String::from_utf8_lossy(&said);
    let level = said.split("exposure level for").nth(1).and_then(|rest| rest.split(' ').nth(2));
    println!(
        "systemd-analyze security lancam, as in the image: {level:?}; {} units verified",
        units.len()
    );
    let level = level.and_then(|level| level.replace('.', "").parse::<u32>().ok());
    assert!(level.is_some_and(|level| level <= 14), "{said}");
}

/// Files that no device tree names, or only that of a real Pi. Without them, the CPU stays slow, a Pi does
/// not restart, and a ribbon camera or a screen stays dark.
const MUST_HAVE: [&str; 7] = [
    "bcm2835-v4l2",
    "bcm2835_wdt",
    "brcmfmac-wcc",
    "cpufreq-dt",
    "raspberrypi-cpufreq",
    "snd-soc-hdmi-codec",
    "uvcvideo",
];

#[test]
fn drivers_that_only_a_real_pi_asks_for_are_in_it() {
    let Some(folder) = system() else { return };
    let modules = files(&folder.path().join("root/usr/lib/modules"));
    for name in MUST_HAVE {
        let file = format!("{name}.ko");
        assert!(modules.iter().any(|path| path.ends_with(&file)), "{file} is missing");
    }
}

/// The file of this name on the boot partition.
fn on_the_boot_partition(image: &Path, name: &str) -> Option<Vec<u8>> {
    let from = format!("{}@@4M", image.display());
    let Ok(read) = Command::new("mtype").args(["-i", &from, &format!("::{name}")]).output() else {
        skip("mtools", "are not here");
        return None;
    };
    assert!(read.status.success(), "{name}: {}", String::from_utf8_lossy(&read.stderr));
    Some(read.stdout)
}

#[test]
fn every_board_has_its_device_tree_and_a_camera_its_port() {
    let Some(image) = image() else { return };
    for board in [
        "2837-rpi-3-a-plus",
        "2837-rpi-3-b",
        "2837-rpi-3-b-plus",
        "2837-rpi-zero-2-w",
        "2711-rpi-4-b",
        "2711-rpi-400",
    ] {
        let Some(tree) = on_the_boot_partition(&image, &format!("bcm{board}.dtb")) else { return };
        assert_eq!(tree[..4], [0xd0, 0x0d, 0xfe, 0xed], "{board}: what device trees begin with");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("tree");
        fs::write(&file, &tree).expect("written");
        let ask = |node: &str, property: &str| {
            let Ok(said) = Command::new("fdtget").arg(&file).args([node, property]).output() else {
                skip("fdtget", "is not here");
                return None;
            };
            Some(String::from_utf8_lossy(&said.stdout).trim().to_owned())
        };
        let Some(i2c) = ask("/soc/i2c@7e205000", "status") else { return };
        assert_eq!(i2c, "disabled", "{board}: the camera's I2C is the firmware's");
        if board.starts_with("2837") {
            let usb = ask("/soc/usb@7e980000", "dr_mode");
            assert_eq!(usb.as_deref(), Some("host"), "{board}: cameras are plugged in there");
        }
    }
    let config = on_the_boot_partition(&image, "config.txt").expect("mtools are here");
    assert!(String::from_utf8_lossy(&config).contains("\nstart_x=1\n"));
}

/// A folder cannot be read as a disk, and neither can a worn-out card.
#[test]
fn a_data_partition_that_cannot_be_read_is_not_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut data = Command::new("sh");
    data.arg(file_of_the_image("usr/lib/lancam/data")).arg(folder.path());
    let output = data.output().expect("sh is everywhere");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "<3>the data partition cannot be read: left as it is\n"
    );
}

#[test]
fn the_list_beside_it_names_all_that_is_inside_and_its_licences() {
    let Some(path) = image() else { return };
    let list = fs::read_to_string(path.with_extension("img.txt")).expect("a list");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lock = fs::read_to_string(root.join("cross/image/packages.lock")).expect("readable");
    let mut packages = 0;
    for line in lock.lines().filter(|line| !line.starts_with('#')) {
        let hash = line.split(' ').next().expect("a hash");
        let entry = list.split(hash).nth(1).unwrap_or_else(|| panic!("not in the list: {line}"));
        let licences = entry.split("licences: ").nth(1).and_then(|it| it.lines().next());
        assert!(licences.is_some_and(|it| !it.trim().is_empty()), "{line}: {licences:?}");
        packages += 1;
    }
    let metadata = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--offline",
            "--no-default-features",
            "--features",
            "camera,setup",
        ])
        .args(["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"])
        .current_dir(root)
        .output()
        .expect("cargo runs");
    let crates = String::from_utf8(metadata.stdout).expect("text");
    let mut count = 0;
    for line in crates.lines() {
        let mut words = line.split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
        if name != "lancam" {
            let title = format!("{name} {} (", version.trim_start_matches('v'));
            assert!(list.contains(&title), "not in the list: {title}");
            count += 1;
        }
    }
    assert!(packages > 40 && count > 20, "{packages} packages, {count} crates");
    // These licences are not free. They require that their text is passed on.
    for words in [
        "may only be used for the purposes of developing for",
        "binary-redist-Cypress",
        "binary-redist-Broadcom-wifi",
    ] {
        assert!(list.contains(words), "{words}");
    }
    println!("licences of {packages} packages and {count} crates");
}

#[test]
#[ignore = "minutes: make test-all"]
fn two_builds_are_the_same_bytes() {
    let Some(image) = image() else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let programs = ["dist/lancam-aarch64", "dist/lancam-setup-aarch64"].map(|file| root.join(file));
    let folder = tempfile::tempdir().expect("a folder");
    let debs = root.join("target/image/debs");
    let built = |name: &str| {
        let cache = folder.path().join(name);
        fs::create_dir(&cache).expect("a folder");
        // The builds share the downloaded packages. Everything else is made anew, in another folder.
        std::os::unix::fs::symlink(&debs, cache.join("debs")).expect("a link");
        let mut build = script("cross/image/build.sh");
        build.args(&programs).env("LANCAM_IMAGE_CACHE", &cache).env("LANCAM_IMAGE_FOLDER", &cache);
        let output = run(&mut build);
        println!("{}", String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default());
        ["img", "img.xz", "img.txt"]
            .map(|end| fs::read(cache.join(format!("lancam.{end}"))).expect("built"))
    };
    let (first, second) = (built("first"), built("second"));
    assert!(first == second, "two builds differ");
    // LANCAM_IMAGE may have been built of another program, so this only prints whether it is the same.
    println!(
        "the same as {}: {}",
        image.display(),
        fs::read(&image).expect("an image") == first[0]
    );
}
