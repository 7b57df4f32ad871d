//! The contract that a view keeps now.

use codeanatomy_schema::{proves_not_null, proves_unique};

use crate::PlannedView;

/// Columns with name, type and whether they may be null.
type Columns = Vec<(String, String, Option<bool>)>;

/// The columns of a view, and the smallest key that its plan proves: the first column that alone is
/// one, or else those that no other column can be missed for. No key where nothing proves one.
pub fn proposed_contract(view: &PlannedView) -> (Columns, Vec<String>) {
    let plan = view.analyzed();
    let fields = plan.schema().fields();
    let never_null: Vec<bool> = (0..fields.len())
        .map(|at| proves_not_null(plan, at))
        .collect();
    let stored = view.schema();
    let columns = stored.fields().iter().zip(&never_null);
    let columns = columns.map(|(field, &never_null)| {
        let nullable = Some(!never_null);
        (
            field.name().clone(),
            field.data_type().to_string(),
            nullable,
        )
    });
    let candidates: Vec<usize> = (0..fields.len()).filter(|&at| never_null[at]).collect();
    let key = key_of(&candidates, |positions| proves_unique(plan, positions));
    let key = key.into_iter().map(|at| fields[at].name().clone());
    (columns.collect(), key.collect())
}

fn key_of(candidates: &[usize], unique: impl Fn(&[usize]) -> bool) -> Vec<usize> {
    if let Some(&one) = candidates.iter().find(|&&at| unique(&[at])) {
        return vec![one];
    }
    if !unique(candidates) {
        return Vec::new();
    }
    let mut key = candidates.to_vec();
    for candidate in candidates {
        let fewer: Vec<usize> = key.iter().copied().filter(|at| at != candidate).collect();
        if unique(&fewer) {
            key = fewer;
        }
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_no_column_that_it_can_do_without() {
        let needs = |needed: &'static [usize]| {
            move |positions: &[usize]| needed.iter().all(|at| positions.contains(at))
        };
        assert_eq!(key_of(&[0, 1, 2, 3], needs(&[2])), [2]);
        assert_eq!(key_of(&[0, 1, 2, 3], needs(&[1, 3])), [1, 3]);
        assert!(key_of(&[0, 1], needs(&[7])).is_empty());
        assert!(key_of(&[], |_| false).is_empty());
    }
}
