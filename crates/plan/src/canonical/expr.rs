//! Expressions: one digest per node of an expression tree.

use std::rc::Rc;
use std::sync::LazyLock;

use codeanatomy_vocab::{Encoder, Fingerprint, Result};
use datafusion_common::arrow::datatypes::Field;
use datafusion_common::metadata::FieldMetadata;
use datafusion_expr::Expr;
use datafusion_expr::expr::{
    Between, InList, Like, Placeholder, SetComparison, SetQuantifier, Sort,
};

use super::class::Class;
use super::columns::{Inputs, Place};
use super::name::{column_digest, encode_places, lambda_variable_digest};
use super::operator::{operator_code, sort_terms};
use super::scalar::encode_scalar;
use super::tag::expr as tag;
use super::{Walker, encode_metadata, encode_unnamed_field};
use crate::FINGERPRINT_FORMAT;
use crate::error::unresolved;

/// The digest of an expression, and whether two evaluations of it may differ.
#[derive(Debug, Clone, Copy)]
pub(super) struct ExprDigest {
    pub(super) digest: Fingerprint,
    pub(super) volatile: bool,
    pub(super) class: Class,
}

/// What the names in an expression refer to.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    pub(super) inputs: &'s Rc<Inputs>,
    pub(super) lambdas: Option<&'s LambdaFrame<'s>>,
    pub(super) spelling: Spelling,
}

/// How much of the spelling of an expression is in its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Nothing: names vanish, equal meanings are made equal.
    Blind,
    /// All: names are in, nothing is made equal.
    Full,
    /// All, and a column need not be one of an input.
    Foreign,
}

/// The parameters of a lambda around an expression.
pub(super) struct LambdaFrame<'s> {
    pub(super) params: &'s [String],
    pub(super) outer: Option<&'s LambdaFrame<'s>>,
}

/// The digest of an expression node in the making.
pub(super) struct Draft {
    pub(super) encoder: Encoder,
    pub(super) volatile: bool,
}

impl<'s> Scope<'s> {
    /// Names are those of the inputs of one plan node.
    pub(super) fn new(inputs: &'s Rc<Inputs>) -> Self {
        Self {
            inputs,
            lambdas: None,
            spelling: Spelling::Blind,
        }
    }

    /// The same for a node whose use of names is unknown.
    pub(super) fn foreign(inputs: &'s Rc<Inputs>) -> Self {
        Self {
            spelling: Spelling::Foreign,
            ..Self::new(inputs)
        }
    }

    pub(super) fn spelled(self) -> Self {
        match self.spelling {
            Spelling::Blind => Self {
                spelling: Spelling::Full,
                ..self
            },
            Spelling::Full | Spelling::Foreign => self,
        }
    }

    pub(super) fn is_blind(self) -> bool {
        self.spelling == Spelling::Blind
    }
}

impl Draft {
    pub(super) fn new(tag: u8) -> Self {
        static START: LazyLock<Encoder> =
            LazyLock::new(|| Encoder::new("codeanatomy.plan.expr", FINGERPRINT_FORMAT));
        let mut encoder = START.clone();
        encoder.tag(tag);
        Self {
            encoder,
            volatile: false,
        }
    }

    pub(super) fn child(&mut self, child: ExprDigest) {
        self.encoder.fingerprint(&child.digest);
        self.volatile |= child.volatile;
    }

    pub(super) fn children(&mut self, children: &[ExprDigest]) {
        self.encoder.len(children.len());
        for child in children {
            self.child(*child);
        }
    }

    pub(super) fn finish(self) -> ExprDigest {
        ExprDigest {
            digest: self.encoder.finish(),
            volatile: self.volatile,
            class: Class::Other,
        }
    }
}

