//! What Substrait leaves to the options of a function.

use datafusion_expr::expr::NullTreatment;
use datafusion_substrait::substrait::proto::FunctionOption;

const NULL_TREATMENT: &str = "null_treatment";
const IGNORE_NULLS: &str = "IGNORE_NULLS";

/// The option for a treatment of nulls, if it is not the default.
pub(super) fn null_treatment(treatment: NullTreatment) -> Option<FunctionOption> {
    match treatment {
        NullTreatment::RespectNulls => None,
        NullTreatment::IgnoreNulls => Some(FunctionOption {
            name: NULL_TREATMENT.to_owned(),
            preference: vec![IGNORE_NULLS.to_owned()],
        }),
    }
}

/// Whether the options say that nulls are ignored.
pub(super) fn ignores_nulls(options: &[FunctionOption]) -> bool {
    options.iter().any(|option| {
        option.name == NULL_TREATMENT && option.preference.iter().any(|p| p == IGNORE_NULLS)
    })
}
