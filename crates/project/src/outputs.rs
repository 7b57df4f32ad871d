//! Where outputs go, and what they must keep away from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use codeanatomy_vocab::{Error, Location, Result};

use crate::codes;
use crate::dataset::DatasetConfig;
use crate::place::{Place, lexical};
use crate::project::Project;
use crate::toml::Findings;
use crate::view::{CachePolicy, ViewFile};

/// Folders of a project that are no place for outputs, and why.
const KEPT_APART: [(&str, &str); 3] = [
    ("views", "view files are kept there"),
    ("macros", "macro files are kept there"),
    (".codeanatomy", "whatever is there may be deleted"),
];

/// Finds outputs that leave the project folder, and outputs that lie in, above or on another
/// output, a dataset, or the project's own folders.
pub(crate) fn check(project: &Project, output_at: &Location, findings: &mut Findings) {
    let default = located(
        &project.root,
        &project.output,
        "`project.output`",
        output_at,
    );
    let default = findings.take(default);
    let mut taken = Taken::default();
    for dataset in project.datasets.values() {
        if let Ok(place) = dataset.place(&project.root) {
            taken
                .0
                .entry(key(&place))
                .or_insert(Owner::Dataset(dataset));
        }
    }
    for view in project.views.values() {
        if view.config.cache != CachePolicy::DeltaOutput {
            continue;
        }
        let (place, at) = match &view.config.location {
            Some(location) => {
                let at = view.location_of("location");
                let subject = format!("the location of view `{}`", view.name);
                let place = located(&project.root, location, &subject, &at);
                (findings.take(place), at)
            }
            None => (
                default.as_ref().map(|place| place.join(view.name.as_str())),
                output_at.clone(),
            ),
        };
        if let Some(place) = place {
            let free =
                kept_apart(project, view, &place, &at).and_then(|()| taken.add(view, &place, &at));
            findings.take(free);
        }
    }
}

/// Places that are taken, by [`key`].
#[derive(Default)]
struct Taken<'a>(BTreeMap<String, Owner<'a>>);

#[derive(Clone, Copy)]
enum Owner<'a> {
    Dataset(&'a DatasetConfig),
    View(&'a ViewFile),
}

impl<'a> Taken<'a> {
    fn add(&mut self, view: &'a ViewFile, place: &Place, at: &Location) -> Result<()> {
        let key = key(place);
        let above = key
            .match_indices('/')
            .find_map(|(end, _)| self.0.get(&key[..=end]));
        let below = || {
            let (other, owner) = self.0.range(key.clone()..).next()?;
            other.starts_with(&key).then_some(owner)
        };
        match above.or_else(below) {
            None => {
                self.0.insert(key, Owner::View(view));
                Ok(())
            }
            Some(Owner::View(other)) => Err(overlap(
                view,
                place,
                at,
                format!("and that of view `{}` share a place", other.name),
                "give each of the two a `location` of its own, neither inside the other",
            )),
            Some(Owner::Dataset(dataset)) => Err(overlap(
                view,
                place,
                at,
                format!(
                    "and the dataset `{}` ({}) share a place",
                    dataset.name, dataset.location_at
                ),
                "move the output, or read the view by its name instead of the dataset",
            )),
        }
    }
}

/// The place of an output: below the project folder, or given in full.
fn located(root: &Path, location: &str, subject: &str, at: &Location) -> Result<Place> {
    let place = Place::parse(root, location).map_err(|error| error.at(at.clone()))?;
    let is_relative = !location.contains("://") && !Path::new(location).is_absolute();
    match &place {
        Place::Local(path) if is_relative => {
            let help = "write an absolute path or a URL, or a path that stays in the folder";
            if !path.starts_with(root) {
                return Err(Error::new(
                    codes::LOCATION_OUTSIDE_PROJECT,
                    format!("{subject} leaves the project folder: `{location}`"),
                )
                .at(at.clone())
                .with_help(help));
            }
            if !physical(path).starts_with(root) {
                return Err(Error::new(
                    codes::BAD_LINK,
                    format!("{subject} leaves the project folder by a link: `{location}`"),
                )
                .at(at.clone())
                .with_help(help));
            }
            Ok(place)
        }
        Place::Local(_) | Place::Url(_) => Ok(place),
    }
}

/// Refuses an output that would hold the project, or lie in a folder of the project's own.
fn kept_apart(project: &Project, view: &ViewFile, place: &Place, at: &Location) -> Result<()> {
    let root = Place::Local(project.root.clone());
    let help = "name a folder of its own, such as `out/my_view`";
    if place.contains(&root) {
        let what = "would hold the project folder itself".to_owned();
        return Err(overlap(view, place, at, what, help));
    }
    for (folder, why) in KEPT_APART {
        if root.join(folder).contains(place) {
            let what = format!("lies in `{folder}/`: {why}");
            return Err(overlap(view, place, at, what, help));
        }
    }
    Ok(())
}

fn overlap(view: &ViewFile, place: &Place, at: &Location, what: String, help: &str) -> Error {
    Error::new(
        codes::OUTPUT_OVERLAPS,
        format!("the output of view `{}` {what}", view.name),
    )
    .at(at.clone())
    .with("output", place)
    .with_help(help)
}

/// A text that starts with the key of every place above this one.
fn key(place: &Place) -> String {
    let text = match place {
        Place::Local(path) => path.to_string_lossy().into_owned(),
        Place::Url(url) => {
            let mut url = url.expose().clone();
            url.set_query(None);
            url.set_fragment(None);
            url.to_string()
        }
    };
    format!("{}/", text.trim_end_matches('/'))
}

/// `path` with the links of that part of it that is there resolved.
fn physical(path: &Path) -> PathBuf {
    for there in path.ancestors() {
        if let Ok(resolved) = there.canonicalize() {
            let rest = path.strip_prefix(there).unwrap_or(Path::new(""));
            return lexical(&resolved.join(rest));
        }
    }
    path.to_path_buf()
}