impl Walker<'_> {
    /// The digest of an expression.
    #[recursive::recursive]
    #[expect(deprecated, reason = "the match names every variant")]
    pub(super) fn expr(&mut self, expr: &Expr, scope: Scope<'_>) -> Result<ExprDigest> {
        match expr {
            Expr::Alias(alias) => self.alias(alias, scope),
            Expr::Column(column) => column_digest(column, scope),
            Expr::ScalarVariable(field, names) => Ok(self.scalar_variable(field, names)),
            Expr::Literal(value, metadata) => {
                let mut draft = Draft::new(tag::LITERAL);
                encode_scalar(&mut draft.encoder, value)?;
                encode_field_metadata(&mut draft.encoder, metadata.as_ref());
                Ok(draft.finish().of_class(Class::of(&value.data_type())))
            }
            Expr::BinaryExpr(binary) => self.binary(binary, scope),
            Expr::Like(like) => self.like(tag::LIKE, like, scope),
            Expr::SimilarTo(like) => self.like(tag::SIMILAR_TO, like, scope),
            Expr::Not(expr) => self.unary(tag::NOT, expr, scope),
            Expr::IsNotNull(expr) => self.unary(tag::IS_NOT_NULL, expr, scope),
            Expr::IsNull(expr) => self.unary(tag::IS_NULL, expr, scope),
            Expr::IsTrue(expr) => self.unary(tag::IS_TRUE, expr, scope),
            Expr::IsFalse(expr) => self.unary(tag::IS_FALSE, expr, scope),
            Expr::IsUnknown(expr) => self.unary(tag::IS_UNKNOWN, expr, scope),
            Expr::IsNotTrue(expr) => self.unary(tag::IS_NOT_TRUE, expr, scope),
            Expr::IsNotFalse(expr) => self.unary(tag::IS_NOT_FALSE, expr, scope),
            Expr::IsNotUnknown(expr) => self.unary(tag::IS_NOT_UNKNOWN, expr, scope),
            Expr::Negative(expr) => self.unary(tag::NEGATIVE, expr, scope),
            Expr::Between(between) => self.between(between, scope),
            Expr::Case(case) => self.case(case, scope),
            Expr::Cast(cast) => self.cast(tag::CAST, &cast.expr, &cast.field, scope),
            Expr::TryCast(cast) => self.cast(tag::TRY_CAST, &cast.expr, &cast.field, scope),
            Expr::ScalarFunction(function) => self.scalar_function(function, scope),
            Expr::AggregateFunction(function) => self.aggregate_function(function, scope),
            Expr::WindowFunction(function) => self.window_function(function, scope),
            Expr::InList(list) => self.in_list(list, scope),
            Expr::Exists(exists) => {
                let subquery = self.subquery(&exists.subquery, scope)?;
                let mut draft = Draft::new(tag::EXISTS);
                draft.encoder.bool(exists.negated);
                draft.child(subquery);
                Ok(draft.finish())
            }
            Expr::InSubquery(in_subquery) => {
                let expr = self.expr(&in_subquery.expr, scope)?;
                let subquery = self.subquery(&in_subquery.subquery, scope)?;
                let mut draft = Draft::new(tag::IN_SUBQUERY);
                draft.encoder.bool(in_subquery.negated);
                draft.child(expr);
                draft.child(subquery);
                Ok(draft.finish())
            }
            Expr::SetComparison(comparison) => self.set_comparison(comparison, scope),
            Expr::ScalarSubquery(subquery) => {
                let subquery = self.subquery(subquery, scope)?;
                let mut draft = Draft::new(tag::SCALAR_SUBQUERY);
                draft.child(subquery);
                Ok(draft.finish())
            }
            Expr::Wildcard { .. } => Err(unresolved("wildcard", "*")),
            Expr::GroupingSet(set) => self.grouping_set(set, scope),
            Expr::Placeholder(placeholder) => Ok(placeholder_digest(placeholder)),
            Expr::OuterReferenceColumn(_, column) => self.outer_column(column, scope),
            Expr::Unnest(unnest) => {
                let expr = self.expr(&unnest.expr, scope)?;
                let mut draft = Draft::new(tag::UNNEST);
                draft.encoder.bool(unnest.outer);
                draft.child(expr);
                Ok(draft.finish())
            }
            Expr::HigherOrderFunction(function) => self.higher_order_function(function, scope),
            Expr::Lambda(lambda) => self.lambda(lambda, scope),
            Expr::LambdaVariable(variable) => lambda_variable_digest(variable, scope),
        }
    }

    /// The digests of several expressions, in their order.
    pub(super) fn exprs<'e>(
        &mut self,
        exprs: impl IntoIterator<Item = &'e Expr>,
        scope: Scope<'_>,
    ) -> Result<Vec<ExprDigest>> {
        exprs
            .into_iter()
            .map(|expr| self.expr(expr, scope))
            .collect()
    }

    /// Writes sort keys: expression, direction and place of nulls.
    pub(super) fn encode_sorts(
        &mut self,
        encoder: &mut Encoder,
        sorts: &[Sort],
        scope: Scope<'_>,
    ) -> Result<bool> {
        let mut volatile = false;
        let mut keys: Vec<(bool, bool, ExprDigest)> = Vec::with_capacity(sorts.len());
        for sort in sorts {
            let Sort {
                expr,
                asc,
                nulls_first,
            } = sort;
            let key = self.expr(expr, scope)?;
            volatile |= key.volatile;
            // Rows that are equal in a key are equal in it again.
            let repeated = keys.iter().any(|(_, _, other)| other.digest == key.digest);
            if !(repeated && scope.is_blind() && !key.volatile) {
                keys.push((*asc, *nulls_first, key));
            }
        }
        encoder.len(keys.len());
        for (asc, nulls_first, key) in keys {
            encoder.bool(asc);
            encoder.bool(nulls_first);
            encoder.fingerprint(&key.digest);
        }
        Ok(volatile)
    }

    fn unary(&mut self, tag: u8, expr: &Expr, scope: Scope<'_>) -> Result<ExprDigest> {
        let mut draft = Draft::new(tag);
        draft.child(self.expr(expr, scope)?);
        Ok(draft.finish())
    }

    fn like(&mut self, tag: u8, like: &Like, scope: Scope<'_>) -> Result<ExprDigest> {
        let Like {
            negated,
            expr,
            pattern,
            escape_char,
            case_insensitive,
        } = like;
        let expr = self.expr(expr, scope)?;
        let pattern = self.expr(pattern, scope)?;
        let mut draft = Draft::new(tag);
        draft.encoder.bool(*negated);
        draft.encoder.bool(*case_insensitive);
        draft
            .encoder
            .option(*escape_char, |encoder, c| encoder.u32(u32::from(c)));
        draft.child(expr);
        draft.child(pattern);
        Ok(draft.finish())
    }

    fn between(&mut self, between: &Between, scope: Scope<'_>) -> Result<ExprDigest> {
        let Between {
            expr,
            negated,
            low,
            high,
        } = between;
        let expr = self.expr(expr, scope)?;
        let low = self.expr(low, scope)?;
        let high = self.expr(high, scope)?;
        let mut draft = Draft::new(tag::BETWEEN);
        draft.encoder.bool(*negated);
        draft.child(expr);
        draft.child(low);
        draft.child(high);
        Ok(draft.finish())
    }

    /// A cast. The engine treats a target field without name, metadata and non-nullability as a
    /// bare type, so whether there is a name counts although the name does not.
    fn cast(
        &mut self,
        tag: u8,
        expr: &Expr,
        field: &Field,
        scope: Scope<'_>,
    ) -> Result<ExprDigest> {
        let expr = self.expr(expr, scope)?;
        let mut draft = Draft::new(tag);
        draft.encoder.bool(field.name().is_empty());
        encode_unnamed_field(&mut draft.encoder, field);
        if !scope.is_blind() {
            draft.encoder.str(field.name());
        }
        draft.child(expr);
        Ok(draft.finish().of_class(Class::of(field.data_type())))
    }

    /// A list of values: a set of them, unless two evaluations of one may differ.
    fn in_list(&mut self, in_list: &InList, scope: Scope<'_>) -> Result<ExprDigest> {
        let InList {
            expr,
            list,
            negated,
        } = in_list;
        let expr = self.expr(expr, scope)?;
        let mut list = self.exprs(list, scope)?;
        if scope.is_blind() {
            sort_terms(&mut list);
        }
        let mut draft = Draft::new(tag::IN_LIST);
        draft.encoder.bool(*negated);
        draft.child(expr);
        draft.children(&list);
        Ok(draft.finish())
    }

    fn set_comparison(
        &mut self,
        comparison: &SetComparison,
        scope: Scope<'_>,
    ) -> Result<ExprDigest> {
        let SetComparison {
            expr,
            subquery,
            op,
            quantifier,
        } = comparison;
        let expr = self.expr(expr, scope)?;
        let subquery = self.subquery(subquery, scope)?;
        let mut draft = Draft::new(tag::SET_COMPARISON);
        draft.encoder.tag(operator_code(*op));
        draft.encoder.tag(match quantifier {
            SetQuantifier::Any => 0,
            SetQuantifier::All => 1,
        });
        draft.child(expr);
        draft.child(subquery);
        Ok(draft.finish())
    }

    pub(super) fn optional(
        &mut self,
        draft: &mut Draft,
        expr: Option<&Expr>,
        scope: Scope<'_>,
    ) -> Result<()> {
        draft.encoder.bool(expr.is_some());
        if let Some(expr) = expr {
            draft.child(self.expr(expr, scope)?);
        }
        Ok(())
    }
}

