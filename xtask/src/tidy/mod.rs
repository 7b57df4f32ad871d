//! What the compiler does not check: documents, codes, names, sizes, the lock file and the layers.
//!
//! Exceptions are lines with a reason in `xtask/tidy.toml`. One that is no longer needed is a
//! problem itself.

mod allowances;
mod catalog;
mod codes;
mod lock;
mod rust;
mod text;

use crate::layers;
use crate::problem::Problem;
use crate::repository::Repository;

use self::allowances::Allowances;

/// Runs every check and gives what they found, sorted by place.
///
/// # Errors
///
/// When a file that a check needs is missing or is not in its form.
pub(crate) fn check(repository: &Repository) -> anyhow::Result<Vec<Problem>> {
    let allowances = Allowances::of(repository)?;
    let mut problems = layers::check(repository)?;
    problems.extend(catalog::check(repository, &allowances)?);
    problems.extend(codes::check(repository)?);
    problems.extend(lock::check(repository));
    problems.extend(rust::check(repository, &allowances));
    problems.extend(text::check(repository, &allowances));
    problems.extend(allowances.unused());
    problems.sort();
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_is_tidy() -> anyhow::Result<()> {
        let problems = check(&Repository::here()?)?;
        let text: Vec<_> = problems.iter().map(Problem::to_string).collect();
        assert!(problems.is_empty(), "\n{}\n", text.join("\n"));
        Ok(())
    }
}
