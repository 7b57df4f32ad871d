//! Plan nodes: one digest per node of a logical plan.

use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use codeanatomy_vocab::{Encoder, Result};
use datafusion_common::DFSchemaRef;
use datafusion_expr::expr::Sort as SortExpr;
use datafusion_expr::logical_plan::{
    Aggregate, Distinct, DistinctOn, FetchType, Filter, Limit, Partitioning, Projection,
    Repartition, SkipType, Sort, Subquery, SubqueryAlias, Union, Window,
};
use datafusion_expr::{Expr, LogicalPlan};

use super::columns::{Inputs, Place};
use super::expr::{ExprDigest, Scope, without_plain_alias};
use super::layout::Layout;
use super::scalar::encode_scalar;
use super::source;
use super::tag::node as tag;
use super::{Node, Walker, encode_unnamed_schema};
use crate::FINGERPRINT_FORMAT;
use crate::error::not_a_query;

/// The digest of a plan node in the making.
pub(super) struct Draft {
    pub(super) encoder: Encoder,
    pub(super) volatile: bool,
}

impl Draft {
    pub(super) fn new(tag: u8) -> Self {
        static START: LazyLock<Encoder> =
            LazyLock::new(|| Encoder::new("codeanatomy.plan.node", FINGERPRINT_FORMAT));
        let mut encoder = START.clone();
        encoder.tag(tag);
        Self {
            encoder,
            volatile: false,
        }
    }

    pub(super) fn expr(&mut self, expr: ExprDigest) {
        self.encoder.fingerprint(&expr.digest);
        self.volatile |= expr.volatile;
    }

    pub(super) fn exprs(&mut self, exprs: &[ExprDigest]) {
        self.encoder.len(exprs.len());
        for expr in exprs {
            self.expr(*expr);
        }
    }

    pub(super) fn input(&mut self, input: &Node) {
        self.encoder.fingerprint(&input.digest);
        self.volatile |= input.volatile;
    }

    pub(super) fn finish(self, schema: &DFSchemaRef) -> Node {
        Node {
            digest: self.encoder.finish(),
            schema: Arc::clone(schema),
            volatile: self.volatile,
            layout: Layout::plain(schema.fields().len()),
        }
    }
}

