//! Names, and what they resolve to: columns, outer columns, lambda parameters, subqueries.

use std::rc::Rc;

use codeanatomy_schema::encode_field;
use codeanatomy_vocab::{Encoder, Result};
use datafusion_common::arrow::datatypes::Field;
use datafusion_common::{Column, TableReference};
use datafusion_expr::Subquery;
use datafusion_expr::expr::{Alias, Lambda, LambdaVariable};

use super::class::Class;
use super::columns::Place;
use super::expr::{Draft, ExprDigest, LambdaFrame, Scope, Spelling, encode_field_metadata};
use super::tag::expr as tag;
use super::{Frame, Walker, encode_reference, encode_unnamed_field};
use crate::error::unresolved;

impl Walker<'_> {
    pub(super) fn alias(&mut self, alias: &Alias, scope: Scope<'_>) -> Result<ExprDigest> {
        let Alias {
            expr,
            relation,
            name,
            metadata,
        } = alias;
        let inner = self.expr(expr, scope)?;
        let metadata = metadata.as_ref().filter(|metadata| !metadata.is_empty());
        let mut draft = match (scope.is_blind(), metadata) {
            // The class of the inner expression stays: an alias is no operation.
            (true, None) => return Ok(inner),
            (true, Some(_)) => Draft::new(tag::ALIAS_METADATA),
            (false, _) => {
                let mut draft = Draft::new(tag::SPELLED_ALIAS);
                encode_name(&mut draft.encoder, relation.as_ref(), name);
                draft
            }
        };
        encode_field_metadata(&mut draft.encoder, metadata);
        draft.child(inner);
        Ok(draft.finish())
    }

    pub(super) fn scalar_variable(&mut self, field: &Field, names: &[String]) -> ExprDigest {
        self.found.volatile.insert(names.join("."));
        let mut draft = Draft::new(tag::SCALAR_VARIABLE);
        draft
            .encoder
            .seq(names.iter(), |encoder, name| encoder.str(name));
        encode_unnamed_field(&mut draft.encoder, field);
        draft.volatile = true;
        draft.finish()
    }

    pub(super) fn lambda(&mut self, lambda: &Lambda, scope: Scope<'_>) -> Result<ExprDigest> {
        let Lambda { params, body } = lambda;
        let frame = LambdaFrame {
            params,
            outer: scope.lambdas,
        };
        let inside = Scope {
            inputs: scope.inputs,
            lambdas: Some(&frame),
            spelling: scope.spelling,
        };
        let body = self.expr(body, inside)?;
        let mut draft = Draft::new(tag::LAMBDA);
        draft.encoder.len(params.len());
        if !scope.is_blind() {
            for param in params {
                draft.encoder.str(param);
            }
        }
        draft.child(body);
        Ok(draft.finish())
    }

    /// The plan of a subquery, with the inputs of this expression as its outer query. Its names
    /// count only where the spelling of the expression does.
    pub(super) fn subquery(&mut self, subquery: &Subquery, scope: Scope<'_>) -> Result<ExprDigest> {
        let Subquery {
            subquery,
            outer_ref_columns: _,
            spans: _,
        } = subquery;
        self.frames.push(Frame::Outer(Rc::clone(scope.inputs)));
        let node = self.plan(subquery);
        self.frames.pop();
        let node = node?.settled();
        let digest = if scope.is_blind() {
            node.digest
        } else {
            let mut draft = Draft::new(tag::SPELLED_SUBQUERY);
            draft.encoder.len(node.schema.fields().len());
            for (qualifier, field) in node.schema.iter() {
                encode_name(&mut draft.encoder, qualifier, field.name());
            }
            draft.encoder.fingerprint(&node.digest);
            draft.finish().digest
        };
        Ok(ExprDigest {
            digest,
            volatile: node.volatile,
            class: Class::Other,
        })
    }

    /// A column of an outer query: how many scopes out, and where in it. The nearest scope that
    /// has the column wins, as in SQL.
    pub(super) fn outer_column(&mut self, column: &Column, scope: Scope<'_>) -> Result<ExprDigest> {
        for (number, frame) in self.frames.iter().enumerate().rev() {
            let Frame::Outer(inputs) = frame else {
                continue;
            };
            let places = inputs.find(column);
            if places.is_empty() {
                continue;
            }
            let mut draft = Draft::new(tag::OUTER_COLUMN);
            draft.encoder.len(self.frames.len() - number);
            encode_places(&mut draft.encoder, &places);
            if !scope.is_blind() {
                encode_name(&mut draft.encoder, column.relation.as_ref(), &column.name);
            }
            self.outermost_frame = self.outermost_frame.min(number);
            return Ok(draft.finish());
        }
        Err(unresolved("outer column", column))
    }
}

pub(super) fn column_digest(column: &Column, scope: Scope<'_>) -> Result<ExprDigest> {
    let Column {
        relation,
        name,
        spans: _,
    } = column;
    let places = scope.inputs.find(column);
    if places.is_empty() && scope.spelling != Spelling::Foreign {
        return Err(unresolved("column", column));
    }
    let mut draft = Draft::new(match scope.spelling {
        Spelling::Blind if scope.inputs.by_field() => tag::SOURCE_COLUMN,
        Spelling::Blind => tag::COLUMN,
        Spelling::Full | Spelling::Foreign => tag::SPELLED_COLUMN,
    });
    if scope.inputs.by_field() {
        for place in &places {
            let field = scope.inputs.schema(place.input).field(place.ordinal);
            encode_field(&mut draft.encoder, field);
        }
    } else {
        encode_places(&mut draft.encoder, &places);
    }
    if !scope.is_blind() {
        encode_name(&mut draft.encoder, relation.as_ref(), name);
    }
    Ok(draft.finish().of_class(scope.inputs.class(column)))
}

/// A lambda's parameter: how many lambdas out, and its number there.
pub(super) fn lambda_variable_digest(
    variable: &LambdaVariable,
    scope: Scope<'_>,
) -> Result<ExprDigest> {
    let LambdaVariable {
        name,
        field: _,
        spans: _,
    } = variable;
    let mut level = 0;
    let mut frame = scope.lambdas;
    while let Some(LambdaFrame { params, outer }) = frame {
        if let Some(number) = params.iter().rposition(|param| param == name) {
            let mut draft = Draft::new(tag::LAMBDA_VARIABLE);
            draft.encoder.len(level);
            draft.encoder.len(number);
            if !scope.is_blind() {
                draft.encoder.str(name);
            }
            return Ok(draft.finish());
        }
        level += 1;
        frame = *outer;
    }
    Err(unresolved("lambda parameter", name))
}

pub(super) fn encode_places(encoder: &mut Encoder, places: &[Place]) {
    encoder.tag(u8::try_from(places.len()).unwrap_or(u8::MAX));
    for place in places {
        encoder.u32(u32::try_from(place.input).unwrap_or(u32::MAX));
        encoder.len(place.ordinal);
    }
}

fn encode_name(encoder: &mut Encoder, relation: Option<&TableReference>, name: &str) {
    encoder.option(relation, encode_reference);
    encoder.str(name);
}
