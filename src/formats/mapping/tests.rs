//! Tables, lines and documents through mappings: what they should become, and what is refused where.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::formats::{lines, ours, table};

const TABLE: &str = include_str!("../../../config/mappings/table.toml");
const RECORDS: &str = include_str!("../../../config/mappings/records.toml");

fn common() -> Common {
    Common { source: "test".into(), country: None }
}

fn valid(draft: &Draft) -> Value {
    let mut whole = draft.dataset.clone();
    whole["id"] = json!("https://be.example/dataset/x");
    if whole.get("country").is_none() {
        whole["country"] = json!("BE");
    }
    crate::schema::admit(&whole).unwrap();
    draft.dataset.clone()
}

fn rows(bytes: &[u8], mapping: &str) -> Vec<Result<Draft, Refused>> {
    let mapping = Mapping::read(mapping, "m.toml").unwrap();
    table::open(bytes, b',', &mapping, &common(), "t.csv").unwrap().collect()
}

#[test]
fn the_table_of_the_documentation_is_read_as_it_says() {
    let head = "Nr;Titel;Titel (en);Beschreibung;Schlagworte;Thema;Lizenz;Zugang;Stand;Datei;Notiz\r\n";
    let row = "7;B\u{e4}ume;Trees;\"Alle; B\u{e4}ume\";Baum, Park;Umwelt;CC BY 4.0;offen;2024-05-01;https://example.org/b.csv;x\r\n";
    let text = format!("{head}{row}8;zu wenig\r\n{}", row.replace("7;", "a b;"));
    let (bytes, ..) = encoding_rs::WINDOWS_1252.encode(&text);
    let read = rows(&bytes, TABLE);
    assert_eq!(read.len(), 3);
    let draft = read[0].as_ref().unwrap();
    let dataset = valid(draft);
    assert_eq!(draft.source.iri.as_str(), "https://data.example.org/dataset/7");
    assert_eq!(dataset["title"], json!({"de": "Bäume", "en": "Trees"}));
    assert_eq!(dataset["description"], json!({"de": "Alle; Bäume"}));
    assert_eq!(dataset["keywords"], json!({"de": ["Baum", "Park"]}));
    assert_eq!(dataset["themes"], json!(["http://publications.europa.eu/resource/authority/data-theme/ENVI"]));
    assert_eq!((&dataset["licence"]["spdx"], &dataset["access_rights"]), (&json!("CC-BY-4.0"), &json!("public")));
    assert_eq!(
        (&dataset["modified"], &dataset["publisher"]["name"]["de"]),
        (&json!("2024-05-01"), &json!("Stadt Beispiel"))
    );
    let url = "https://example.org/b.csv";
    assert_eq!(dataset["distributions"], json!([{"access_url": url, "download_url": url, "format": "CSV"}]));
    let refused = read[1].as_ref().unwrap_err();
    assert!(refused.place.ends_with("line 3") && refused.reason.contains("2 cells"), "{refused}");
    assert!(read[2].as_ref().unwrap().source.iri.as_str().ends_with("/a%20b"));
}

#[test]
fn a_slip_in_the_mapping_names_the_nearest() {
    for (mapping, parts) in [
        ("iri = 'x{id}'\n[columns]\na = 'titel'", ["titel", "\"title\""]),
        ("iri = 'x{id}'\n[colums]\na = 'title'", ["colums", "\"columns\""]),
        ("iri = 'x{id}'\n[columns]\na = {field = 'title', langauge = 'de'}", ["langauge", "\"language\""]),
        ("[columns]\na = 'title'", ["no `iri`", "template"]),
        ("iri = 'x{id}'\n[columns]\na = 'description'", ["`title`", "refused"]),
        ("iri = 'x{id}'\n[table]\nencoding = 'utf-16'\n[columns]\na = 'title'", ["utf-16", "UTF-8"]),
        ("iri = 'x{id}'\n[table]\ndelimiter = ';;'\n[columns]\na = 'title'", ["delimiter", "one ASCII"]),
        ("iri = 'x{id}'\n[columns]\na = {field = 'title', template = 'x'}", ["template", "{}"]),
        ("iri = 7\n[columns]\na = 'title'", ["iri", "quotes"]),
        ("not toml", ["TOML", "line 1"]),
    ] {
        let error = Mapping::read(mapping, "m.toml").unwrap_err();
        assert!(parts.iter().all(|part| error.contains(part)), "{mapping}: {error}");
    }
    let mapping = Mapping::read("iri: 'https://e.org/{Id}'\ncolumns: {Titel: title}\n", "m.yaml").unwrap();
    let error = table::open(&b"Id,Title\n"[..], b',', &mapping, &common(), "t.csv").err().unwrap();
    assert!(error.reason.contains("\"Titel\"") && error.reason.contains("\"Title\""), "{error}");
    let lines = "{\"Id\": 1, \"Title\": \"x\"}\n";
    let mut read = lines::open(lines.as_bytes(), Some(&mapping), &common(), "l.jsonl");
    assert!(read.next().unwrap().is_err());
    assert_eq!(read.missing(), [("Titel".to_owned(), Some("Title"))]);
}

