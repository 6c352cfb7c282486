//! `make flash`: writes files and loop devices as it writes cards, refuses what is not a card, and asks
//! before anything is lost.

use crate::tools::program::succeeds;
use crate::tools::skip::skip;
use lancam::wire::access::code::Code;
use nix::fcntl::{Flock, FlockArg};
use std::fs;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What `flash.sh IMAGE DEVICE` prints, and whether it succeeded.
pub(crate) fn flash(
    image: &Path,
    device: &Path,
    change: impl FnOnce(&mut Command),
) -> (String, bool) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cross/image/flash.sh");
    let mut flash = Command::new(script);
    flash.arg(image).arg(device).stdin(Stdio::null()).env("LANCAM_FLASH_FILES", "1");
    flash.env("YES", "1").env_remove("FORCE");
    change(&mut flash);
    let output = flash.output().expect("it is executable");
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&said).into_owned(), output.status.success())
}

/// The code that it prints.
pub(crate) fn code_in(said: &str) -> &str {
    let code = said.split("The camera's code: ").nth(1).and_then(|rest| rest.lines().next());
    code.unwrap_or_else(|| panic!("{said}"))
}

fn as_it_is(_: &mut Command) {}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Bytes with a partition table's mark. Each step of the copy has other bytes.
fn image_bytes() -> Vec<u8> {
    let mut bytes: Vec<u8> =
        (0..9_500_000_u32).flat_map(u32::to_le_bytes).take(9_500_000).collect();
    bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    bytes
}

/// A folder with an image and an empty card.
fn image_and_card(card_len: u64) -> (TempDir, PathBuf, PathBuf) {
    let folder = folder();
    let (image, card) = (folder.path().join("lancam.img"), folder.path().join("card"));
    fs::write(&image, image_bytes()).expect("writes");
    fs::File::create(&card).and_then(|file| file.set_len(card_len)).expect("makes");
    (folder, image, card)
}

