//! What is refused in a decoded message before the engine makes a plan of it.
//!
//! The engine's decoder trusts its input: it opens folders for a scan of files, enumerates the
//! subsets of a cube, and makes a tree as deep as a list of operands is long.

use datafusion::arrow::ipc::root_as_message;
use datafusion_proto::generated::datafusion_common::arrow_type::ArrowTypeEnum;
use datafusion_proto::generated::datafusion_common::scalar_value::Value;
use datafusion_proto::generated::datafusion_common::{
    ArrowType, Field, ScalarNestedValue, ScalarValue, Schema,
};
use datafusion_proto::protobuf::logical_expr_node::ExprType;
use datafusion_proto::protobuf::logical_plan_node::LogicalPlanType;
use datafusion_proto::protobuf::repartition_node::PartitionMethod;
use datafusion_proto::protobuf::{LogicalExprNode, LogicalPlanNode, SortExprNode, WhenThen};

use crate::forms::guard::Reason;

/// Levels of the plan that a message may make. The dropping of a plan recurses through them.
const MAX_DEPTH: usize = 10_000;

/// Columns of a cube: twelve have 4,096 subsets.
const MAX_CUBE: usize = 12;

/// Elements of one value.
const MAX_ELEMENTS: i64 = 1 << 20;

type Checked = Result<usize, Reason>;

/// Checks a message. The recursion is as deep as the message, which its decoder has limited.
pub(super) fn check(node: &LogicalPlanNode) -> Result<(), Reason> {
    plan(node).map(drop)
}

/// The depth of the plan that a node makes.
fn plan(node: &LogicalPlanNode) -> Checked {
    let Some(node) = &node.logical_plan_type else {
        return Err("a node of the plan is empty".to_owned());
    };
    let depth = match node {
        LogicalPlanType::Projection(n) => input(&n.input)?.max(exprs(&n.expr)?),
        LogicalPlanType::Selection(n) => input(&n.input)?.max(boxed(&n.expr)?),
        LogicalPlanType::Limit(n) => input(&n.input)?,
        LogicalPlanType::Aggregate(n) => input(&n.input)?
            .max(exprs(&n.group_expr)?)
            .max(exprs(&n.aggr_expr)?),
        LogicalPlanType::Join(n) => input(&n.left)?
            .max(input(&n.right)?)
            .max(exprs(&n.left_join_key)?)
            .max(exprs(&n.right_join_key)?)
            .max(boxed(&n.filter)?),
        LogicalPlanType::Sort(n) => input(&n.input)?.max(sorts(&n.expr)?),
        LogicalPlanType::Repartition(n) => {
            let partitions = match &n.partition_method {
                Some(PartitionMethod::Hash(hash)) => exprs(&hash.hash_expr)?,
                Some(PartitionMethod::Range(range)) => {
                    for value in range.split_point.iter().flat_map(|point| &point.value) {
                        scalar(value)?;
                    }
                    sorts(&range.sort_expr)?
                }
                Some(PartitionMethod::RoundRobin(_)) | None => 0,
            };
            input(&n.input)?.max(partitions)
        }
        LogicalPlanType::EmptyRelation(_) => 0,
        LogicalPlanType::Window(n) => input(&n.input)?.max(exprs(&n.window_expr)?),
        LogicalPlanType::CrossJoin(n) => input(&n.left)?.max(input(&n.right)?),
        LogicalPlanType::Values(n) => {
            if n.n_cols == 0 {
                return Err("VALUES without columns".to_owned());
            }
            exprs(&n.values_list)?
        }
        // The builder puts one union into the other.
        LogicalPlanType::Union(n) => all(n.inputs.iter().map(plan))? + n.inputs.len(),
        LogicalPlanType::SubqueryAlias(n) => input(&n.input)?,
        LogicalPlanType::Distinct(n) => input(&n.input)?,
        LogicalPlanType::CustomScan(n) => {
            schema(n.schema.as_ref())?;
            exprs(&n.filters)?
        }
        LogicalPlanType::DistinctOn(n) => input(&n.input)?
            .max(exprs(&n.on_expr)?)
            .max(exprs(&n.select_expr)?)
            .max(sorts(&n.sort_expr)?),
        LogicalPlanType::Unnest(n) => input(&n.input)?,
        LogicalPlanType::RecursiveQuery(n) => input(&n.static_term)?.max(input(&n.recursive_term)?),
        LogicalPlanType::CteWorkTableScan(n) => {
            schema(n.schema.as_ref())?;
            0
        }
        LogicalPlanType::ListingScan(_)
        | LogicalPlanType::ViewScan(_)
        | LogicalPlanType::EmptyTableScan(_) => return refused("a table that brings itself along"),
        LogicalPlanType::Extension(_) => return refused("an extension node"),
        LogicalPlanType::CreateExternalTable(_)
        | LogicalPlanType::Explain(_)
        | LogicalPlanType::Analyze(_)
        | LogicalPlanType::CreateCatalogSchema(_)
        | LogicalPlanType::CreateCatalog(_)
        | LogicalPlanType::CreateView(_)
        | LogicalPlanType::Prepare(_)
        | LogicalPlanType::DropView(_)
        | LogicalPlanType::CopyTo(_)
        | LogicalPlanType::Dml(_) => return refused("a statement that is no query"),
    };
    above(depth)
}