const PLAIN: &str = "iri = 'https://e.org/{id}'\n[columns]\nt = 'title'\nd = 'description'";

#[test]
fn hostile_tables_cost_their_row_or_end_with_a_sentence() {
    let read = rows(b"\xef\xbb\xbfid,t,d\n1,A\0\xe2\x80\xaeB,x\n2,\xff,x\n3,C,\"two\nlines\"\n4,D,x\n", PLAIN);
    let lines: Vec<&str> =
        read.iter().filter_map(|one| one.as_ref().err()).map(|refused| refused.place.as_str()).collect();
    assert_eq!((read.len(), lines), (4, vec!["t.csv line 3"]));
    assert_eq!(valid(read[0].as_ref().unwrap())["title"], json!({"und": "A B"}));
    assert_eq!(read[3].as_ref().unwrap().source.iri.as_str(), "https://e.org/4");
    let read = rows(b"id,t,d\r\n1,A,\"x\ry\"\r\n2,B\r\n3,C,z\r", PLAIN);
    assert_eq!(read[1].as_ref().unwrap_err().place, "t.csv line 3");
    assert!(read.len() == 3 && read[0].is_ok() && read[2].is_ok(), "{read:?}");
    let open = [b"id,t,d\n1,A,\"".to_vec(), vec![b'x'; 6 << 20]].concat();
    let read = rows(&open, PLAIN);
    assert!(read.len() == 1 && read[0].as_ref().unwrap_err().reason.contains("not closed"), "{read:?}");
    let mapping = Mapping::read(PLAIN, "m.toml").unwrap();
    let wide = format!("id,t,d{}\n", ",c".repeat(100_000));
    for (bytes, part) in [
        (wide.as_bytes(), "10000"),
        (b"", "empty"),
        (b"\xff\xfei\0d\0", "UTF-16"),
        (b"id,t,d,t\n", "two columns"),
        (b"i\xe4,t\n", "windows-1252"),
    ] {
        let error = table::open(bytes, b',', &mapping, &common(), "t.csv").err().unwrap();
        assert!(error.reason.contains(part), "{error}");
    }
}

#[test]
fn a_line_separator_is_text_and_a_bad_line_costs_itself() {
    let long = format!("{{\"id\": 2, \"t\": \"{}\"}}", "x".repeat(3 << 20));
    let deep = format!("{{\"id\": 3, \"t\": {}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let text = format!(
        "{{\"id\": 1, \"t\": \"A\u{2028}B\u{85}C\"}}\n{long}\n\n{deep}\n[]\nno json\n{{\"id\": 9, \"id\": 9, \"t\": \"x\"}}\n{{\"id\": 4, \"t\": \"D\"}}"
    );
    let mapping = Mapping::read("iri = 'https://e.org/{id}'\n[columns]\nt = 'title'", "m.toml").unwrap();
    let read: Vec<_> = lines::open(text.as_bytes(), Some(&mapping), &common(), "l").collect();
    assert_eq!(valid(read[0].as_ref().unwrap())["title"], json!({"und": "A B C"}));
    let places: Vec<&str> =
        read.iter().filter_map(|one| one.as_ref().err()).map(|refused| refused.place.as_str()).collect();
    assert_eq!(places, ["l line 2", "l line 4", "l line 5", "l line 6", "l line 7"]);
    assert!(read.last().unwrap().is_ok());
}