impl ExprDigest {
    pub(super) fn of_class(self, class: Class) -> Self {
        Self { class, ..self }
    }
}

/// A column of the only input, by its place.
pub(super) fn column_of_input(ordinal: usize) -> ExprDigest {
    let mut draft = Draft::new(tag::COLUMN);
    encode_places(&mut draft.encoder, &[Place { input: 0, ordinal }]);
    draft.finish()
}

pub(super) fn without_plain_alias(mut expr: &Expr) -> &Expr {
    while let Expr::Alias(alias) = expr {
        if alias.metadata.as_ref().is_some_and(|m| !m.is_empty()) {
            break;
        }
        expr = &alias.expr;
    }
    expr
}

fn placeholder_digest(placeholder: &Placeholder) -> ExprDigest {
    let Placeholder { id, field } = placeholder;
    let mut draft = Draft::new(tag::PLACEHOLDER);
    draft.encoder.str(id);
    draft.encoder.option(field.as_ref(), |encoder, field| {
        encode_unnamed_field(encoder, field)
    });
    draft.finish()
}

pub(super) fn encode_field_metadata(encoder: &mut Encoder, metadata: Option<&FieldMetadata>) {
    let empty = std::collections::BTreeMap::new();
    let metadata = metadata.map_or(&empty, FieldMetadata::inner);
    encode_metadata(encoder, metadata.iter());
}
