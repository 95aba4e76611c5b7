//! The bytes of the fictitious datasets: small files made from a seed, the same on every machine and every day.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use serde_json::Value;

use super::consortia::{Described, ShardSheet};
use crate::domain::ids::Digest;

/// Writes the shards of a dataset into a folder. What stands there under the same names is replaced.
pub fn make(folder: &Path, described: &Described, sheet: ShardSheet) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let columns = columns(&described.dataset);
    let csv = described.dataset["distributions"][0]["format"] == "CSV";
    let extension = if csv { "csv" } else { "jsonl" };
    for number in 0..sheet.count {
        let path = folder.join(format!("part-{number:05}.{extension}"));
        let mut numbers = Numbers::seeded(&format!("{}/{number}", described.local()));
        let mut file = BufWriter::new(File::create(path)?);
        let mut line = String::new();
        if csv {
            let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            writeln!(file, "{}", names.join(","))?;
        }
        for row in 0..sheet.rows {
            line.clear();
            write_row(
                &mut line,
                &columns,
                csv,
                u64::from(number) * u64::from(sheet.rows) + u64::from(row),
                &mut numbers,
            );
            file.write_all(line.as_bytes())?;
        }
        file.flush()?;
    }
    Ok(())
}

/// Names and types of the columns, as the record says.
fn columns(dataset: &Value) -> Vec<(String, String)> {
    let Some(columns) = dataset["record_sets"][0]["columns"].as_array() else { return Vec::new() };
    columns
        .iter()
        .filter_map(|column| Some((column["name"].as_str()?.to_owned(), column["data_type"].as_str()?.to_owned())))
        .collect()
}

fn write_row(line: &mut String, columns: &[(String, String)], csv: bool, row: u64, numbers: &mut Numbers) {
    let mut cells = columns.iter().map(|(name, kind)| (name, cell(kind, row, numbers)));
    // Writing into a String cannot fail.
    if csv {
        let cells: Vec<String> = cells.map(|(_, cell)| cell.trim_matches('"').to_owned()).collect();
        let _ = writeln!(line, "{}", cells.join(","));
    } else {
        let first = cells.next();
        line.push('{');
        for (place, (name, cell)) in first.into_iter().chain(cells).enumerate() {
            let comma = if place == 0 { "" } else { "," };
            let _ = write!(line, "{comma}\"{name}\":{cell}");
        }
        line.push_str("}\n");
    }
}

/// One value as JSON.
fn cell(kind: &str, row: u64, numbers: &mut Numbers) -> String {
    const WORDS: [&str; 16] = [
        "alpha", "birch", "coast", "delta", "ember", "field", "glade", "harbour", "inlet", "juniper", "knoll", "larch",
        "marsh", "north", "orchard", "pine",
    ];
    match kind {
        "sc:Integer" => row.to_string(),
        "sc:Float" => format!("{:.3}", (numbers.next() % 100_000) as f64 / 1000.0),
        "sc:DateTime" => {
            let (day, hour) = (1 + row / 24 % 28, row % 24);
            format!("\"2023-01-{day:02}T{hour:02}:00:00Z\"")
        }
        "sc:ImageObject" | "sc:AudioObject" => {
            let bytes: Vec<u8> = (0..12).flat_map(|_| numbers.next().to_le_bytes()).collect();
            format!("\"{}\"", data_encoding::BASE64.encode(&bytes))
        }
        _ => {
            let words: Vec<&str> = (0..8).map(|_| WORDS[(numbers.next() % 16) as usize]).collect();
            format!("\"{}\"", words.join(" "))
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood, *Fast Splittable Pseudorandom Number Generators*, 2014): enough for bytes that
/// nobody has to guess.
struct Numbers(u64);

impl Numbers {
    fn seeded(name: &str) -> Self {
        let Digest(bytes) = Digest::of(name.as_bytes());
        Self(bytes.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte)))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

#[cfg(test)]
mod tests {
    use super::super::consortia;
    use super::*;

    #[test]
    fn the_bytes_are_the_same_wherever_they_are_made_and_every_line_is_what_it_says() {
        let all = consortia::all();
        for wanted in ["keuhko-ct", "elmaalerdata"] {
            let described = all.iter().flat_map(|c| &c.datasets).find(|d| d.local() == wanted).unwrap();
            let sheet = ShardSheet { count: 2, rows: 50 };
            let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
            let made: Vec<Vec<Vec<u8>>> = folders
                .iter()
                .map(|folder| {
                    make(folder.path(), described, sheet).unwrap();
                    let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).collect();
                    names.sort();
                    names.iter().map(|name| fs::read(name).unwrap()).collect()
                })
                .collect();
            assert_eq!(made[0], made[1]);
            assert_ne!(made[0][0], made[0][1]);
            let text = String::from_utf8(made[0][0].clone()).unwrap();
            if wanted == "keuhko-ct" {
                assert_eq!(text.lines().count(), 50);
                assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).unwrap().is_object()));
            } else {
                assert_eq!(text.lines().next(), Some("time,sensor,value"));
                assert_eq!(text.lines().count(), 51);
            }
        }
    }
}
