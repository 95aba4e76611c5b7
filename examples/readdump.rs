use pleiad::formats::dcat::*;
use std::collections::BTreeMap;
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let t = std::time::Instant::now();
    let options =
        Options { country: Some("BE".parse().unwrap()), source: std::env::args().nth(2), ..Options::default() };
    let input = if path == "-" { Input::Standard } else { Input::Path(path.into()) };
    let records = match open(&input, &options, &Progress::default()) {
        Ok(r) => r,
        Err(e) => {
            println!("{e}");
            return;
        }
    };
    println!(
        "pass 1 {:?}; {} records; source {}; unreadable {:?}",
        t.elapsed(),
        records.len(),
        records.source(),
        records.unreadable()
    );
    let mut refused = BTreeMap::new();
    let mut notes: BTreeMap<String, u32> = BTreeMap::new();
    let mut ok = 0;
    let mut bad = 0;
    let mut digest = String::new();
    let out = std::env::args().nth(3);
    let mut file = out.map(|f| std::io::BufWriter::new(std::fs::File::create(f).unwrap()));
    for r in records {
        match r.unwrap() {
            Ok(d) => {
                ok += 1;
                for n in &d.notes {
                    let n = n.split('"').next().unwrap().to_owned();
                    *notes.entry(n).or_default() += 1;
                }
                digest = format!(
                    "{:x?}",
                    &pleiad::domain::ids::Digest::of((digest + &d.source.digest.to_string()).as_bytes())
                );
                let mut v = d.dataset.clone();
                v["id"] = "https://be.example/dataset/x".into();
                if let Err(v) = pleiad::schema::admit(&v) {
                    bad += 1;
                    println!("INVALID {}: {v}", d.source.iri);
                }
                if let Some(f) = &mut file {
                    use std::io::Write;
                    writeln!(f, "{}", d.dataset).unwrap();
                }
            }
            Err(r) => {
                *refused.entry(r.reason).or_insert(0u32) += 1;
            }
        }
    }
    println!("all {:?}; ok {ok} invalid {bad}; refused {refused:?}; digest {digest}", t.elapsed());
    for (n, c) in notes {
        println!("{c:6} {n}");
    }
    println!(
        "{}",
        std::fs::read_to_string("/proc/self/status")
            .unwrap()
            .lines()
            .filter(|l| l.starts_with("VmHWM"))
            .collect::<String>()
    );
}