/// The depth of the expression that a node makes.
fn expr(node: &LogicalExprNode) -> Checked {
    let Some(node) = &node.expr_type else {
        return Err("an expression of the plan is empty".to_owned());
    };
    let depth = match node {
        ExprType::Column(_) => 0,
        ExprType::Alias(n) => boxed(&n.expr)?,
        ExprType::Literal(value) => {
            scalar(value)?;
            0
        }
        // A list of operands becomes a nest.
        ExprType::BinaryExpr(n) => exprs(&n.operands)? + n.operands.len(),
        ExprType::IsNullExpr(n) => boxed(&n.expr)?,
        ExprType::IsNotNullExpr(n) => boxed(&n.expr)?,
        ExprType::NotExpr(n) => boxed(&n.expr)?,
        ExprType::Between(n) => boxed(&n.expr)?.max(boxed(&n.low)?).max(boxed(&n.high)?),
        ExprType::Case(n) => boxed(&n.expr)?
            .max(boxed(&n.else_expr)?)
            .max(all(n.when_then_expr.iter().map(when_then))?),
        ExprType::Cast(n) => {
            data_type(n.arrow_type.as_ref())?;
            boxed(&n.expr)?
        }
        ExprType::TryCast(n) => {
            data_type(n.arrow_type.as_ref())?;
            boxed(&n.expr)?
        }
        ExprType::Negative(n) => boxed(&n.expr)?,
        ExprType::InList(n) => boxed(&n.expr)?.max(exprs(&n.list)?),
        ExprType::Wildcard(_) => return refused("a wildcard"),
        ExprType::WindowExpr(n) => exprs(&n.exprs)?
            .max(exprs(&n.partition_by)?)
            .max(sorts(&n.order_by)?)
            .max(boxed(&n.filter)?),
        ExprType::AggregateUdfExpr(n) => exprs(&n.args)?
            .max(boxed(&n.filter)?)
            .max(sorts(&n.order_by)?),
        ExprType::ScalarUdfExpr(n) => exprs(&n.args)?,
        ExprType::GroupingSet(n) => all(n.expr.iter().map(|set| exprs(&set.expr)))?,
        ExprType::Cube(n) => {
            if n.expr.len() > MAX_CUBE {
                return refused("a cube of very many columns");
            }
            exprs(&n.expr)?
        }
        ExprType::Rollup(n) => exprs(&n.expr)?,
        ExprType::IsTrue(n) => boxed(&n.expr)?,
        ExprType::IsFalse(n) => boxed(&n.expr)?,
        ExprType::IsUnknown(n) => boxed(&n.expr)?,
        ExprType::IsNotTrue(n) => boxed(&n.expr)?,
        ExprType::IsNotFalse(n) => boxed(&n.expr)?,
        ExprType::IsNotUnknown(n) => boxed(&n.expr)?,
        ExprType::Like(n) => boxed(&n.expr)?.max(boxed(&n.pattern)?),
        ExprType::Ilike(n) => boxed(&n.expr)?.max(boxed(&n.pattern)?),
        ExprType::SimilarTo(n) => boxed(&n.expr)?.max(boxed(&n.pattern)?),
        ExprType::Placeholder(n) => {
            data_type(n.data_type.as_ref())?;
            0
        }
        ExprType::Unnest(n) => exprs(&n.exprs)?,
        ExprType::ScalarSubqueryExpr(n) => match &n.subquery {
            Some(subquery) => input(&subquery.subquery)?.max(exprs(&subquery.outer_ref_columns)?),
            None => 0,
        },
        ExprType::HigherOrderUdfExpr(n) => exprs(&n.args)?,
        ExprType::Lambda(n) => boxed(&n.body)?,
        ExprType::LambdaVariable(n) => {
            if let Some(n) = &n.field {
                field(n)?;
            }
            0
        }
    };
    above(depth)
}

fn refused(what: &str) -> Checked {
    Err(format!("{what} is not read from a kept plan"))
}

