//! Sending what happens to whoever keeps OpenLineage events, without ever holding up a run.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use codeanatomy_exec::{OpenLineageEvents, codes};
use codeanatomy_obs::{Observer, RunEvent};
use codeanatomy_project::{Layers, Project, Source};
use codeanatomy_vocab::{Clock, Error, Location, Result, SafeUrl, Secret, SecretRef};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// An endpoint that has not answered one event after this long is given up.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// After the run, what is still to be sent gets this long.
const FLUSH_WITHIN: Duration = Duration::from_secs(10);

/// The path of an endpoint that names none.
const DEFAULT_PATH: &str = "api/v1/lineage";

/// Where events go, and in whose name.
#[derive(Debug, Clone)]
pub(crate) struct OpenLineageSettings {
    target: Target,
    namespace: String,
}

#[derive(Clone)]
enum Target {
    File(PathBuf),
    Http { url: SafeUrl, key: Option<Secret> },
}

impl OpenLineageSettings {
    /// The settings from all sources: the flag, variables `CODEANATOMY_OPENLINEAGE_*`, the standard
    /// variables `OPENLINEAGE_*`, the project's file. `None` where nobody names a place.
    pub(crate) fn resolve(
        project: &Project,
        flag: Option<&str>,
        env: &BTreeMap<String, String>,
    ) -> Result<Option<Self>> {
        let section = &project.openlineage;
        let layers = Layers::new("openlineage")
            .with_project(section.entries())
            .with_env(env);
        let ours = |key: &str| {
            let found = layers.get(key)?;
            Some((found.value.to_string(), found.source.clone()))
        };
        let standard = |key: &str| {
            let name = format!("OPENLINEAGE_{key}");
            let value = env.get(&name).filter(|value| !value.is_empty())?;
            Some((value.clone(), Source::Env(name)))
        };
        let is_file = |(_, source): &(String, Source)| matches!(source, Source::File(_));
        let nearest =
            |ours: Option<(String, Source)>, standard: Option<(String, Source)>| match ours {
                Some(found) if !is_file(&found) => Some(found),
                found => standard.or(found),
            };
        let disabled =
            standard("DISABLED").is_some_and(|(value, _)| value.eq_ignore_ascii_case("true"));
        let from_env =
            |found: &Option<(String, Source)>| found.as_ref().is_some_and(|it| !is_file(it));
        let target = match flag {
            Some(text) => Some((text.to_owned(), Source::Flag("--openlineage".to_owned()))),
            None if disabled => None,
            None => {
                let (url, file) = (ours("url"), ours("file"));
                // A variable wins over the file, whichever of the two keys it is for.
                if from_env(&file) && !from_env(&url) {
                    file
                } else {
                    nearest(url, standard("URL")).or(file)
                }
            }
        };
        let Some((text, source)) = target else {
            return Ok(None);
        };
        let key = match (&section.api_key, standard("API_KEY")) {
            (_, Some((key, _))) => Some(Secret::new(key)),
            (Some(SecretRef::File(path)), None) => {
                Some(SecretRef::File(project.root.join(path)).resolve()?)
            }
            (Some(reference), None) => Some(reference.resolve()?),
            (None, None) => None,
        };
        let namespace = nearest(ours("namespace"), standard("NAMESPACE"));
        let endpoint = standard("ENDPOINT").map(|(path, _)| path);
        Ok(Some(Self {
            target: target_of(&text, &source, endpoint.as_deref(), key, &project.root)?,
            namespace: namespace.map_or_else(|| project.name.clone(), |(name, _)| name),
        }))
    }

    /// The namespace of jobs.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }
}

fn target_of(
    text: &str,
    source: &Source,
    endpoint: Option<&str>,
    key: Option<Secret>,
    root: &Path,
) -> Result<Target> {
    if !text.contains("://") {
        return Ok(Target::File(root.join(text)));
    }
    let wrong = |why: String| {
        let error = Error::new(codes::OPENLINEAGE_TARGET, why)
            .with_expected("an http or https URL, or the path of a file")
            .with_help("write for example `http://localhost:5000`");
        match source {
            Source::File(location) => error.at(Location::clone(location)),
            other => error.with("source", other),
        }
    };
    let url: SafeUrl = text
        .parse()
        .map_err(|_| wrong("the place for OpenLineage events is not a URL".to_owned()))?;
    if !["http", "https"].contains(&url.expose().scheme()) {
        return Err(wrong(format!("OpenLineage events cannot be sent to {url}")));
    }
    let mut full = url.expose().clone();
    if full.path() == "/" || full.path().is_empty() {
        full.set_path(endpoint.unwrap_or(DEFAULT_PATH));
    }
    let url: SafeUrl = full
        .as_str()
        .parse()
        .map_err(|_| wrong("the place for OpenLineage events is not a URL".to_owned()))?;
    Ok(Target::Http { url, key })
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Http { url, .. } => write!(f, "{url}"),
        }
    }
}

