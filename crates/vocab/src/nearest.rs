//! The nearest known name to a misspelt one.

/// The candidate nearest to `name`, if one is near enough to be a likely misspelling.
///
/// Distance is Damerau-Levenshtein without regard to ASCII case; near enough is a third of the
/// name's length, at least one. Of equally near candidates the first in text order wins, so the
/// answer does not depend on the order of `candidates`.
///
/// # Example: which table did they mean?
///
/// ```
/// use codeanatomy_vocab::nearest;
///
/// assert_eq!(nearest("ordres", ["orders", "customers"]), Some("orders"));
/// assert_eq!(nearest("zzz", ["orders", "customers"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = name.to_ascii_lowercase();
    let limit = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&folded, &candidate.to_ascii_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}