#[test]
fn a_card_holds_the_image_and_what_lies_behind_it_stays() {
    let (_folder, image, card) = image_and_card(12 << 20);
    let (said, succeeded) = flash(&image, &card, as_it_is);
    assert!(succeeded, "{said}");
    let written = fs::read(&card).expect("reads");
    let image = fs::read(image).expect("reads");
    assert_eq!(written.len(), 12 << 20);
    assert!(
        written[..image.len()] == image && written[image.len()..].iter().all(|&byte| byte == 0)
    );
    for part in ["Writing [", "Reading [", "  0 %", "100 %", "The card is ready"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn where_there_is_only_a_compressed_image_that_is_written() {
    let (_folder, image, card) = image_and_card(10 << 20);
    succeeds(Command::new("xz").arg("-0").arg(&image));
    let (said, succeeded) = flash(&image, &card, as_it_is);
    assert!(succeeded, "{said}");
    assert!(fs::read(&card).expect("reads")[..9_500_000] == image_bytes());

    // A download that was cut off. The card keeps its contents.
    let compressed = image.with_extension("img.xz");
    let whole = fs::read(&compressed).expect("reads");
    fs::write(&compressed, &whole[..whole.len() / 2]).expect("writes");
    fs::write(&card, vec![7; 10 << 20]).expect("writes");
    let (said, succeeded) = flash(&image, &card, as_it_is);
    assert!(!succeeded && said.contains("is damaged"), "{said}");
    assert!(fs::read(&card).expect("reads").iter().all(|&byte| byte == 7));
}

#[test]
fn what_cannot_be_right_is_refused_before_anything_is_written() {
    let (folder, image, card) = image_and_card(4 << 20);
    let (said, succeeded) = flash(&image, &card, as_it_is);
    assert!(!succeeded && said.contains("has 4 MiB, the image 9"), "{said}");

    let (said, succeeded) = flash(&folder.path().join("none.img"), &card, as_it_is);
    assert!(!succeeded && said.contains("none.img is missing"), "{said}");
    let (said, succeeded) = flash(folder.path(), &card, as_it_is);
    assert!(!succeeded && said.contains("is not a file"), "{said}");

    let picture = folder.path().join("picture.jpg");
    fs::write(&picture, vec![1; 4096]).expect("writes");
    let (said, succeeded) = flash(&picture, &card, as_it_is);
    assert!(!succeeded && said.contains("no partition table"), "{said}");

    // Otherwise a mistyped name would become a large file.
    let (said, succeeded) = flash(&image, &folder.path().join("sdx"), as_it_is);
    assert!(!succeeded && said.contains("is not a disk"), "{said}");
    let (said, succeeded) = flash(&image, &card, |flash| {
        flash.env_remove("LANCAM_FLASH_FILES");
    });
    assert!(!succeeded && said.contains("is not a disk"), "{said}");
    let (said, succeeded) = flash(&image, Path::new("/dev/null"), as_it_is);
    assert!(!succeeded && said.contains("is not a disk"), "{said}");
    // It lists the disks, even if there is no image.
    for image in [&image, Path::new("dist/lancam.img"), Path::new("/nowhere/x.img")] {
        let (said, succeeded) = flash(image, Path::new(""), |flash| {
            flash.current_dir(folder.path());
        });
        assert!(!succeeded && said.contains("make flash DEV="), "{said}");
        assert_eq!(said.contains("make image"), image.starts_with("dist"), "{said}");
        assert_eq!(said.contains("/nowhere/x.img is missing"), image.starts_with("/nowhere"));
    }
    assert!(fs::read(&card).expect("reads").iter().all(|&byte| byte == 0));
}

#[test]
fn what_it_says_to_type_names_the_image_again_if_that_is_not_the_usual_one() {
    let (folder, image, card) = image_and_card(12 << 20);
    let named = folder.path().join("my card.img");
    fs::rename(&image, &named).expect("renames");
    let (said, _) = flash(&named, Path::new(""), as_it_is);
    assert!(said.contains("DEV=/dev/sdX IMAGE=/"), "{said}");
    assert!(said.contains("/my\\ card.img, with the card's disk"), "{said}");
    put(&card, 0, &image_bytes());
    let (said, succeeded) = flash(&named, &card, as_it_is);
    assert!(!succeeded && said.contains("/my\\ card.img FORCE=1"), "{said}");
    let (said, _) = flash(Path::new("dist/lancam.img"), Path::new(""), |flash| {
        flash.current_dir(folder.path());
    });
    assert!(said.contains("DEV=/dev/sdX, with the card's disk"), "{said}");
}

#[test]
fn a_reader_without_a_card_is_told() {
    let (_folder, image, card) = image_and_card(12 << 20);
    let is_empty = |name: &&str| {
        let size = fs::read_to_string(format!("/sys/block/{name}/size"));
        size.is_ok_and(|size| size.trim() == "0") && Path::new("/dev").join(name).exists()
    };
    let Some(empty) = ["loop7", "loop6", "loop5"].into_iter().find(is_empty) else {
        skip("a disk without a medium", "this machine has none");
        return;
    };
    let (said, succeeded) = flash(&image, &Path::new("/dev").join(empty), as_it_is);
    let told = [format!("no disk in /dev/{empty}"), format!("no card in /dev/{empty}")];
    assert!(!succeeded && told.iter().any(|text| said.contains(text)), "{said}");
    assert!(fs::read(&card).expect("reads").iter().all(|&byte| byte == 0));
}

#[test]
fn each_card_gets_a_code_of_its_own_in_the_place_for_it_and_it_is_printed() {
    let (_folder, image, card) = image_and_card(12 << 20);
    let settings = include_bytes!("../../../cross/image/boot/lancam.toml");
    let place = b"#device.code = \"____-____-____\"";
    let at = settings.windows(place.len()).position(|it| it == place).expect("the place");
    assert!(at + place.len() <= 512, "in one sector, which is written whole or not at all");
    put(&image, 5_000_192, settings);
    let mut codes = Vec::new();
    for _ in 0..3 {
        let (said, succeeded) = flash(&image, &card, |flash| {
            flash.env("FORCE", "1");
        });
        assert!(succeeded, "{said}");
        let code = code_in(&said).to_owned();
        assert_eq!(Code::parse(&code).expect("a code").shown(), code);
        let written = fs::read(&card).expect("reads");
        let mut expected = fs::read(&image).expect("reads");
        let line = format!("device.code = \"{code}\" ");
        expected[5_000_192 + at..][..place.len()].copy_from_slice(line.as_bytes());
        assert!(written[..expected.len()] == expected, "nothing else differs");
        codes.push(code);
    }
    codes.dedup();
    assert_eq!(codes.len(), 3, "{codes:?}");
    // An image of another kind, or of before there were codes.
    fs::write(&image, image_bytes()).expect("writes");
    let (said, succeeded) = flash(&image, &card, |flash| {
        flash.env("FORCE", "1");
    });
    assert!(succeeded && said.contains("has no place for a code"), "{said}");
}

#[test]
fn a_card_that_loses_the_code_is_told() {
    let (folder, image, card) = image_and_card(12 << 20);
    put(&image, 5_000_192, b"#device.code = \"____-____-____\"\n");
    let dd = "#!/bin/sh\ncase $* in *bs=1\\ seek=*) cat >/dev/null ;; *) exec /usr/bin/dd \"$@\" ;; esac\n";
    let path = with_dd(&folder, dd);
    let (said, succeeded) = flash(&image, &card, |flash| {
        flash.env("PATH", &path);
    });
    assert!(!succeeded && said.contains("does not give back the code"), "{said}");
}

/// A partition: its type, its first sector and its number of sectors.
type Partition = (u8, u32, u32);

/// A PC's partition table, with the four bytes of its id.
fn table(name: [u8; 4], partitions: &[Partition]) -> Vec<u8> {
    let mut sector = vec![0; 512];
    sector[440..444].copy_from_slice(&name);
    for (at, (kind, first, sectors)) in partitions.iter().enumerate() {
        let entry = &mut sector[446 + 16 * at..][..16];
        entry[4] = *kind;
        entry[8..12].copy_from_slice(&first.to_le_bytes());
        entry[12..16].copy_from_slice(&sectors.to_le_bytes());
    }
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}

/// Puts bytes somewhere on a card.
fn put(card: &Path, at: u64, bytes: &[u8]) {
    let file = fs::OpenOptions::new().write(true).open(card).expect("opens");
    file.write_all_at(bytes, at).expect("writes");
}

/// A whole FAT file system with this label.
fn fat(folder: &TempDir, label: &str) -> Option<Vec<u8>> {
    let path = folder.path().join("fat");
    fs::File::create(&path).and_then(|file| file.set_len(4 << 20)).expect("makes");
    let made = Command::new("mkfs.vfat").args(["-n", label]).arg(&path).output();
    if !made.is_ok_and(|made| made.status.success()) {
        skip("mkfs.vfat", "not installed");
        return None;
    }
    Some(fs::read(path).expect("reads"))
}

/// The partitions of a Raspberry Pi's card, but smaller.
const OF_A_PI: [Partition; 2] = [(0x0c, 2048, 8192), (0x83, 10240, 8192)];

#[test]
fn a_disk_with_other_contents_is_written_by_force_alone() {
    let (folder, image, card) = image_and_card(12 << 20);
    let encrypted: Vec<u8> =
        (1..4096_u32).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    let swap = [vec![0; 4086], b"SWAPSPACE2".to_vec()].concat();
    let of_windows = table([1, 2, 3, 4], &[(0x07, 2048, 8192)]);
    let of_a_pc = table([1, 2, 3, 4], &OF_A_PI);
    let protected = table([0; 4], &[(0xee, 1, 20_000)]);
    let mut others = vec![encrypted, swap, of_windows, of_a_pc.clone(), protected, image_bytes()];
    if let Some(fat) = fat(&folder, "PHOTOS") {
        // A stick as it is sold, and one that looks like a Pi's card except for its label.
        others.push(fat.clone());
        others.push([of_a_pc, vec![0; (1 << 20) - 512], fat].concat());
    }
    for other in others {
        fs::write(&card, vec![0; 12 << 20]).expect("writes");
        put(&card, 0, &other);
        let before = fs::read(&card).expect("reads");
        for force in ["", "0"] {
            let (said, succeeded) = flash(&image, &card, |flash| {
                flash.env("FORCE", force);
            });
            assert!(!succeeded && said.contains("FORCE=1"), "{:x?}: {said}", &other[440..512]);
        }
        assert!(fs::read(&card).expect("reads") == before, "nothing was written");
    }
    let (said, succeeded) = flash(&image, &card, |flash| {
        flash.env("FORCE", "1");
    });
    assert!(succeeded, "{said}");
}

#[test]
fn a_card_that_is_empty_or_one_of_a_pi_is_shown_and_written() {
    let (folder, image, card) = image_and_card(12 << 20);
    let ours = *b"cnal";
    let mut known = vec![
        (table([1, 2, 3, 4], &[]), "without partitions"),
        (table(ours, &OF_A_PI), "4M"),
        (Vec::new(), "nothing"),
    ];
    if let Some(fat) = fat(&folder, "bootfs") {
        let pi = [table([9, 8, 7, 6], &OF_A_PI), vec![0; (1 << 20) - 512], fat].concat();
        known.push((pi, "bootfs"));
    }
    for (contents, told) in known {
        fs::write(&card, vec![0; 12 << 20]).expect("writes");
        put(&card, 0, &contents);
        let (said, succeeded) = flash(&image, &card, as_it_is);
        assert!(succeeded && said.contains(told), "{told}: {said}");
        assert!(said.contains("12.0MiB"), "how large it is: {said}");
    }
}

/// Runs it in a terminal and types this.
fn flash_at_a_terminal(image: &Path, card: &Path, typed: &str) -> (String, bool) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cross/image/flash.sh");
    let line = format!("'{}' '{}' '{}'", script.display(), image.display(), card.display());
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    terminal.env("LANCAM_FLASH_FILES", "1").env_remove("YES").env_remove("FORCE");
    let mut terminal =
        terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
    let mut keys = terminal.stdin.take().expect("it is piped");
    keys.write_all(typed.as_bytes()).expect("it reads");
    let output = terminal.wait_with_output().expect("it ends");
    drop(keys);
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.success())
}

