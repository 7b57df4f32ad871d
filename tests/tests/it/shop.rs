//! A small shop to build again and again.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use codeanatomy::exec::{BuildReport, PlanReport};
use codeanatomy::obs::NoObserver;
use codeanatomy::vocab::{Errors, ViewName};
use codeanatomy::{BuildOptions, CancellationToken, Configured, Overrides, Planned, Ran};
use tempfile::TempDir;

/// A project in a folder of its own.
pub(crate) struct Shop {
    folder: TempDir,
}

impl Shop {
    /// Orders in CSV; `paid` keeps some, `by_region` sums them, `shares` reads `by_region`, and
    /// `customers` reads something else.
    pub(crate) fn new() -> Self {
        let shop = Self {
            folder: TempDir::new().unwrap(),
        };
        shop.write(
            "codeanatomy.toml",
            "[project]\nname = 'shop'\n\
             [datasets.orders]\nlocation = 'data/orders.csv'\n\
             [datasets.people]\nlocation = 'data/people.csv'\n",
        );
        shop.write(
            "data/orders.csv",
            "id,region,price,paid\n1,north,10,true\n2,south,20,true\n3,north,5,false\n4,north,7,true\n",
        );
        shop.write("data/people.csv", "id,name\n1,Ann\n2,Bob\n");
        shop.view(
            "paid",
            "select id, region, price from orders where paid",
            "",
        );
        shop.view(
            "by_region",
            "select region, sum(price) as total from paid group by region",
            "cache = 'delta_output'\n",
        );
        shop.view(
            "shares",
            "select region, total * 100 / (select sum(total) from by_region) as share from by_region",
            "cache = 'delta_output'\n",
        );
        shop.view(
            "customers",
            "select id, upper(name) as name from people",
            "cache = 'delta_output'\n",
        );
        shop
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn view(&self, name: &str, sql: &str, sidecar: &str) {
        self.write(&format!("views/{name}.sql"), sql);
        if !sidecar.is_empty() {
            self.write(&format!("views/{name}.toml"), sidecar);
        }
    }

    pub(crate) async fn planned(&self) -> Result<Planned, Errors> {
        self.planned_with(&[]).await
    }

    pub(crate) async fn planned_with(&self, settings: &[(&str, &str)]) -> Result<Planned, Errors> {
        let overrides = Overrides {
            settings: settings
                .iter()
                .map(|(k, v)| (k.to_string(), v.to_string()))
                .collect(),
            ..Overrides::default()
        };
        let observer: Arc<dyn codeanatomy::obs::Observer> = Arc::new(NoObserver);
        let pinned = Configured::load(self.root(), overrides)?
            .pin(&[], Arc::clone(&observer))
            .await?;
        pinned.plan(observer).await
    }

    pub(crate) async fn plan(&self) -> PlanReport {
        self.planned()
            .await
            .unwrap()
            .report(&Default::default())
            .unwrap()
    }

    pub(crate) async fn ran(&self) -> Ran {
        self.ran_with(BuildOptions::default(), CancellationToken::new())
            .await
    }

    pub(crate) async fn ran_with(&self, options: BuildOptions, cancel: CancellationToken) -> Ran {
        let planned = self.planned().await.unwrap();
        planned
            .build(options, Arc::new(NoObserver), cancel)
            .await
            .unwrap()
    }

    pub(crate) async fn build(&self) -> BuildReport {
        let ran = self.ran().await;
        assert!(ran.failures().is_empty(), "{:?}", ran.failures());
        ran.into_report()
    }

    pub(crate) async fn rows(&self, view: &str) -> String {
        let planned = self.planned().await.unwrap();
        let stream = planned.stream(&name(view)).await.unwrap();
        let batches = datafusion::physical_plan::common::collect(stream)
            .await
            .unwrap();
        let table = datafusion::arrow::util::pretty::pretty_format_batches(&batches).unwrap();
        let mut rows: Vec<String> = table
            .to_string()
            .lines()
            .skip(3)
            .map(str::to_owned)
            .collect();
        rows.pop();
        rows.sort();
        rows.join("\n")
    }
}

pub(crate) fn name(text: &str) -> ViewName {
    text.parse().unwrap()
}
