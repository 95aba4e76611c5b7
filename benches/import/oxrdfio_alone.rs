//! What the parser alone needs for a file of N-Triples: every triple is read and counted, nothing else is done with it.
//!
//! `benches/import/run` sets the import of a whole catalogue beside it. Prints one JSON object.

use std::fs::File;
use std::io::{BufReader, Read};
use std::time::Instant;

use oxrdfio::{RdfFormat, RdfParser};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: oxrdfio_alone FILE.nt[.zst]")?;
    let file = BufReader::with_capacity(1 << 20, File::open(&path)?);
    let input: Box<dyn Read> =
        if path.ends_with(".zst") { Box::new(zstd::Decoder::new(file)?) } else { Box::new(file) };
    let began = Instant::now();
    let (mut triples, mut broken) = (0u64, 0u64);
    for quad in
        RdfParser::from_format(RdfFormat::NTriples).lenient().for_reader(BufReader::with_capacity(1 << 20, input))
    {
        match quad {
            Ok(_) => triples += 1,
            Err(_) => broken += 1,
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(r#"{{"who":"oxrdfio","triples":{triples},"broken":{broken},"seconds":{seconds:.2}}}"#);
    Ok(())
}