#[test]
fn nothing_is_written_before_somebody_says_so() {
    let (_folder, image, card) = image_and_card(12 << 20);
    let is_blank = || fs::read(&card).expect("reads").iter().all(|&byte| byte == 0);
    for answer in ["", "0", "no"] {
        let (said, succeeded) = flash(&image, &card, |flash| {
            flash.env("YES", answer).env("FORCE", "1");
        });
        assert!(!succeeded && said.contains("add YES=1"), "{said}");
    }
    for typed in ["\n", "n\n", "yess\n"] {
        let (said, succeeded) = flash_at_a_terminal(&image, &card, typed);
        assert!(!succeeded && said.contains("nothing was written"), "{typed:?}: {said}");
    }
    assert!(is_blank());
    let (said, succeeded) = flash_at_a_terminal(&image, &card, "y\n");
    assert!(succeeded && said.contains("[y/N]"), "{said}");
    assert!(!is_blank());
}

/// A PATH in which `dd` is this script.
fn with_dd(folder: &TempDir, script: &str) -> String {
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).expect("made");
    fs::write(bin.join("dd"), script).expect("writes");
    fs::set_permissions(bin.join("dd"), fs::Permissions::from_mode(0o755)).expect("sets");
    format!("{}:/usr/bin:/bin", bin.display())
}