/// Each kind of node has a function of its own on the stack: in one frame, the values of all kinds would take
/// room at every level of a deep plan.
impl Walker<'_> {
    /// The digest of a plan node with all below it.
    #[recursive::recursive]
    pub(super) fn plan(&mut self, plan: &LogicalPlan) -> Result<Node> {
        let address = std::ptr::from_ref(plan).addr();
        if let Some(node) = self.closed.get(&address) {
            return Ok(node.clone());
        }
        let depth = self.frames.len();
        let outside = std::mem::replace(&mut self.outermost_frame, usize::MAX);
        let node = self.node(plan)?;
        if self.outermost_frame >= depth && !self.in_temporary {
            self.closed.insert(address, node.clone());
        }
        self.outermost_frame = self.outermost_frame.min(outside);
        Ok(node)
    }

    #[inline(never)]
    fn node(&mut self, plan: &LogicalPlan) -> Result<Node> {
        match plan {
            LogicalPlan::Projection(projection) => self.projection(projection),
            LogicalPlan::Filter(filter) => self.filter(filter),
            LogicalPlan::Window(window) => self.window(window),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate),
            LogicalPlan::Sort(sort) => self.sort(sort),
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Repartition(repartition) => self.repartition(repartition),
            LogicalPlan::Union(union) => self.union(union),
            LogicalPlan::TableScan(scan) => self.table_scan(scan),
            LogicalPlan::EmptyRelation(empty) => Ok(source::empty_relation(empty)),
            LogicalPlan::Subquery(subquery) => self.lateral(subquery),
            LogicalPlan::SubqueryAlias(alias) => self.subquery_alias(alias),
            LogicalPlan::Limit(limit) => self.limit(limit),
            LogicalPlan::Statement(_) => Err(not_a_query("a statement")),
            LogicalPlan::Values(values) => self.values(values),
            LogicalPlan::Explain(_) => Err(not_a_query("EXPLAIN")),
            LogicalPlan::Analyze(_) => Err(not_a_query("EXPLAIN ANALYZE")),
            LogicalPlan::Extension(extension) => self.extension(extension),
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let input = self.plan(input)?.with_all_columns();
                let mut draft = Draft::new(tag::DISTINCT_ALL);
                draft.input(&input);
                Ok(draft.finish(&input.schema).laid_out(input.layout))
            }
            LogicalPlan::Distinct(Distinct::On(distinct)) => self.distinct_on(distinct),
            LogicalPlan::Dml(_) => Err(not_a_query("a statement that changes a table")),
            LogicalPlan::Ddl(_) => Err(not_a_query("a statement that defines something")),
            LogicalPlan::Copy(_) => Err(not_a_query("COPY")),
            LogicalPlan::DescribeTable(_) => Err(not_a_query("DESCRIBE")),
            LogicalPlan::Unnest(unnest) => self.unnest(unnest),
            LogicalPlan::RecursiveQuery(query) => self.recursive_query(query),
        }
    }

    /// A projection of columns of its input names them, leaves some out and puts them in another
    /// order. It does nothing to the rows, and nothing between it and who reads them sees it.
    #[inline(never)]
    fn projection(&mut self, projection: &Projection) -> Result<Node> {
        let Projection {
            expr,
            input,
            schema,
            ..
        } = projection;
        let input = self.plan(input)?;
        let inputs = inputs_of(&input);
        if let Some(places) = places_of(expr, &inputs) {
            return Ok(Node {
                schema: Arc::clone(schema),
                layout: Layout::new(places, input.layout.columns()),
                ..input
            });
        }
        let mut draft = Draft::new(tag::PROJECTION);
        draft.input(&input);
        draft.exprs(&self.exprs(expr, Scope::new(&inputs))?);
        Ok(draft.finish(schema))
    }

    #[inline(never)]
    fn filter(&mut self, filter: &Filter) -> Result<Node> {
        let Filter {
            predicate, input, ..
        } = filter;
        let input = self.plan(input)?;
        let inputs = inputs_of(&input);
        let mut draft = Draft::new(tag::FILTER);
        draft.input(&input);
        draft.exprs(&self.conditions([predicate], Scope::new(&inputs))?);
        Ok(draft.finish(&input.schema).laid_out(input.layout))
    }

    #[inline(never)]
    fn window(&mut self, window: &Window) -> Result<Node> {
        let Window {
            input,
            window_expr,
            schema,
        } = window;
        let input = self.plan(input)?;
        let inputs = inputs_of(&input);
        let mut draft = Draft::new(tag::WINDOW);
        draft.input(&input);
        draft.exprs(&self.exprs(window_expr, Scope::new(&inputs))?);
        let layout = input.layout.followed_by(input.width(), window_expr.len());
        Ok(draft.finish(schema).laid_out(layout))
    }

    /// The groups, and the values for each, are in an order only for the columns that come out.
    #[inline(never)]
    fn aggregate(&mut self, aggregate: &Aggregate) -> Result<Node> {
        let Aggregate {
            input,
            group_expr,
            aggr_expr,
            schema,
            ..
        } = aggregate;
        let input = self.plan(input)?;
        let inputs = inputs_of(&input);
        let mut draft = Draft::new(tag::AGGREGATE);
        draft.input(&input);
        let mut groups = self.exprs(group_expr, Scope::new(&inputs))?;
        let mut values = self.exprs(aggr_expr, Scope::new(&inputs))?;
        let mut layout = Layout::plain(schema.fields().len());
        if self.is_order_free() && schema.fields().len() == groups.len() + values.len() {
            let offset = groups.len();
            let mut places = sort_columns(&mut groups);
            places.extend(sort_columns(&mut values).iter().map(|place| place + offset));
            layout = Layout::new(places, groups.len() + values.len());
        }
        draft.exprs(&groups);
        draft.exprs(&values);
        Ok(draft.finish(schema).laid_out(layout))
    }

    #[inline(never)]
    fn sort(&mut self, sort: &Sort) -> Result<Node> {
        let Sort { expr, input, fetch } = sort;
        let input = self.plan(input)?;
        let inputs = inputs_of(&input);
        let mut draft = Draft::new(tag::SORT);
        draft.input(&input);
        draft.encoder.option(*fetch, Encoder::len);
        self.sort_keys(&mut draft, expr, &inputs)?;
        Ok(draft.finish(&input.schema).laid_out(input.layout))
    }

    #[inline(never)]
    fn repartition(&mut self, repartition: &Repartition) -> Result<Node> {
        let Repartition {
            input,
            partitioning_scheme,
        } = repartition;
        let input = self.plan(input)?;
        let inputs = inputs_of(&input);
        let mut draft = Draft::new(tag::REPARTITION);
        draft.input(&input);
        match partitioning_scheme {
            Partitioning::RoundRobinBatch(partitions) => {
                draft.encoder.tag(0);
                draft.encoder.len(*partitions);
            }
            Partitioning::Hash(exprs, partitions) => {
                draft.encoder.tag(1);
                draft.encoder.len(*partitions);
                draft.exprs(&self.exprs(exprs, Scope::new(&inputs))?);
            }
            Partitioning::Range(range) => {
                draft.encoder.tag(2);
                self.sort_keys(&mut draft, range.ordering(), &inputs)?;
                draft.encoder.len(range.split_points().len());
                for point in range.split_points() {
                    draft.encoder.len(point.values().len());
                    for value in point.values() {
                        encode_scalar(&mut draft.encoder, value)?;
                    }
                }
            }
            Partitioning::DistributeBy(exprs) => {
                draft.encoder.tag(3);
                draft.exprs(&self.exprs(exprs, Scope::new(&inputs))?);
            }
        }
        Ok(draft.finish(&input.schema).laid_out(input.layout))
    }

    /// The inputs of a union are in an order only for what depends on the order of rows.
    #[inline(never)]
    fn union(&mut self, union: &Union) -> Result<Node> {
        let Union { inputs, schema } = union;
        let mut draft = Draft::new(tag::UNION);
        encode_unnamed_schema(&mut draft.encoder, schema);
        let mut nodes = Vec::with_capacity(inputs.len());
        for input in inputs {
            nodes.push(self.plan(input)?.settled());
        }
        if self.is_order_free() && nodes.iter().all(|node| !node.volatile) {
            nodes.sort_by_key(|node| node.digest);
        }
        draft.encoder.len(nodes.len());
        for node in &nodes {
            draft.input(node);
        }
        Ok(draft.finish(schema))
    }

    #[inline(never)]
    fn lateral(&mut self, subquery: &Subquery) -> Result<Node> {
        let Subquery {
            subquery,
            outer_ref_columns: _,
            spans: _,
        } = subquery;
        let input = self.plan(subquery)?;
        let mut draft = Draft::new(tag::LATERAL);
        draft.input(&input);
        Ok(draft.finish(&input.schema).laid_out(input.layout))
    }

    /// An alias gives its input's columns another qualifier and changes nothing else.
    #[inline(never)]
    fn subquery_alias(&mut self, alias: &SubqueryAlias) -> Result<Node> {
        let SubqueryAlias {
            input,
            alias: _,
            schema,
            ..
        } = alias;
        let input = self.plan(input)?;
        Ok(Node {
            schema: Arc::clone(schema),
            ..input
        })
    }

    #[inline(never)]
    fn limit(&mut self, limit: &Limit) -> Result<Node> {
        let Limit { skip, fetch, input } = limit;
        let input = self.plan(input)?;
        let inputs = Rc::new(Inputs::default());
        let mut draft = Draft::new(tag::LIMIT);
        draft.input(&input);
        match (limit.get_skip_type(), skip) {
            (Ok(SkipType::Literal(skip)), _) => {
                draft.encoder.tag(0);
                draft.encoder.len(skip);
            }
            (_, Some(skip)) => {
                draft.encoder.tag(1);
                draft.expr(self.expr(skip, Scope::new(&inputs))?);
            }
            (_, None) => draft.encoder.tag(2),
        }
        match (limit.get_fetch_type(), fetch) {
            (Ok(FetchType::Literal(fetch)), _) => {
                draft.encoder.tag(0);
                draft.encoder.option(fetch, Encoder::len);
            }
            (_, Some(fetch)) => {
                draft.encoder.tag(1);
                draft.expr(self.expr(fetch, Scope::new(&inputs))?);
            }
            (_, None) => draft.encoder.tag(2),
        }
        Ok(draft.finish(&input.schema).laid_out(input.layout))
    }

    #[inline(never)]
    fn distinct_on(&mut self, distinct: &DistinctOn) -> Result<Node> {
        let DistinctOn {
            on_expr,
            select_expr,
            sort_expr,
            input,
            schema,
        } = distinct;
        let input = self.plan(input)?;
        let inputs = inputs_of(&input);
        let mut draft = Draft::new(tag::DISTINCT_ON);
        draft.input(&input);
        draft.exprs(&self.exprs(on_expr, Scope::new(&inputs))?);
        draft.exprs(&self.exprs(select_expr, Scope::new(&inputs))?);
        draft.encoder.bool(sort_expr.is_some());
        if let Some(sort_expr) = sort_expr {
            self.sort_keys(&mut draft, sort_expr, &inputs)?;
        }
        Ok(draft.finish(schema))
    }

    pub(super) fn sort_keys(
        &mut self,
        draft: &mut Draft,
        keys: &[SortExpr],
        inputs: &Rc<Inputs>,
    ) -> Result<()> {
        let volatile = self.encode_sorts(&mut draft.encoder, keys, Scope::new(inputs))?;
        draft.volatile |= volatile;
        Ok(())
    }
}

/// The inputs of a node with one input.
pub(super) fn inputs_of(input: &Node) -> Rc<Inputs> {
    Rc::new(Inputs::of_nodes([input]))
}

/// The places of the expressions in the input, if all of them are its columns.
fn places_of(exprs: &[Expr], inputs: &Inputs) -> Option<Vec<usize>> {
    let place = |expr: &Expr| {
        let Expr::Column(column) = without_plain_alias(expr) else {
            return None;
        };
        let [Place { input: 0, ordinal }] = inputs.find(column)[..] else {
            return None;
        };
        Some(ordinal)
    };
    exprs.iter().map(place).collect()
}

/// Puts expressions in the order of their digests, and says where each of them went. They stay as
/// they are where evaluations of one may differ.
fn sort_columns(exprs: &mut Vec<ExprDigest>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..exprs.len()).collect();
    if exprs.iter().all(|expr| !expr.volatile) {
        order.sort_by_key(|ordinal| exprs[*ordinal].digest);
    }
    let mut places = vec![0; order.len()];
    for (place, ordinal) in order.iter().enumerate() {
        places[*ordinal] = place;
    }
    *exprs = order.iter().map(|ordinal| exprs[*ordinal]).collect();
    places
}
