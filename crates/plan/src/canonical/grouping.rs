//! Grouping sets, written out or as a rollup or cube.

use codeanatomy_vocab::Result;
use datafusion_expr::expr::GroupingSet;

use super::Walker;
use super::expr::{Draft, ExprDigest, Scope};
use super::tag::expr as tag;

impl Walker<'_> {
    pub(super) fn grouping_set(
        &mut self,
        set: &GroupingSet,
        scope: Scope<'_>,
    ) -> Result<ExprDigest> {
        let (tag, exprs) = match set {
            GroupingSet::Rollup(exprs) => (tag::ROLLUP, exprs),
            GroupingSet::Cube(exprs) => (tag::CUBE, exprs),
            GroupingSet::GroupingSets(sets) => {
                let sets: Vec<_> = sets
                    .iter()
                    .map(|exprs| self.exprs(exprs, scope))
                    .collect::<Result<_>>()?;
                return Ok(grouping_sets(&sets));
            }
        };
        let exprs = self.exprs(exprs, scope)?;
        let small = scope.is_blind() && exprs.len() <= MAX_WRITTEN_OUT && !has_repeated(&exprs);
        if small && tag == tag::ROLLUP {
            let lengths = (0..=exprs.len()).rev();
            let sets: Vec<_> = lengths.map(|length| exprs[..length].to_vec()).collect();
            return Ok(grouping_sets(&sets));
        }
        if small {
            return Ok(grouping_sets(&subsets(&exprs)));
        }
        let mut draft = Draft::new(tag);
        draft.children(&exprs);
        Ok(draft.finish())
    }
}

/// Keys of a rollup or cube whose sets are still written out.
const MAX_WRITTEN_OUT: usize = 6;

fn grouping_sets(sets: &[Vec<ExprDigest>]) -> ExprDigest {
    let mut draft = Draft::new(tag::GROUPING_SETS);
    draft.encoder.len(sets.len());
    for exprs in sets {
        draft.children(exprs);
    }
    draft.finish()
}

fn has_repeated(exprs: &[ExprDigest]) -> bool {
    exprs.iter().enumerate().any(|(number, expr)| {
        let before = &exprs[..number];
        before.iter().any(|other| other.digest == expr.digest)
    })
}

/// The subsets in the order in which the engine counts them: the first expression is the lowest bit.
fn subsets(exprs: &[ExprDigest]) -> Vec<Vec<ExprDigest>> {
    (0..1_usize << exprs.len())
        .map(|mask| {
            let chosen = exprs.iter().enumerate();
            chosen
                .filter(|(number, _)| mask >> number & 1 == 1)
                .map(|(_, expr)| *expr)
                .collect()
        })
        .collect()
}
