//! Which column goes to which field. Pure.

use std::collections::{BTreeMap, HashSet};

use crate::import::fields::Field;
use crate::import::record::ImportKind;
use kernel::error::{Error, FieldError};

/// The columns of a file: for each, the field that it goes to.
pub type Columns = Vec<Option<&'static Field>>;

/// The mapping that follows from the headers alone: of columns that mean the same field the first.
pub fn automatic(kind: ImportKind, headers: &[String]) -> BTreeMap<String, String> {
    let mut taken = HashSet::new();
    let meant = headers.iter().filter_map(|header| Some((header, kind.field_meant(header)?.name)));
    meant
        .filter(|(_, name)| taken.insert(*name))
        .map(|(header, name)| (header.clone(), name.to_owned()))
        .collect()
}

/// Checks a mapping against the headers of the file.
///
/// # Errors
/// `invalid_fields` with every header that the file does not have, every unknown field, and every field that is named twice.
pub fn check(
    kind: ImportKind,
    headers: &[String],
    mapping: BTreeMap<String, Option<String>>,
) -> Result<BTreeMap<String, String>, Error> {
    let (mut faults, mut taken, mut checked) = (Vec::new(), HashSet::new(), BTreeMap::new());
    for (header, name) in mapping {
        let path = || format!("mapping.{}", header.chars().take(60).collect::<String>());
        if header.is_empty() || !headers.contains(&header) {
            faults.push(FieldError::new(path(), "unknown_header"));
            continue;
        }
        let Some(name) = name else { continue };
        match kind.field(&name) {
            None => {
                let known: Vec<_> = kind.fields().iter().map(|field| field.name).collect();
                faults.push(FieldError::new(path(), "invalid_choice").allowing(known.join(", ")));
            }
            Some(_) if !taken.insert(name.clone()) => faults.push(FieldError::new(path(), "mapped_twice")),
            Some(_) => {
                checked.insert(header, name);
            }
        }
    }
    if faults.is_empty() { Ok(checked) } else { Err(Error::fields(faults)) }
}

/// The fields of the columns, in their order.
pub fn columns(kind: ImportKind, headers: &[String], mapping: &BTreeMap<String, String>) -> Columns {
    headers.iter().map(|header| mapping.get(header).and_then(|name| kind.field(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(of: &[&str]) -> Vec<String> {
        of.iter().map(|header| (*header).to_owned()).collect()
    }

    #[test]
    fn headers_map_themselves_and_of_two_the_first() {
        let mapping = automatic(ImportKind::Customers, &headers(&["会社名", "氏名", "名前", "色"]));
        let pairs: Vec<_> = mapping.iter().map(|(header, name)| (header.as_str(), name.as_str())).collect();
        assert_eq!(pairs, [("会社名", "company"), ("氏名", "name")]);
    }

    #[test]
    fn a_mapping_names_headers_that_are_there_and_each_field_once() {
        let file = headers(&["A", "B", "C"]);
        let checked = |pairs: &[(&str, Option<&str>)]| {
            let owned =
                |(header, name): &(&str, Option<&str>)| ((*header).to_owned(), name.map(str::to_owned));
            check(ImportKind::Customers, &file, pairs.iter().map(owned).collect())
        };
        let right = checked(&[("A", Some("name")), ("B", None)]).unwrap();
        assert_eq!(columns(ImportKind::Customers, &file, &right).iter().flatten().count(), 1);
        let faults =
            checked(&[("A", Some("name")), ("B", Some("name")), ("C", Some("colour")), ("D", Some("email"))]);
        let faults: Vec<_> = faults
            .unwrap_err()
            .fields
            .into_iter()
            .map(|fault| (fault.field, fault.code.into_owned()))
            .collect();
        let fault = |field: &str, code: &str| (field.to_owned(), code.to_owned());
        assert_eq!(
            faults,
            [
                fault("mapping.B", "mapped_twice"),
                fault("mapping.C", "invalid_choice"),
                fault("mapping.D", "unknown_header"),
            ]
        );
    }
}