fn above(depth: usize) -> Checked {
    if depth >= MAX_DEPTH {
        return Err(format!("the plan has more than {MAX_DEPTH} levels"));
    }
    Ok(depth + 1)
}

fn all(depths: impl Iterator<Item = Checked>) -> Checked {
    let mut deepest = 0;
    for depth in depths {
        deepest = deepest.max(depth?);
    }
    Ok(deepest)
}

fn input(node: &Option<Box<LogicalPlanNode>>) -> Checked {
    node.as_deref().map_or(Ok(0), plan)
}

fn boxed(node: &Option<Box<LogicalExprNode>>) -> Checked {
    node.as_deref().map_or(Ok(0), expr)
}

fn exprs(nodes: &[LogicalExprNode]) -> Checked {
    all(nodes.iter().map(expr))
}

fn sorts(nodes: &[SortExprNode]) -> Checked {
    all(nodes.iter().filter_map(|sort| sort.expr.as_ref()).map(expr))
}

fn when_then(node: &WhenThen) -> Checked {
    let part = |node: &Option<LogicalExprNode>| node.as_ref().map_or(Ok(0), expr);
    Ok(part(&node.when_expr)?.max(part(&node.then_expr)?))
}

fn scalar(value: &ScalarValue) -> Result<(), Reason> {
    match &value.value {
        Some(
            Value::ListValue(nested)
            | Value::LargeListValue(nested)
            | Value::FixedSizeListValue(nested)
            | Value::ListViewValue(nested)
            | Value::LargeListViewValue(nested)
            | Value::StructValue(nested)
            | Value::MapValue(nested),
        ) => nested_value(nested),
        Some(Value::NullValue(of)) => data_type(Some(of)),
        Some(Value::DictionaryValue(value)) => value.value.as_deref().map_or(Ok(()), scalar),
        Some(Value::RunEndEncodedValue(value)) => value.value.as_deref().map_or(Ok(()), scalar),
        Some(Value::UnionValue(value)) => {
            value
                .fields
                .iter()
                .try_for_each(|union_field| union_field.field.as_ref().map_or(Ok(()), field))?;
            value.value.as_deref().map_or(Ok(()), scalar)
        }
        Some(
            Value::BoolValue(_)
            | Value::Utf8Value(_)
            | Value::LargeUtf8Value(_)
            | Value::Utf8ViewValue(_)
            | Value::Int8Value(_)
            | Value::Int16Value(_)
            | Value::Int32Value(_)
            | Value::Int64Value(_)
            | Value::Uint8Value(_)
            | Value::Uint16Value(_)
            | Value::Uint32Value(_)
            | Value::Uint64Value(_)
            | Value::Float32Value(_)
            | Value::Float64Value(_)
            | Value::Date32Value(_)
            | Value::Time32Value(_)
            | Value::Decimal32Value(_)
            | Value::Decimal64Value(_)
            | Value::Decimal128Value(_)
            | Value::Decimal256Value(_)
            | Value::Date64Value(_)
            | Value::IntervalYearmonthValue(_)
            | Value::DurationSecondValue(_)
            | Value::DurationMillisecondValue(_)
            | Value::DurationMicrosecondValue(_)
            | Value::DurationNanosecondValue(_)
            | Value::TimestampValue(_)
            | Value::BinaryValue(_)
            | Value::LargeBinaryValue(_)
            | Value::BinaryViewValue(_)
            | Value::Time64Value(_)
            | Value::IntervalDaytimeValue(_)
            | Value::IntervalMonthDayNano(_)
            | Value::FixedSizeBinaryValue(_),
        )
        | None => Ok(()),
    }
}

/// A value in Arrow's own format: one row, neither compressed nor longer than its bytes can say.
fn nested_value(value: &ScalarNestedValue) -> Result<(), Reason> {
    schema(value.schema.as_ref())?;
    let mut messages = vec![(&value.ipc_message, value.arrow_data.len())];
    let dictionaries = value.dictionaries.iter();
    messages.extend(dictionaries.map(|part| (&part.ipc_message, part.arrow_data.len())));
    for (number, (bytes, length)) in messages.into_iter().enumerate() {
        let message = root_as_message(bytes).map_err(|error| error.to_string())?;
        let batch = if number == 0 {
            message.header_as_record_batch()
        } else {
            message
                .header_as_dictionary_batch()
                .and_then(|batch| batch.data())
        };
        let batch = batch.ok_or("a nested value is no batch of rows")?;
        if batch.compression().is_some() {
            return Err("a nested value is compressed".to_owned());
        }
        if number == 0 && batch.length() != 1 {
            return Err("a nested value has not one row".to_owned());
        }
        let ends_inside = |offset: i64, size: i64| {
            let end = offset
                .checked_add(size)
                .and_then(|end| usize::try_from(end).ok());
            offset >= 0 && size >= 0 && end.is_some_and(|end| end <= length)
        };
        if !batch
            .buffers()
            .iter()
            .flatten()
            .all(|buffer| ends_inside(buffer.offset(), buffer.length()))
        {
            return Err("a nested value ends before its parts".to_owned());
        }
        let nodes = batch.nodes();
        if nodes
            .iter()
            .flatten()
            .any(|node| !(0..=MAX_ELEMENTS).contains(&node.length()))
        {
            return Err("a nested value has very many elements".to_owned());
        }
    }
    Ok(())
}

