//! One pin for each dataset, whoever asks for it.

use std::collections::BTreeMap;

use codeanatomy_vocab::{DatasetName, DeltaVersionSelector, Error, Errors, UnixMillis};

use crate::codes;
use crate::resolve::rfc3339;

/// A wish for a version of a dataset, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinRequest {
    /// The dataset.
    pub dataset: DatasetName,
    /// The version that is asked for.
    pub selector: DeltaVersionSelector,
    /// Where it is asked for, for people: `codeanatomy.toml:12`, ``the view `by_region` ``,
    /// `--pin orders=3`.
    pub place: String,
}

/// Brings the wishes of all places together: one selector for each dataset that is named.
///
/// Wishes agree when they are equal. [`Latest`](DeltaVersionSelector::Latest) is a wish like any
/// other, so a place without one must be left out; a version and a time never agree, because what
/// the time means is known only from the table. The first of equal wishes is kept.
///
/// # Errors
///
/// All at once, one for each dataset: [`CA-DELTA-0021`](codes::CONFLICTING_PINS) names both places.
///
/// # Example: do the project and the command line agree?
///
/// ```
/// use codeanatomy_delta::{PinRequest, agree_on_pins};
/// use codeanatomy_vocab::{DatasetName, DeltaVersionSelector};
///
/// let request = |version, place: &str| PinRequest {
///     dataset: DatasetName::new("orders").unwrap(),
///     selector: DeltaVersionSelector::Version(version),
///     place: place.to_owned(),
/// };
/// let errors = agree_on_pins([request(3, "codeanatomy.toml:7"), request(4, "--pin")]).unwrap_err();
/// let error = errors.iter().next().unwrap();
/// assert!(error.to_string().starts_with("Conflicting Delta pins for dataset 'orders'"));
/// ```
pub fn agree_on_pins(
    requests: impl IntoIterator<Item = PinRequest>,
) -> Result<BTreeMap<DatasetName, PinRequest>, Errors> {
    let mut agreed: BTreeMap<DatasetName, PinRequest> = BTreeMap::new();
    let mut conflicts: BTreeMap<DatasetName, Error> = BTreeMap::new();
    for request in requests {
        match agreed.get(&request.dataset) {
            None => {
                agreed.insert(request.dataset.clone(), request);
            }
            Some(first) if first.selector == request.selector => {}
            Some(first) => {
                let error = conflict(first, &request);
                conflicts.entry(request.dataset).or_insert(error);
            }
        }
    }
    Errors::check(conflicts.into_values().collect(), agreed)
}

fn conflict(first: &PinRequest, second: &PinRequest) -> Error {
    let wish = |request: &PinRequest| format!("{} at {}", shown(request.selector), request.place);
    Error::new(
        codes::CONFLICTING_PINS,
        format!(
            "Conflicting Delta pins for dataset '{}': {} and {}",
            first.dataset,
            wish(first),
            wish(second)
        ),
    )
    .with("dataset", &first.dataset)
    .with("first", &first.place)
    .with("second", &second.place)
    .with_expected("one version of a dataset for all views of a run")
    .with_help("remove one of the two, or make them equal")
}

fn shown(selector: DeltaVersionSelector) -> String {
    match selector {
        DeltaVersionSelector::Latest => "the latest version".to_owned(),
        DeltaVersionSelector::Version(version) => format!("version {version}"),
        DeltaVersionSelector::Timestamp(UnixMillis(millis)) => {
            format!("the time {}", rfc3339(UnixMillis(millis)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(dataset: &str, selector: DeltaVersionSelector, place: &str) -> PinRequest {
        PinRequest {
            dataset: DatasetName::new(dataset).unwrap(),
            selector,
            place: place.to_owned(),
        }
    }

    #[test]
    fn equal_wishes_agree_and_every_conflict_names_both_places() {
        use DeltaVersionSelector::{Latest, Timestamp, Version};
        let agreed = agree_on_pins([
            request("a", Version(3), "one"),
            request("a", Version(3), "two"),
            request("b", Latest, "three"),
        ])
        .unwrap();
        assert_eq!(agreed.len(), 2);
        assert_eq!(agreed["a"].place, "one");

        let errors = agree_on_pins([
            request("a", Version(3), "codeanatomy.toml:4"),
            request("b", Timestamp(UnixMillis(0)), "the view `x`"),
            request("a", Version(4), "--pin a=4"),
            request("b", Latest, "--latest"),
            request("a", Version(5), "elsewhere"),
        ])
        .unwrap_err();
        let texts: Vec<String> = errors.iter().map(Error::to_string).collect();
        assert_eq!(
            texts,
            [
                "Conflicting Delta pins for dataset 'a': version 3 at codeanatomy.toml:4 and \
                 version 4 at --pin a=4",
                "Conflicting Delta pins for dataset 'b': the time 1970-01-01T00:00:00.000Z at the \
                 view `x` and the latest version at --latest",
            ]
        );
        assert!(errors.iter().all(|e| e.code() == codes::CONFLICTING_PINS));
    }
}