#[test]
fn a_card_that_gives_back_something_else_is_told() {
    let (folder, image, card) = image_and_card(10 << 20);
    // The 6th MiB of this card is broken: what is written there is not what is read.
    let dd = "#!/bin/sh\n/usr/bin/dd \"$@\" || exit\ncase $* in *of=*seek=1*) printf x | /usr/bin/dd of=\"$CARD\" bs=1 seek=5600000 conv=notrunc status=none ;; esac\n";
    let path = with_dd(&folder, dd);
    let (said, succeeded) = flash(&image, &card, |flash| {
        flash.env("PATH", &path).env("CARD", &card);
    });
    assert!(!succeeded && said.contains("in MiB 4 to 8"), "{said}");
}

#[test]
fn a_card_whose_writing_was_cut_off_has_no_partitions() {
    let (folder, image, card) = image_and_card(12 << 20);
    fs::write(&card, [image_bytes(), vec![0; 3_082_912]].concat()).expect("writes");
    let dd = "#!/bin/sh\ncase $* in *of=*seek=2*) exit 1 ;; esac\nexec /usr/bin/dd \"$@\"\n";
    let path = with_dd(&folder, dd);
    let (said, succeeded) = flash(&image, &card, |flash| {
        flash.env("PATH", &path).env("FORCE", "1");
    });
    assert!(!succeeded && said.contains("cannot write to"), "{said}");
    assert!(fs::read(&card).expect("reads")[..1 << 20].iter().all(|&byte| byte == 0));
}

