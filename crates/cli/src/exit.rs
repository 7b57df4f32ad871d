//! Exit codes.

use codeanatomy_vocab::Stage;

/// How a command ends; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well.
    Ok,
    /// `plan --detailed-exitcode` found something to do.
    Changes,
    /// The first error arose in this part of the work.
    Failed(Stage),
}

/// Shown by `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    ok
  1    internal error
  2    usage or configuration
  3    compile: SQL or the graph of views
  4    contract
  5    data not ready, or input missing
  6    execution
  7    verification found a mismatch
  8    changes found (plan --detailed-exitcode)
  130  interrupted";

impl Exit {
    /// The number that the shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Changes => 8,
            Self::Failed(stage) => match stage {
                Stage::Configuration => 2,
                Stage::Compile => 3,
                Stage::Contract => 4,
                Stage::Data => 5,
                Stage::Execution => 6,
                Stage::Verify => 7,
                Stage::Interrupt => 130,
                // Also for a part of the work that this program does not know of.
                Stage::Internal | _ => 1,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_work_has_its_exit_code_and_the_help_names_it() {
        let exits = [
            (Exit::Ok, 0),
            (Exit::Failed(Stage::Internal), 1),
            (Exit::Failed(Stage::Configuration), 2),
            (Exit::Failed(Stage::Compile), 3),
            (Exit::Failed(Stage::Contract), 4),
            (Exit::Failed(Stage::Data), 5),
            (Exit::Failed(Stage::Execution), 6),
            (Exit::Failed(Stage::Verify), 7),
            (Exit::Changes, 8),
            (Exit::Failed(Stage::Interrupt), 130),
        ];
        for (exit, code) in exits {
            assert_eq!(exit.code(), code);
            assert!(EXIT_CODES.contains(&format!("\n  {code} ")), "{code}");
        }
    }
}
