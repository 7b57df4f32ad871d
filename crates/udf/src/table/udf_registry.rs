//! `udf_registry`: the functions of the session as rows.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, BooleanArray, ListBuilder, RecordBatch, StringArray, StringBuilder, UInt32Array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::execution::SessionState;
use datafusion_catalog::{MemTable, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion_common::{Result, exec_err, plan_err};

use crate::{Docs, Entry, Example, Snapshot, snapshot};

pub(crate) fn entry() -> Entry {
    // One for all sessions, so that registering it twice can be seen.
    static FUNCTION: LazyLock<Arc<UdfRegistry>> = LazyLock::new(|| Arc::new(UdfRegistry));
    let function: Arc<dyn TableFunctionImpl> = Arc::<UdfRegistry>::clone(&FUNCTION);
    Entry::table("udf_registry", function, 1, DOCS)
}

#[derive(Debug)]
struct UdfRegistry;

impl TableFunctionImpl for UdfRegistry {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        if !args.exprs().is_empty() {
            return plan_err!("udf_registry takes no argument");
        }
        let session: &dyn std::any::Any = args.session().as_any();
        let Some(state) = session.downcast_ref::<SessionState>() else {
            return exec_err!("udf_registry needs a session of the engine");
        };
        registry_table(&snapshot(state))
    }
}

/// A snapshot as a table of one row for each function.
///
/// # Errors
///
/// When the engine does not take the rows.
pub fn registry_table(snapshot: &Snapshot) -> Result<Arc<dyn TableProvider>> {
    let functions = &snapshot.functions;
    let text = |value: &dyn Fn(&crate::FunctionRecord) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(functions.iter().map(value)))
    };
    let texts = |values: &dyn Fn(&crate::FunctionRecord) -> Vec<String>| -> ArrayRef {
        let mut builder = ListBuilder::new(StringBuilder::new()).with_field(Field::new(
            "item",
            DataType::Utf8,
            false,
        ));
        for function in functions {
            for value in values(function) {
                builder.values().append_value(value);
            }
            builder.append(true);
        }
        Arc::new(builder.finish())
    };
    let digests = functions.iter().map(|function| {
        let digest = function.implementation_digest.as_ref();
        digest.map(|digest| digest.to_hex())
    });
    let asynchronous = functions.iter().map(|function| Some(function.is_async));
    let columns: Vec<ArrayRef> = vec![
        text(&|function| function.name.clone()),
        text(&|function| function.kind.to_string()),
        texts(&|function| function.aliases.clone()),
        text(&|function| function.library.clone()),
        Arc::new(
            functions
                .iter()
                .map(|function| function.version)
                .collect::<UInt32Array>(),
        ),
        Arc::new(digests.collect::<StringArray>()),
        texts(&|function| function.signature_inputs.clone()),
        texts(&|function| function.return_types.clone()),
        text(&|function| function.volatility.as_str().to_owned()),
        Arc::new(asynchronous.collect::<BooleanArray>()),
        texts(&|function| function.rewrite_tags.clone()),
        text(&|function| function.documentation.syntax.clone()),
        text(&|function| function.documentation.summary.clone()),
    ];
    let batch = RecordBatch::try_new(schema(), columns)?;
    Ok(Arc::new(MemTable::try_new(schema(), vec![vec![batch]])?))
}

fn schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let texts = |name: &str| {
        let item = Field::new("item", DataType::Utf8, false);
        Field::new(name, DataType::List(Arc::new(item)), false)
    };
    Arc::new(Schema::new(vec![
        text("name", false),
        text("kind", false),
        texts("aliases"),
        text("library", false),
        Field::new("version", DataType::UInt32, true),
        text("implementation_digest", true),
        texts("signature_inputs"),
        texts("return_types"),
        text("volatility", false),
        Field::new("is_async", DataType::Boolean, false),
        texts("rewrite_tags"),
        text("syntax", false),
        text("summary", false),
    ]))
}

static DOCS: Docs = Docs {
    section: "table",
    summary: "The functions of the session, one row for each.",
    syntax: "udf_registry()",
    arguments: &[],
    returns: "The columns `name`, `kind`, `aliases`, `library`, `version`, `implementation_digest`, `signature_inputs`, \
              `return_types`, `volatility`, `is_async`, `rewrite_tags`, `syntax` and `summary`, sorted by name and kind.",
    notes: &["It shows the session as it is when the query is planned. A view cannot read it."],
    examples: &[Example {
        sql: "SELECT name, kind, volatility FROM udf_registry() WHERE name = 'span_len'",
        rows: &["span_len | scalar | immutable"],
    }],
};
