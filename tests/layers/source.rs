//! Reads a Rust file: which paths it names and which words it uses.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Ident, Item, ItemMod, ItemUse, Lit, Macro, Path, UseTree};

/// What one file says, before its paths are resolved.
pub struct Source {
    pub names: Vec<Name>,
    pub words: Vec<Word>,
    /// Names that a `use` brings into a module: (module inside the file, name) → path as written.
    pub imports: BTreeMap<(Vec<String>, String), Vec<String>>,
    /// Modules that the file declares with `#[cfg(test)] mod x;`.
    pub test_modules: Vec<String>,
}

/// A path as it is written in the file, for example `super::client::AuthClient`.
pub struct Name {
    /// The inline modules around it.
    pub module: Vec<String>,
    pub path: Vec<String>,
    pub in_test: bool,
}

/// An identifier or a text.
pub struct Word {
    pub text: String,
    pub in_test: bool,
}

/// Reads the text of one file. Comments and doc comments are not read.
///
/// # Panics
/// When the text is not Rust.
pub fn read(text: &str) -> Source {
    let file = syn::parse_file(text).unwrap_or_else(|error| panic!("not Rust: {error}"));
    let mut reader = Reader::default();
    reader.visit_file(&file);
    Source {
        names: reader.names,
        words: reader.words,
        imports: reader.imports,
        test_modules: reader.test_modules,
    }
}

#[derive(Default)]
struct Reader {
    names: Vec<Name>,
    words: Vec<Word>,
    imports: BTreeMap<(Vec<String>, String), Vec<String>>,
    test_modules: Vec<String>,
    module: Vec<String>,
    in_test: bool,
}

impl Reader {
    fn name(&mut self, path: Vec<String>) {
        self.names.push(Name { module: self.module.clone(), path, in_test: self.in_test });
    }

    fn word(&mut self, text: String) {
        self.words.push(Word { text, in_test: self.in_test });
    }

    fn import(&mut self, tree: &UseTree, before: &[String]) {
        let with = |ident: &Ident| [before, &[ident.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.import(&path.tree, &with(&path.ident)),
            UseTree::Group(group) => group.items.iter().for_each(|item| self.import(item, before)),
            UseTree::Glob(_) => self.name(before.to_vec()),
            UseTree::Name(name) if name.ident == "self" => {
                self.bind(&before[before.len() - 1], before.to_vec())
            }
            UseTree::Name(name) => self.bind(&name.ident.to_string(), with(&name.ident)),
            UseTree::Rename(rename) if rename.ident == "self" => {
                self.bind(&rename.rename.to_string(), before.to_vec());
            }
            UseTree::Rename(rename) => self.bind(&rename.rename.to_string(), with(&rename.ident)),
        }
    }

    fn bind(&mut self, name: &str, path: Vec<String>) {
        self.imports.insert((self.module.clone(), name.to_owned()), path.clone());
        self.name(path);
    }

    /// Finds the paths and words in what a macro or an attribute is given, which has no grammar of its own.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    self.word(ident.to_string());
                    if colons < 2 {
                        self.finish(&mut path);
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => colons += 1,
                TokenTree::Group(group) => {
                    self.finish(&mut path);
                    self.tokens(group.stream());
                }
                TokenTree::Literal(literal) => {
                    self.finish(&mut path);
                    if let Lit::Str(text) = Lit::new(literal) {
                        self.word(text.value());
                    }
                }
                TokenTree::Punct(_) => self.finish(&mut path),
            }
        }
        self.finish(&mut path);
    }

    fn finish(&mut self, path: &mut Vec<String>) {
        if !path.is_empty() {
            let path = std::mem::take(path);
            self.name(path);
        }
    }

    fn within_test(&mut self, test: bool, read: impl FnOnce(&mut Self)) {
        let before = self.in_test;
        self.in_test |= test;
        read(self);
        self.in_test = before;
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let test = is_test(attributes(item));
        self.within_test(test, |reader| visit::visit_item(reader, item));
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if module.content.is_none() && self.in_test {
            self.test_modules.push(module.ident.to_string());
        }
        self.module.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.import(&item.tree, &[]);
        visit::visit_item_use(self, item);
    }

    /// `pub(crate)` imports nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast Path) {
        self.name(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        visit::visit_macro(self, call);
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("doc") {
            return;
        }
        self.visit_path(attribute.path());
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
    }

    fn visit_ident(&mut self, ident: &'ast Ident) {
        self.word(ident.to_string());
    }

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.word(text.value());
    }
}

/// Whether the item is compiled for tests only.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string() == "test")
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[test]
fn a_use_with_braces_names_each_of_its_paths() {
    let source = read("use crate::domain::{events::Event, user::{self, User as Account}, topic::*};");
    let names: Vec<String> = source.names.iter().map(|name| name.path.join("::")).collect();
    let expected = [
        "crate::domain::events::Event",
        "crate::domain::user",
        "crate::domain::user::User",
        "crate::domain::topic",
    ];
    assert_eq!(names, expected);
    assert_eq!(source.imports[&(vec![], "Account".to_owned())].join("::"), "crate::domain::user::User");
}

#[test]
fn paths_in_macros_and_attributes_are_read() {
    let source = read("#[derive(serde::Serialize)] struct A; fn f() { assert!(crate::x::y(&[super::Z])); }");
    let has = |wanted: &str| source.names.iter().any(|name| name.path.join("::") == wanted);
    assert!(has("serde::Serialize") && has("crate::x::y") && has("super::Z"));
}

#[test]
fn what_is_compiled_for_tests_only_is_marked() {
    let source = read("use a::B; #[cfg(test)] mod tests { use c::D; } #[cfg(test)] mod more;");
    let marks: Vec<(String, bool)> = source
        .names
        .iter()
        .filter(|name| name.path.len() > 1)
        .map(|name| (name.path.join("::"), name.in_test))
        .collect();
    assert_eq!(marks, [("a::B".to_owned(), false), ("c::D".to_owned(), true)]);
    assert_eq!(source.test_modules, ["more"]);
}

#[test]
fn comments_are_no_words() {
    let source = read("/// customers\nfn f() { g(\"meetings\"); } // approvals");
    let words: Vec<&str> = source.words.iter().map(|word| word.text.as_str()).collect();
    assert!(words.contains(&"meetings") && !words.contains(&" customers"), "{words:?}");
}
