//! Smallest sufficient sets.

/// A subset of `items` for which `suffices` holds and from which no single item can be taken away;
/// none where not even all of them suffice.
///
/// Takes away halves, then quarters and so on, so that few causes among many changes are found in
/// about `k log n` tests. The result depends on the order of the items where several sets would do.
pub(super) fn minimal<'a, T>(
    items: &'a [T],
    mut suffices: impl FnMut(&[&'a T]) -> bool,
) -> Option<Vec<&'a T>> {
    let mut kept: Vec<&T> = items.iter().collect();
    if !suffices(&kept) {
        return None;
    }
    let mut width = kept.len().div_ceil(2);
    while width > 0 && !kept.is_empty() {
        let mut start = 0;
        let mut removed = false;
        while start < kept.len() {
            let end = (start + width).min(kept.len());
            let mut rest = kept.clone();
            rest.drain(start..end);
            if suffices(&rest) {
                kept = rest;
                removed = true;
            } else {
                start = end;
            }
        }
        width = match width {
            // A single item may have become needless when a later one went.
            1 if removed => 1,
            1 => 0,
            width => width / 2,
        };
    }
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_needed_is_kept() {
        let items: Vec<u32> = (0..100).collect();
        let mut tests = 0;
        let found = minimal(&items, |chosen| {
            tests += 1;
            chosen.contains(&&17) && chosen.contains(&&71)
        });
        assert_eq!(found, Some(vec![&17, &71]));
        assert!(tests < 60, "{tests} tests");
    }

    #[test]
    fn nothing_is_needed_for_what_holds_anyway() {
        assert_eq!(minimal(&[1, 2, 3], |_| true), Some(Vec::new()));
        assert_eq!(minimal::<u8>(&[], |_| true), Some(Vec::new()));
    }

    #[test]
    fn what_never_holds_has_no_set() {
        assert_eq!(minimal(&[1, 2, 3], |_| false), None);
    }

    #[test]
    fn every_item_that_is_left_is_needed() {
        // Needs any two of three: whatever two are left, neither can go.
        let found = minimal(&[1, 2, 3], |chosen| chosen.len() >= 2).unwrap();
        assert_eq!(found.len(), 2);
    }
}
