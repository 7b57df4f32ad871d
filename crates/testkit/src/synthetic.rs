//! Projects of many views, for measuring how cost grows.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

/// Layers of a synthetic project, sources not counted.
const LAYERS: usize = 10;

/// Columns of every table and view.
const COLUMNS: usize = 15;

/// Views that each view of a later layer reads.
const PARENTS: usize = 3;

/// Datasets that the first layer reads.
const SOURCES: usize = 10;

/// A project of views in ten layers, fifteen columns each, every view joining three parents of the
/// layer before, filtering, aggregating and computing over them.
#[derive(Debug, Clone)]
pub struct SyntheticProject {
    views: Vec<(String, String)>,
}

impl SyntheticProject {
    /// A project of `n_views` views.
    pub fn new(n_views: usize) -> Self {
        let width = n_views.div_ceil(LAYERS).max(1);
        let views = (0..n_views)
            .map(|index| {
                let (layer, column) = (index / width, index % width);
                let parents: Vec<String> = (0..PARENTS)
                    .map(|nth| {
                        // Steps that differ spread parents over the layer without randomness.
                        let at = column + nth * (layer % 3 + 1);
                        if layer == 0 {
                            source_name(at % SOURCES)
                        } else {
                            view_name((layer - 1) * width + at % width)
                        }
                    })
                    .collect();
                (view_name(index), query(index, &parents))
            })
            .collect();
        Self { views }
    }

    /// Names and queries, upstream before downstream.
    pub fn views(&self) -> &[(String, String)] {
        &self.views
    }

    /// The names of the datasets.
    pub fn sources(&self) -> impl Iterator<Item = String> {
        (0..SOURCES).map(source_name)
    }

    /// A CSV file with the columns that every dataset has and `n_rows` rows.
    pub fn source_csv(n_rows: usize) -> String {
        let mut text = String::from("id,name");
        for column in 2..COLUMNS {
            // Writing to a String never fails.
            let _ = write!(text, ",c{column}");
        }
        text.push('\n');
        for row in 0..n_rows {
            let _ = write!(text, "{row},name {}", row % 7);
            for column in 2..COLUMNS {
                let _ = write!(text, ",{}", (row * column) % 97);
            }
            text.push('\n');
        }
        text
    }

    /// Writes the project folder: `codeanatomy.toml`, one CSV file of `n_rows` rows for each
    /// dataset, and the views. Every view of the last layer is stored.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn write(&self, root: &Path, n_rows: usize) -> io::Result<()> {
        let mut toml = String::from("[project]\nname = \"synthetic\"\n");
        std::fs::create_dir_all(root.join("data"))?;
        std::fs::create_dir_all(root.join("views"))?;
        for source in self.sources() {
            let _ = write!(
                toml,
                "\n[datasets.{source}]\nlocation = \"data/{source}.csv\"\n"
            );
            std::fs::write(
                root.join(format!("data/{source}.csv")),
                Self::source_csv(n_rows),
            )?;
        }
        std::fs::write(root.join("codeanatomy.toml"), toml)?;
        for (name, sql) in &self.views {
            std::fs::write(root.join(format!("views/{name}.sql")), sql)?;
            std::fs::write(
                root.join(format!("views/{name}.toml")),
                "cache = \"delta_output\"\n",
            )?;
        }
        Ok(())
    }
}

fn source_name(index: usize) -> String {
    format!("source_{index}")
}

fn view_name(index: usize) -> String {
    format!("view_{index:05}")
}

fn query(index: usize, parents: &[String]) -> String {
    let [a, b, c] = parents else {
        return String::new();
    };
    let mut columns = String::new();
    for column in 2..COLUMNS {
        let (left, right) = (column, 2 + (column + index) % (COLUMNS - 2));
        let expression = match column % 4 {
            0 => format!("a.c{left} + b.c{right}"),
            1 => format!("case when a.c{left} > {index} then b.c{right} else c.c{left} end"),
            2 => format!("coalesce(a.c{left}, b.c{right}) * 2"),
            _ => format!("c.c{left} - a.c{right}"),
        };
        let _ = write!(columns, ",\n  {expression} as c{column}");
    }
    format!(
        "-- View number {index}.\n\
         select\n  a.id as id,\n  upper(b.name) as name{columns}\n\
         from {a} a\n\
         join {b} b on a.id = b.id\n\
         left join {c} c on b.id = c.id and c.c2 > {index}\n\
         where a.c3 < 90 and b.c4 is not null and a.name <> 'name {}'\n",
        index % 5
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_read_only_what_comes_before() {
        let project = SyntheticProject::new(57);
        let mut known: Vec<String> = project.sources().collect();
        for (name, sql) in project.views() {
            let reads = |table: &str| {
                sql.contains(&format!("from {table} ")) || sql.contains(&format!("join {table} "))
            };
            assert!(known.iter().any(|table| reads(table)), "{name}:\n{sql}");
            known.push(name.clone());
        }
        assert_eq!(project.views().len(), 57);
    }
}
