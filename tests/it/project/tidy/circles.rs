//! No two modules import each other, not even through other modules.
//!
//! A folder's `mod.rs` may name the files in the folder. Their imports from it are allowed too.

use super::source::{Source, sources};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn no_modules_import_each_other() {
    let sources = sources("src");
    let found = circles(&imports(&sources));
    assert!(found.is_empty(), "modules that import each other: {found:?}");
}

/// The modules that each module names, without those that contain it. A module is a file: `camera/session` is
/// src/camera/session/mod.rs.
fn imports(sources: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    let modules: BTreeMap<String, &Source> = sources
        .iter()
        .filter(|file| file.room().is_some() && !file.name.ends_with("/tests.rs"))
        .map(|file| (file.module().join("/"), file))
        .collect();
    // The longest part of a path that is a module. The rest names something in it.
    let module_of = |path: &[&str]| {
        let parts = (1..=path.len()).rev().map(|len| path[..len].join("/"));
        parts.into_iter().find(|part| modules.contains_key(part))
    };
    let named_by = |(module, file): (&String, &&Source)| {
        let named = file.names().iter().filter_map(|path| module_of(path)).collect::<BTreeSet<_>>();
        let is_above = |other: &String| format!("{module}/").starts_with(&format!("{other}/"));
        (module.clone(), named.into_iter().filter(|other| !is_above(other)).collect())
    };
    modules.iter().map(named_by).collect()
}

/// The largest groups of modules that all reach each other.
fn circles(imports: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<BTreeSet<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        imports.keys().map(|module| (module, reached_from(module, imports))).collect();
    let circle_of = |module: &String| -> BTreeSet<String> {
        let others = reached[module].iter().filter(|other| reached[*other].contains(module));
        others.map(|other| (*other).clone()).collect()
    };
    imports.keys().map(circle_of).filter(|circle| circle.len() > 1).collect()
}

fn reached_from<'a>(
    module: &'a String,
    imports: &'a BTreeMap<String, BTreeSet<String>>,
) -> BTreeSet<&'a String> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![module]);
    while let Some(module) = next.pop() {
        next.extend(imports[module].iter().filter(|other| reached.insert(*other)));
    }
    reached
}

#[test]
fn a_circle_is_found_however_long_it_is() {
    let imports = |text: &str| -> BTreeMap<String, BTreeSet<String>> {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
        let lines = text.lines().map(|line| line.split_once(": ").expect("a module and others"));
        lines.map(|(module, others)| (module.to_owned(), words(others))).collect()
    };
    assert_eq!(circles(&imports("a: b c\nb: c\nc: c")), BTreeSet::new());
    let found = circles(&imports("a: b\nb: c d\nc: a\nd: e\ne: d"));
    let circle = |of: [&str; 3]| {
        BTreeSet::from_iter(of.into_iter().filter(|s| !s.is_empty()).map(str::to_owned))
    };
    assert_eq!(found, BTreeSet::from([circle(["a", "b", "c"]), circle(["d", "e", ""])]));
}
