//! Forms of a plan that can be kept and decoded again.
//!
//! A form is never an identity: both encodings lose meaning for some queries, without a word. So
//! each form is decoded again when it is made, and says whether the plan that came back has the
//! digest of the plan that went in. Only a form that does may be run in place of the plan.
//!
//! [`plan_forms`] makes the forms of a bundle, [`restore_plan`] turns one back into a plan.
//! Both work on plans over tables that are only schemas: no data is opened, nothing waits.
//!
//! The types are always there, so that a kept bundle can be read; making and decoding forms needs
//! the feature `forms`, which brings the whole engine.

mod form;

#[cfg(feature = "forms")]
mod bounds;
#[cfg(feature = "forms")]
mod guard;
#[cfg(feature = "forms")]
mod make;
#[cfg(feature = "forms")]
mod mend;
#[cfg(feature = "forms")]
mod protobuf;
#[cfg(feature = "forms")]
mod reason;
#[cfg(feature = "forms")]
mod substrait;
#[cfg(feature = "forms")]
mod tables;

pub use self::form::{Form, FormContent, FormKind, FormSource, FormValidation, PlanForms};
#[cfg(feature = "forms")]
pub use self::make::{decode_form, plan_forms, restore_plan};
#[cfg(feature = "forms")]
pub use self::substrait::substrait_text;
