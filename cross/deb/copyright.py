#!/usr/bin/env python3
"""copyright.py FEATURES TARGET...: the licences of lancam, built with these features for these targets, and of all that is linked into it."""

import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent.parent.parent
# If a crate has several licences, use the first of these that it has.
PREFERRED = ("MIT", "BSD", "ISC", "ZLIB", "UNLICENSE", "APACHE")
RULE = "-" * 72


def cargo(*arguments):
    output = subprocess.run(["cargo", *arguments], cwd=HERE, stdout=subprocess.PIPE, check=True)
    return output.stdout.decode()


def crates_for(features, target):
    """The packages in the program for one target, without lancam itself and without what only runs during the build.

    cargo fetches no crates of other systems, because no build here needs them.
    """
    tree = cargo("tree", "--locked", "--target", target, "--no-default-features", "--features", features,
                 "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}")
    names = {tuple(line.split()[:2]) for line in tree.splitlines() if line}
    metadata = json.loads(cargo("metadata", "--locked", "--filter-platform", target, "--format-version", "1"))
    return [package for package in metadata["packages"]
            if (package["name"], "v" + package["version"]) in names and package["name"] != "lancam"]


def linked_crates(features, targets):
    """The packages in the programs for all these targets, each once."""
    found = {(package["name"], package["version"]): package
             for target in targets for package in crates_for(features, target)}
    return [package for _, package in sorted(found.items())]


def licence_text(package):
    """The text of the chosen licence, or where to find it."""
    text = own_text(package)
    if "Apache License" in text and "TERMS AND CONDITIONS" in text:
        holders = [line.strip() for line in text.splitlines() if line.strip().startswith("Copyright ") and "[" not in line]
        return "\n".join(holders + ["Apache License 2.0: /usr/share/common-licenses/Apache-2.0 on Debian, and\nhttps://www.apache.org/licenses/LICENSE-2.0"])
    return text


def own_text(package):
    """The licence text in the package's folder."""
    folder = pathlib.Path(package["manifest_path"]).parent
    files = sorted(path for path in folder.iterdir()
                   if path.is_file() and path.name.upper().startswith(("LICEN", "COPYING", "UNLICENSE")))
    # granit-parser's LICENSE only names its authors' texts, which are in a folder.
    others = sorted(path for path in (folder / ".licenses").glob("*MIT*") if path.is_file())
    if others:
        return "\n\n".join(path.read_text(errors="replace").strip() for path in [*files, *others])
    for wanted in PREFERRED:
        for path in files:
            if wanted in path.name.upper():
                return path.read_text(errors="replace").strip()
    if files:
        return files[0].read_text(errors="replace").strip()
    authors = ", ".join(author.split(" <")[0] for author in package["authors"]) or "its authors"
    return f"Copyright {authors}. Licence: {package['license']}; the MIT licence reads as above."


def section(title, text):
    print(f"\n{RULE}\n{title}\n{RULE}\n\n{text.rstrip()}")


def main():
    features, targets = sys.argv[1], sys.argv[2:]
    if not targets:
        sys.exit("usage: copyright.py FEATURES TARGET...")
    crates = linked_crates(features, targets)
    print("lancam is Copyright 2026 The lancam authors, under the MIT licence or, as you like,\n"
          "the Apache License 2.0 (/usr/share/common-licenses/Apache-2.0 on Debian).\n\n"
          "The program holds the work of others, each under its own licence, as follows.")
    section("lancam (MIT)", (HERE / "LICENSE-MIT").read_text())
    section("Rust's standard library (MIT)", "Copyright (c) The Rust Project Contributors\nThe MIT licence reads as above.")
    if {"camera", "setup"} & set(features.split(",")):
        section("musl, the C library (MIT)", "Copyright (c) 2005-2020 Rich Felker, et al.\nThe MIT licence reads as above.")
    if "viewer" in features.split(","):
        font = HERE / "src/viewer/paint/font"
        section("The fonts Inter Regular and Inter Semi Bold", (font / "OFL.txt").read_text())
    by_text = {}
    for crate in crates:
        by_text.setdefault(licence_text(crate), []).append(f"{crate['name']} {crate['version']} ({crate['license']})")
        if crate["name"] == "turbojpeg-sys":
            source = pathlib.Path(crate["manifest_path"]).parent / "libjpeg-turbo"
            for name in ("LICENSE.md", "README.ijg"):
                section(f"libjpeg-turbo, {name}", (source / name).read_text(errors="replace"))
    for text, names in sorted(by_text.items(), key=lambda item: item[1]):
        section("\n".join(names), text)


main()
