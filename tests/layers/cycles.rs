//! Cycles in a graph of files.

use std::collections::{BTreeMap, BTreeSet};

/// Which file imports which.
pub type Graph<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// The sets of files that reach each other (Tarjan's strongly connected components) with more than one file, the
/// largest first.
pub fn cycles<'a>(graph: &Graph<'a>) -> Vec<BTreeSet<&'a str>> {
    let mut search = Search { graph, seen: BTreeMap::new(), stack: Vec::new(), found: Vec::new() };
    for file in graph.keys() {
        if !search.seen.contains_key(file) {
            search.visit(file);
        }
    }
    let mut found = search.found;
    found.retain(|files| files.len() > 1);
    found.sort_by_key(|files| std::cmp::Reverse(files.len()));
    found
}

/// The imports inside one cycle, a line for each.
pub fn edges(graph: &Graph, cycle: &BTreeSet<&str>) -> String {
    let inside =
        cycle.iter().flat_map(|file| graph[file].intersection(cycle).map(move |target| (file, target)));
    inside.map(|(file, target)| format!("  {file} -> {target}\n")).collect()
}

struct Search<'a, 'g> {
    graph: &'g Graph<'a>,
    /// File → (its number in the order of visits, the lowest number it reaches on the stack).
    seen: BTreeMap<&'a str, (usize, usize)>,
    stack: Vec<&'a str>,
    found: Vec<BTreeSet<&'a str>>,
}

impl<'a> Search<'a, '_> {
    fn visit(&mut self, file: &'a str) {
        let number = self.seen.len();
        let mut lowest = number;
        self.seen.insert(file, (number, lowest));
        self.stack.push(file);
        for target in self.graph.get(file).into_iter().flatten() {
            match self.seen.get(target) {
                None => {
                    self.visit(target);
                    lowest = lowest.min(self.seen[target].1);
                }
                Some((at, _)) if self.stack.contains(target) => lowest = lowest.min(*at),
                Some(_) => {}
            }
        }
        self.seen.insert(file, (number, lowest));
        if lowest == number {
            let start = self.stack.iter().position(|other| *other == file).expect("the file is on the stack");
            self.found.push(self.stack.split_off(start).into_iter().collect());
        }
    }
}

#[test]
fn a_cycle_holds_exactly_the_files_that_reach_each_other() {
    let graph = Graph::from([
        ("a", BTreeSet::from(["b"])),
        ("b", BTreeSet::from(["c", "d"])),
        ("c", BTreeSet::from(["a"])),
        ("d", BTreeSet::from(["e"])),
        ("e", BTreeSet::from(["d"])),
        ("f", BTreeSet::from(["a"])),
    ]);
    assert_eq!(cycles(&graph), [BTreeSet::from(["a", "b", "c"]), BTreeSet::from(["d", "e"])]);
    assert_eq!(edges(&graph, &BTreeSet::from(["d", "e"])), "  d -> e\n  e -> d\n");
}

#[test]
fn a_tree_has_no_cycle() {
    let graph = Graph::from([
        ("a", BTreeSet::from(["b", "c"])),
        ("b", BTreeSet::from(["c"])),
        ("c", BTreeSet::new()),
    ]);
    assert_eq!(cycles(&graph), [] as [BTreeSet<&str>; 0]);
}
