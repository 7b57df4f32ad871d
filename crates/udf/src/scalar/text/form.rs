//! The normal forms of Unicode, case folding and white space.

use std::borrow::Cow;

use datafusion_common::{DataFusionError, exec_datafusion_err};
use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// What to bring a text to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) form: Form,
    pub(super) fold_case: bool,
    pub(super) collapse_space: bool,
}

/// A normal form of Unicode, or the text as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
    AsItIs,
}

impl Form {
    /// Reads the name of a form, in any letter case.
    pub(super) fn parse(name: &str) -> Result<Self, DataFusionError> {
        const FORMS: [(&str, Form); 5] = [
            ("NFC", Form::Nfc),
            ("NFD", Form::Nfd),
            ("NFKC", Form::Nfkc),
            ("NFKD", Form::Nfkd),
            ("NONE", Form::AsItIs),
        ];
        let found = FORMS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, form)| *form).ok_or_else(|| {
            exec_datafusion_err!(
                "utf8_normalize knows the forms NFC, NFD, NFKC, NFKD and NONE, found `{name}`"
            )
        })
    }

    fn apply<'a>(self, text: &'a str) -> Cow<'a, str> {
        match self {
            Self::Nfc => ComposingNormalizerBorrowed::new_nfc().normalize(text),
            Self::Nfd => DecomposingNormalizerBorrowed::new_nfd().normalize(text),
            Self::Nfkc => ComposingNormalizerBorrowed::new_nfkc().normalize(text),
            Self::Nfkd => DecomposingNormalizerBorrowed::new_nfkd().normalize(text),
            Self::AsItIs => Cow::Borrowed(text),
        }
    }

    /// Whether a text is in the form already.
    fn has(self, text: &str) -> bool {
        match self {
            Self::Nfc => ComposingNormalizerBorrowed::new_nfc().is_normalized(text),
            Self::Nfd => DecomposingNormalizerBorrowed::new_nfd().is_normalized(text),
            Self::Nfkc => ComposingNormalizerBorrowed::new_nfkc().is_normalized(text),
            Self::Nfkd => DecomposingNormalizerBorrowed::new_nfkd().is_normalized(text),
            Self::AsItIs => true,
        }
    }
}

impl Options {
    /// Whether ASCII text stays as it is whatever it says.
    pub(super) fn keep_ascii(self) -> bool {
        !self.fold_case && !self.collapse_space
    }

    /// Whether a text is in the form already; may say no where it is.
    pub(super) fn holds(self, text: &str) -> bool {
        self.keep_ascii() && (text.is_ascii() || self.form.has(text))
    }

    /// The text in its form. Applying it again changes nothing.
    pub(super) fn apply<'a>(self, text: &'a str) -> Cow<'a, str> {
        if text.is_ascii() {
            return self.apply_ascii(text);
        }
        let text = if self.fold_case {
            self.fold(text)
        } else {
            self.form.apply(text)
        };
        if !self.collapse_space || is_collapsed(&text) {
            return text;
        }
        Cow::Owned(collapse(&text))
    }

    fn apply_ascii<'a>(self, text: &'a str) -> Cow<'a, str> {
        let collapse_space = self.collapse_space && !is_collapsed(text);
        let fold_case = self.fold_case && text.bytes().any(|byte| byte.is_ascii_uppercase());
        match (collapse_space, fold_case) {
            (false, false) => Cow::Borrowed(text),
            (false, true) => Cow::Owned(text.to_ascii_lowercase()),
            (true, false) => Cow::Owned(collapse(text)),
            (true, true) => {
                let mut text = collapse(text);
                text.make_ascii_lowercase();
                Cow::Owned(text)
            }
        }
    }

    /// Full case folding by the definitions of Unicode: D145 for canonical forms, D146 for compatible
    /// ones. Folding alone could leave the form.
    fn fold<'a>(self, text: &'a str) -> Cow<'a, str> {
        let mapper = CaseMapper::new();
        let folded = |form: Form, text: &str| -> String {
            mapper.fold_string(&form.apply(text)).into_owned()
        };
        match self.form {
            Form::AsItIs => mapper.fold_string(text),
            Form::Nfc | Form::Nfd => {
                let folded = folded(Form::Nfd, text);
                Cow::Owned(self.form.apply(&folded).into_owned())
            }
            Form::Nfkc | Form::Nfkd => {
                let once = folded(Form::Nfd, text);
                let twice = folded(Form::Nfkd, &once);
                Cow::Owned(self.form.apply(&twice).into_owned())
            }
        }
    }
}

/// Whether the only white space of a text is single spaces between others.
fn is_collapsed(text: &str) -> bool {
    let mut after_space = true;
    for character in text.chars() {
        let space = character.is_whitespace();
        if space && (after_space || character != ' ') {
            return false;
        }
        after_space = space;
    }
    text.is_empty() || !after_space
}

fn collapse(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    collapsed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_those_of_the_stated_version_of_unicode() {
        // Unicode 16 added GARAY CAPITAL LETTER A, which folds to U+10D70; Unicode 17 added LATIN
        // CAPITAL LETTER LAMBDA WITH STROKE's small partner, U+A7CE PHARYNGEAL VOICED FRICATIVE.
        let mapper = CaseMapper::new();
        assert_eq!(mapper.fold_string("\u{10D50}"), "\u{10D70}");
        assert_eq!(mapper.fold_string("\u{A7CE}"), "\u{A7CF}");
    }

    #[test]
    fn a_form_applied_twice_is_the_form_applied_once() {
        let hard = [
            "\u{345}\u{399}",
            "\u{1FB3}\u{301}",
            "\u{2126}",
            "\u{FDFA}",
            "\u{130}I\u{307}",
            "\u{1E9E}ß",
            " a\u{a8}\u{85}b ",
            "\u{3000}x\u{2028}",
        ];
        let forms = [Form::Nfc, Form::Nfd, Form::Nfkc, Form::Nfkd, Form::AsItIs];
        for form in forms {
            for (fold_case, collapse_space) in
                [(false, false), (true, false), (false, true), (true, true)]
            {
                let options = Options {
                    form,
                    fold_case,
                    collapse_space,
                };
                for text in hard {
                    let once = options.apply(text);
                    assert_eq!(options.apply(&once), once, "{options:?} of {text:?}");
                }
            }
        }
    }
}
