//! Links between the pages lead to existing pages and headings.

use super::{pages, root};
use std::collections::BTreeSet;
use std::fs;

/// The anchor of a heading: in lower case, with hyphens for spaces, and without other signs.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|&letter| {
        letter.is_alphanumeric() || letter == ' ' || letter == '-' || letter == '_'
    });
    kept.collect::<String>().trim().to_lowercase().replace(' ', "-")
}

fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#'))).collect()
}

#[test]
fn links_lead_to_files_and_headings_that_are_there() {
    let mut dead = Vec::new();
    for page in pages() {
        let folder = page.path().parent().expect("a folder").to_owned();
        for after in page.text.split("](").skip(1) {
            let link = after.split(')').next().unwrap_or_default();
            if link.contains("://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let path = if file.is_empty() { page.path() } else { folder.join(file) };
            let is_there = if heading.is_empty() {
                path.exists()
            } else {
                fs::read_to_string(&path).is_ok_and(|text| anchors(&text).contains(heading))
            };
            if !is_there {
                dead.push(format!("{}: {link}", page.name));
            }
        }
    }
    assert_eq!(dead, [""; 0], "links that lead nowhere");
}

#[test]
fn readme_leads_to_every_page() {
    let all = pages();
    let readme = all.iter().find(|page| page.name == "README.md").expect("README.md");
    // These two pages are linked from the pages whose details they contain.
    let behind = ["docs/MEASUREMENTS.md", "docs/IMAGE-INSIDE.md"];
    let missing = |name: &&String| {
        *name != "README.md"
            && !behind.contains(&name.as_str())
            && !readme.text.contains(&format!("]({name}"))
    };
    let missing: Vec<&String> = all.iter().map(|page| &page.name).filter(missing).collect();
    assert_eq!(missing, [""; 0], "README.md names no such page");
    assert!(behind.iter().all(|name| root().join(name).exists()));
}

#[test]
fn a_heading_becomes_the_anchor_that_others_make_of_it() {
    assert_eq!(anchor(" \"Permission denied\""), "permission-denied");
    assert_eq!(anchor(" From an empty card to a picture"), "from-an-empty-card-to-a-picture");
    assert!(!anchors("# One\n").contains("two"));
}
