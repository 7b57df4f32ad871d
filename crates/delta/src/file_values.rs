//! The partition values of a file, in little memory: a table has many files and few values.

use std::collections::BTreeSet;
use std::sync::Arc;

/// Values as the log writes them, by the names of the columns in the files, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FileValues(Box<[NamedValue]>);

/// The name of a column and its value.
type NamedValue = (Arc<str>, Option<Arc<str>>);

/// Texts that occur more than once, each kept once.
#[derive(Debug, Default)]
pub(crate) struct Texts(BTreeSet<Arc<str>>);

impl Texts {
    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        self.0.insert(Arc::clone(&text));
        text
    }
}

impl FileValues {
    /// The values of one of many files, which share `texts`.
    pub(crate) fn new(
        values: impl IntoIterator<Item = (String, Option<String>)>,
        texts: &mut Texts,
    ) -> Self {
        let mut values: Vec<_> = values
            .into_iter()
            .map(|(name, value)| (texts.shared(&name), value.map(|value| texts.shared(&value))))
            .collect();
        values.sort();
        Self(values.into())
    }

    /// The value of a column; `None` also where it is null.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let place = self.place(name)?;
        self.0[place].1.as_deref()
    }

    /// Whether the file says what its value of a column is.
    pub(crate) fn contains_key(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// All columns with their values, by name.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Option<&str>)> {
        let values = self.0.iter();
        values.map(|(name, value)| (name.as_ref(), value.as_deref()))
    }

    fn place(&self, name: &str) -> Option<usize> {
        let place = self
            .0
            .binary_search_by(|(known, _)| known.as_ref().cmp(name));
        place.ok()
    }
}

impl FromIterator<(String, Option<String>)> for FileValues {
    fn from_iter<T: IntoIterator<Item = (String, Option<String>)>>(values: T) -> Self {
        Self::new(values, &mut Texts::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_name_and_null_is_told_from_unknown() {
        let values = [("b", Some("2")), ("a", None), ("c", Some(""))];
        let values: FileValues = values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
            .collect();
        assert_eq!(values.get("b"), Some("2"));
        assert_eq!(values.get("c"), Some(""));
        assert_eq!((values.get("a"), values.contains_key("a")), (None, true));
        assert_eq!((values.get("d"), values.contains_key("d")), (None, false));
        let names: Vec<&str> = values.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn files_share_what_they_have_in_common() {
        let mut texts = Texts::default();
        let mut file = || FileValues::new([("day".to_owned(), Some("1".to_owned()))], &mut texts);
        let (one, two) = (file(), file());
        assert!(Arc::ptr_eq(&one.0[0].0, &two.0[0].0));
        assert_eq!(one, two);
    }
}
