//! All files of the server and of its crates, with every path they name written out from the crate's root.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::source::{self, Source};

/// The packages by the name that a path begins with.
const CRATES: [(&str, &str); 6] = [
    ("kizuna", "src"),
    ("kernel", "crates/kernel/src"),
    ("domain", "crates/domain/src"),
    ("store", "crates/store/src"),
    ("runtime", "crates/runtime/src"),
    ("sheets", "crates/sheets/src"),
];

/// The server and its crates.
pub struct Workspace {
    pub files: Vec<File>,
}

/// One file, for example `src/actors/auth/client.rs`.
pub struct File {
    pub path: String,
    /// Its module, for example `kizuna::actors::auth::client`.
    pub module: Vec<String>,
    pub names: Vec<Name>,
    pub words: Vec<source::Word>,
}

/// A path that a file names, written out from a crate: `kizuna::domain::user::User`, `sqlx::query`.
pub struct Name {
    pub path: Vec<String>,
    pub in_test: bool,
}

impl Workspace {
    /// Reads every file below `root`.
    pub fn read(root: &Path) -> Self {
        let mut texts = BTreeMap::new();
        for (_, folder) in CRATES {
            collect(root, &root.join(folder), &mut texts);
        }
        Self::of(texts)
    }

    /// Of the given texts by path.
    pub fn of(texts: BTreeMap<String, String>) -> Self {
        let sources: Vec<(String, Vec<String>, Source)> = texts
            .into_iter()
            .map(|(path, text)| {
                let module = module_of(&path);
                (path, module, source::read(&text))
            })
            .collect();
        let modules: BTreeSet<Vec<String>> = sources.iter().map(|(_, module, _)| module.clone()).collect();
        let tests: BTreeSet<Vec<String>> = sources
            .iter()
            .flat_map(|(_, module, source)| {
                source.test_modules.iter().map(|name| [module, &[name.clone()][..]].concat())
            })
            .collect();
        let files = sources.into_iter().map(|(path, module, source)| {
            let test_file = (1..=module.len()).any(|length| tests.contains(&module[..length]));
            let names = source.names.iter().map(|name| Name {
                path: written_out(&module, &source, name, &modules),
                in_test: name.in_test || test_file,
            });
            let names = names.collect();
            let mut words = source.words;
            words.iter_mut().for_each(|word| word.in_test |= test_file);
            File { path, module, names, words }
        });
        Self { files: files.collect() }
    }

    /// Which files name something of which: file → files, without tests. The file of `a::b::C` is that of the longest
    /// module in the path; `mod b;` names nothing.
    pub fn imports(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let by_module: BTreeMap<&[String], &str> =
            self.files.iter().map(|file| (file.module.as_slice(), file.path.as_str())).collect();
        let file_of = |path: &[String]| {
            (1..=path.len()).rev().find_map(|length| by_module.get(&path[..length]).copied())
        };
        let mut imports = BTreeMap::new();
        for file in &self.files {
            let names = file.names.iter().filter(|name| !name.in_test);
            let targets = names.filter_map(|name| file_of(&name.path)).filter(|target| *target != file.path);
            imports.insert(file.path.as_str(), targets.collect());
        }
        imports
    }
}

fn collect(root: &Path, folder: &Path, texts: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry of a folder").path();
        if path.is_dir() {
            collect(root, &path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a readable file");
            let name = path.strip_prefix(root).expect("a path below the root");
            texts.insert(name.to_string_lossy().replace('\\', "/"), text);
        }
    }
}

/// `src/actors/auth/mod.rs` → `kizuna::actors::auth`.
fn module_of(path: &str) -> Vec<String> {
    let (name, rest) = CRATES
        .iter()
        .find_map(|(name, folder)| Some((name, path.strip_prefix(folder)?.strip_prefix('/')?)))
        .unwrap_or_else(|| panic!("{path} belongs to no crate"));
    let rest = rest.strip_suffix(".rs").expect("a Rust file");
    if rest == "main" {
        return vec!["main".to_owned()];
    }
    let parts = rest.split('/').filter(|part| *part != "mod" && *part != "lib");
    std::iter::once(*name).chain(parts).map(str::to_owned).collect()
}

/// The path from its crate's root on: follows `crate`, `self`, `super`, what a `use` brought in, and child modules.
fn written_out(
    file: &[String],
    source: &Source,
    name: &source::Name,
    modules: &BTreeSet<Vec<String>>,
) -> Vec<String> {
    let here = [file, &name.module].concat();
    let imported = source.imports.get(&(name.module.clone(), name.path[0].clone()));
    if let Some(import) = imported.filter(|import| **import != name.path && import[0] != name.path[0]) {
        return absolute(&here, &[import, &name.path[1..]].concat(), modules);
    }
    absolute(&here, &name.path, modules)
}

fn absolute(here: &[String], path: &[String], modules: &BTreeSet<Vec<String>>) -> Vec<String> {
    let mut base = here.to_vec();
    let mut rest = path;
    match path[0].as_str() {
        "crate" => base.truncate(1),
        "self" | "super" => {}
        _ if modules.contains(&[here, &path[..1]].concat()) => return [here, path].concat(),
        _ => return path.to_vec(),
    }
    while let Some((first, after)) = rest.split_first() {
        match first.as_str() {
            "super" => drop(base.pop()),
            "crate" | "self" => {}
            _ => break,
        }
        rest = after;
    }
    base.extend_from_slice(rest);
    base
}

#[test]
fn paths_are_written_out_from_the_root_of_their_crate() {
    let file = "use crate::domain::user; use super::super::app; use kernel::ids::Id;\n\
                mod inner { fn f() { super::super::service::run(); } }\n\
                fn g(who: user::User) { client::ask(sqlx::query(\"\")) }";
    let texts = [("src/actors/auth/client.rs", ""), ("src/actors/auth/mod.rs", file)];
    let texts = texts.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let workspace = Workspace::of(BTreeMap::from(texts));
    let names: Vec<String> = workspace.files[1].names.iter().map(|name| name.path.join("::")).collect();
    for wanted in [
        "kizuna::domain::user",
        "kizuna::app",
        "kernel::ids::Id",
        "kizuna::actors::service::run",
        "kizuna::domain::user::User",
        "kizuna::actors::auth::client::ask",
        "sqlx::query",
    ] {
        assert!(names.iter().any(|name| name == wanted), "{wanted} is not among {names:?}");
    }
}

#[test]
fn a_declared_module_is_no_import_and_a_path_belongs_to_its_longest_module() {
    let texts = [
        ("src/a/mod.rs", "mod b; pub use b::C;"),
        ("src/a/b.rs", "use super::D; #[cfg(test)] mod tests { use crate::e::F; }"),
        ("src/e.rs", "mod nothing {} use crate::a::b::C;"),
    ];
    let texts = texts.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let workspace = Workspace::of(BTreeMap::from(texts));
    let imports = workspace.imports();
    assert_eq!(imports["src/a/mod.rs"], BTreeSet::from(["src/a/b.rs"]));
    assert_eq!(imports["src/a/b.rs"], BTreeSet::from(["src/a/mod.rs"]));
    assert_eq!(imports["src/e.rs"], BTreeSet::from(["src/a/b.rs"]));
}