#[test]
fn a_card_that_another_program_holds_is_left_to_it() {
    let (_folder, image, card) = image_and_card(12 << 20);
    let file = fs::File::open(&card).expect("opens");
    let holder = Flock::lock(file, FlockArg::LockExclusive).expect("nobody else holds it");
    let (said, succeeded) = flash(&image, &card, as_it_is);
    assert!(!succeeded && said.contains("in use by another program"), "{said}");
    assert!(fs::read(&card).expect("reads").iter().all(|&byte| byte == 0));
    drop(holder);
    let (said, succeeded) = flash(&image, &card, as_it_is);
    assert!(succeeded, "{said}");
}

/// A loop device. Dropping this removes it.
struct Loop(PathBuf);

impl Loop {
    fn of(file: &Path) -> Option<Self> {
        let output = Command::new("losetup").args(["--find", "--show"]).arg(file).output();
        let output = output.ok().filter(|output| output.status.success());
        let device = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().into());
        if device.is_none() {
            skip("losetup", "no loop devices here, or not for this user");
        }
        device.map(Self)
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = Command::new("losetup").arg("--detach").arg(&self.0).status();
    }
}

#[test]
#[ignore = "minutes: make test-all"] // to get the right to
fn a_disk_in_use_or_built_in_is_refused_and_a_free_one_is_written() {
    let (folder, image, card) = image_and_card(16 << 20);
    let Some(disk) = Loop::of(&card) else { return };
    let (said, succeeded) = flash(&image, &disk.0, |flash| {
        flash.env_remove("LANCAM_FLASH_FILES");
    });
    assert!(!succeeded && said.contains("built into this machine"), "{said}");

    succeeds(Command::new("mkfs.ext4").arg("-q").arg(&disk.0));
    let place = folder.path().join("mounted");
    fs::create_dir(&place).expect("made");
    if Command::new("mount").arg(&disk.0).arg(&place).status().is_ok_and(|status| status.success())
    {
        let (said, succeeded) = flash(&image, &disk.0, as_it_is);
        succeeds(Command::new("umount").arg(&place));
        assert!(!succeeded && said.contains("in use") && said.contains("mounted"), "{said}");
    } else {
        skip("mount", "not allowed");
    }

    let (said, succeeded) = flash(&image, &disk.0, as_it_is);
    assert!(!succeeded && said.contains("ext4") && said.contains("FORCE=1"), "{said}");
    let (said, succeeded) = flash(&image, &disk.0, |flash| {
        flash.env("FORCE", "1");
    });
    assert!(succeeded, "{said}");
    assert!(fs::read(&card).expect("reads")[..9_500_000] == image_bytes());
}

#[test]
#[ignore = "minutes: make test-all"] // to have disks
fn the_disk_that_this_system_runs_from_is_refused() {
    let (_folder, image, _) = image_and_card(1);
    let source = succeeds(Command::new("findmnt").args(["-n", "-o", "SOURCE", "/"])).stdout;
    let source = String::from_utf8_lossy(&source).trim().to_owned();
    if !Path::new(&source).exists() {
        return skip("the root's disk", &source);
    }
    let (said, succeeded) = flash(&image, Path::new(&source), |flash| {
        flash.env_remove("LANCAM_FLASH_FILES");
    });
    assert!(!succeeded && (said.contains("in use") || said.contains("is a partition")), "{said}");
}