#[test]
fn our_own_documents_come_in_as_json_lines_and_as_yaml() {
    let yaml = "title: {en: One}\nid: https://e.org/1\naccess_rights: public\n---\ntitle: {en: Two}\nsource: {iri: 'urn:x:2'}\ncountry: FI\n---\ntitel: {en: x}\nid: urn:x:3\n---\ntitle: {en: Four}\n";
    let read = ours::read(yaml, None, &common(), "d.yaml");
    let dataset = valid(read[0].as_ref().unwrap());
    assert_eq!((&dataset["access_rights"], &dataset["country"]), (&json!("public"), &Value::Null));
    assert_eq!(read[1].as_ref().unwrap().dataset["country"], json!("FI"));
    let slip = &read[2].as_ref().unwrap_err().reason;
    assert!(slip.contains("titel") && slip.contains("title"), "{slip}");
    assert!(read[3].as_ref().unwrap_err().reason.contains("give it an `id`"));
    let line = json!({"title": {"en": "One"}, "id": "https://e.org/1", "access_rights": "public"}).to_string();
    let lines: Vec<_> = lines::open(line.as_bytes(), None, &common(), "l").collect();
    assert_eq!(
        lines[0].as_ref().unwrap().source,
        read[0].as_ref().unwrap().source,
        "one document, however it is written"
    );
    let broken = ours::read("a: [1\n", None, &common(), "d.yaml");
    assert!(broken[0].as_ref().unwrap_err().place.starts_with("d.yaml line "), "{broken:?}");
}

#[test]
fn the_corpus_of_records_comes_in_through_the_shipped_mapping() {
    let Some(root) = std::env::var_os("PLEIAD_TEST_DATA") else {
        eprintln!("PLEIAD_TEST_DATA is not set: the corpus of records is not read");
        return;
    };
    let file = std::fs::File::open(std::path::Path::new(&root).join("corpora/records.jsonl.zst")).unwrap();
    let reader = std::io::BufReader::new(zstd::stream::read::Decoder::new(file).unwrap());
    let mapping = Mapping::read(RECORDS, "records.toml").unwrap();
    let mut reading = lines::open(reader, Some(&mapping), &common(), "records");
    let (mut taken, mut refused) = (0_u32, BTreeMap::<String, u32>::new());
    for (at, one) in reading.by_ref().enumerate() {
        match one {
            Ok(draft) => {
                // Every hundredth is held against the schema; all of them were through the types.
                if at % 100 == 0 {
                    valid(&draft);
                }
                taken += 1;
            }
            Err(reason) => {
                *refused.entry(reason.reason.split(" has ").last().unwrap_or_default().to_owned()).or_default() += 1
            }
        }
    }
    eprintln!("{taken} records are read; refused: {refused:?}");
    assert!(taken > 45_000, "{taken}");
    assert!(refused.keys().all(|reason| reason == "no title"), "{refused:?}");
    assert_eq!(reading.missing(), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_table_and_no_line_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[\"{}:,\\[\\]a-z0-9\n\\\\ ]{0,120}") {
        let table = [b"id,t,d\n".to_vec(), bytes.clone()].concat();
        for draft in rows(&table, PLAIN).into_iter().flatten() {
            valid(&draft);
        }
        let mapping = Mapping::read(PLAIN, "m.toml").unwrap();
        let _ = table::open(&bytes[..], b'\t', &mapping, &common(), "t").map(Iterator::count);
        for mapping in [None, Some(&mapping)] {
            for draft in lines::open(text.as_bytes(), mapping, &common(), "l").chain(lines::open(&bytes[..], mapping, &common(), "l")).flatten() {
                valid(&draft);
            }
            let _ = ours::read(&text, mapping, &common(), "d");
            let _ = ours::read(&String::from_utf8_lossy(&bytes), mapping, &common(), "d");
        }
    }

    #[test]
    fn no_mapping_makes_it_panic(text in "(iri|columns|constants|table|title|[a-z])( = |\\.|: )[\"'{}\\[\\]a-z0-9\n=,]{0,60}") {
        let _ = Mapping::read(&text, "m.toml");
        let _ = Mapping::read(&text, "m.yaml");
    }

    #[test]
    fn any_value_of_any_field_is_kept_within_bounds_or_left_out(value in "\\PC{0,30}|https://[a-z./ ]{0,20}|[0-9\\-]{0,12}", at in 0..fields::FIELDS.len()) {
        let name = fields::FIELDS[at].name;
        let mapping = format!("iri = 'https://e.org/{{id}}'\n[columns]\nt = 'title'\nv = '{name}'");
        let mapping = Mapping::read(&mapping, "m.toml").unwrap();
        for value in [json!(value), json!([value, value]), json!({"en": value}), json!([1, "public", value])] {
            let line = json!({"id": 1, "t": "x", "v": value}).to_string();
            for draft in lines::open(line.as_bytes(), Some(&mapping), &common(), "l").flatten() {
                valid(&draft);
            }
        }
    }
}