fn schema(schema: Option<&Schema>) -> Result<(), Reason> {
    schema
        .into_iter()
        .flat_map(|schema| &schema.columns)
        .try_for_each(field)
}

fn field(node: &Field) -> Result<(), Reason> {
    data_type(node.arrow_type.as_deref())?;
    node.children.iter().try_for_each(field)
}

/// A fixed-size list as null has all its elements.
fn data_type(node: Option<&ArrowType>) -> Result<(), Reason> {
    elements(node).map(drop)
}

/// How many leaves one value of the type has.
fn elements(node: Option<&ArrowType>) -> Result<i64, Reason> {
    let of = |node: &Option<Box<Field>>| match node {
        Some(node) => elements(node.arrow_type.as_deref()),
        None => Ok(1),
    };
    let several = |nodes: &[Field]| {
        nodes.iter().try_fold(1_i64, |sum, node| {
            let part = elements(node.arrow_type.as_deref())?;
            Ok::<_, Reason>(sum.saturating_add(part))
        })
    };
    let Some(node) = node.and_then(|node| node.arrow_type_enum.as_ref()) else {
        return Ok(1);
    };
    let count = match node {
        ArrowTypeEnum::FixedSizeList(list) => {
            of(&list.field_type)?.saturating_mul(i64::from(list.list_size.max(1)))
        }
        ArrowTypeEnum::FixedSizeBinary(size) => i64::from((*size).max(1)),
        ArrowTypeEnum::List(list)
        | ArrowTypeEnum::LargeList(list)
        | ArrowTypeEnum::ListView(list)
        | ArrowTypeEnum::LargeListView(list) => of(&list.field_type)?,
        ArrowTypeEnum::Map(map) => of(&map.field_type)?,
        ArrowTypeEnum::Struct(fields) => several(&fields.sub_field_types)?,
        ArrowTypeEnum::Union(union) => several(&union.union_types)?,
        ArrowTypeEnum::Dictionary(dictionary) => elements(dictionary.value.as_deref())?,
        ArrowTypeEnum::RunEndEncoded(encoded) => of(&encoded.values_field)?,
        ArrowTypeEnum::None(_)
        | ArrowTypeEnum::Bool(_)
        | ArrowTypeEnum::Uint8(_)
        | ArrowTypeEnum::Int8(_)
        | ArrowTypeEnum::Uint16(_)
        | ArrowTypeEnum::Int16(_)
        | ArrowTypeEnum::Uint32(_)
        | ArrowTypeEnum::Int32(_)
        | ArrowTypeEnum::Uint64(_)
        | ArrowTypeEnum::Int64(_)
        | ArrowTypeEnum::Float16(_)
        | ArrowTypeEnum::Float32(_)
        | ArrowTypeEnum::Float64(_)
        | ArrowTypeEnum::Utf8(_)
        | ArrowTypeEnum::Utf8View(_)
        | ArrowTypeEnum::LargeUtf8(_)
        | ArrowTypeEnum::Binary(_)
        | ArrowTypeEnum::BinaryView(_)
        | ArrowTypeEnum::LargeBinary(_)
        | ArrowTypeEnum::Date32(_)
        | ArrowTypeEnum::Date64(_)
        | ArrowTypeEnum::Duration(_)
        | ArrowTypeEnum::Timestamp(_)
        | ArrowTypeEnum::Time32(_)
        | ArrowTypeEnum::Time64(_)
        | ArrowTypeEnum::Interval(_)
        | ArrowTypeEnum::Decimal32(_)
        | ArrowTypeEnum::Decimal64(_)
        | ArrowTypeEnum::Decimal128(_)
        | ArrowTypeEnum::Decimal256(_) => 1,
    };
    if count > MAX_ELEMENTS {
        return Err("a type has very many elements in one value".to_owned());
    }
    Ok(count)
}