/// Turns what happens into events, and hands them to a task that sends them in order.
pub(crate) struct OpenLineageSink {
    events: OpenLineageEvents,
    clock: Arc<dyn Clock>,
    queue: Mutex<Option<UnboundedSender<Value>>>,
    sending: Mutex<Option<JoinHandle<Option<Error>>>>,
    target: String,
}

impl OpenLineageSink {
    /// Starts to send. To be called where there is a runtime.
    pub(crate) fn start(
        settings: &OpenLineageSettings,
        events: OpenLineageEvents,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (sender, receiver) = unbounded_channel();
        let sending = tokio::spawn(send_all(settings.target.clone(), receiver));
        Self {
            events,
            clock,
            queue: Mutex::new(Some(sender)),
            sending: Mutex::new(Some(sending)),
            target: settings.target.to_string(),
        }
    }

    /// Waits a while until everything is sent. What could not be is a warning.
    pub(crate) async fn finish(&self) -> Option<Error> {
        drop(lock(&self.queue).take());
        let sending = lock(&self.sending).take()?;
        match tokio::time::timeout(FLUSH_WITHIN, sending).await {
            Ok(Ok(warning)) => warning,
            Ok(Err(panic)) => Some(unsent(&self.target, &panic)),
            Err(late) => Some(unsent(&self.target, &late)),
        }
    }
}

impl Observer for OpenLineageSink {
    fn observe(&self, event: &RunEvent) {
        if let Some(told) = self.events.event(event, self.clock.now())
            && let Some(queue) = lock(&self.queue).as_ref()
        {
            // The sender is gone only when it gave up, and has said so.
            let _ = queue.send(told);
        }
    }
}

/// Sends events until there are no more, or until one does not arrive: what follows would only wait
/// for the same.
async fn send_all(target: Target, mut queue: UnboundedReceiver<Value>) -> Option<Error> {
    let sent = match &target {
        Target::File(path) => append_all(path, &mut queue).await,
        Target::Http { url, key } => post_all(url, key.as_ref(), &mut queue).await,
    };
    sent.err().map(|why| unsent(&target.to_string(), &why))
}

async fn append_all(path: &Path, queue: &mut UnboundedReceiver<Value>) -> Result<(), String> {
    let told = |error: std::io::Error| error.to_string();
    let mut file = None;
    while let Some(event) = queue.recv().await {
        let file = match &mut file {
            Some(file) => file,
            None => {
                if let Some(folder) = path.parent() {
                    tokio::fs::create_dir_all(folder).await.map_err(told)?;
                }
                let mut options = tokio::fs::OpenOptions::new();
                let opened = options.create(true).append(true).open(path).await;
                file.insert(opened.map_err(told)?)
            }
        };
        // One write for a whole line, so that lines of several programs do not mix.
        let line = format!("{event}\n");
        file.write_all(line.as_bytes()).await.map_err(told)?;
        file.flush().await.map_err(told)?;
    }
    Ok(())
}

async fn post_all(
    url: &SafeUrl,
    key: Option<&Secret>,
    queue: &mut UnboundedReceiver<Value>,
) -> Result<(), String> {
    let client = reqwest::Client::builder()
        .timeout(ANSWER_WITHIN)
        .user_agent(concat!("codeanatomy/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| cause(&error))?;
    while let Some(event) = queue.recv().await {
        let mut request = client
            .post(url.expose().clone())
            .header("content-type", "application/json")
            .body(event.to_string());
        if let Some(key) = key {
            request = request.bearer_auth(key.expose());
        }
        let answer = request
            .send()
            .await
            .map_err(|error| cause(&error.without_url()))?;
        let status = answer.status();
        if !status.is_success() {
            return Err(format!("the answer was {status}"));
        }
    }
    Ok(())
}

/// The innermost cause, which says most.
fn cause(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

fn unsent(target: &str, why: &dyn fmt::Display) -> Error {
    Error::new(
        codes::OPENLINEAGE_UNSENT,
        format!("not all OpenLineage events reached {target}: {why}"),
    )
    .with_help("the run is not touched by that; look at the place, or send the next run's events to a file")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
