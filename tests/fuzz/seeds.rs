//! Writes the seeds of each fuzz target into `tests/fuzz/corpus`, and the words of the documents into
//! `tests/fuzz/dictionaries`. Other files there are kept.

use std::fs;
use std::io::Result;
use std::path::Path;

use lastmile_tests::fuzzing::{TARGETS, words};

fn main() -> Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for target in TARGETS {
        let folder = here.join("corpus").join(target.name);
        fs::create_dir_all(&folder)?;
        let seeds = (target.seeds)();
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed-{number:04}")), seed)?;
        }
        println!("{}: {} seeds", target.name, seeds.len());
    }
    let entry = |word: &String| {
        let signs = word.bytes().map(|byte| match byte {
            b' '..=b'~' if byte != b'"' && byte != b'\\' => char::from(byte).to_string(),
            byte => format!("\\x{byte:02x}"),
        });
        format!("\"{}\"\n", signs.collect::<String>())
    };
    fs::create_dir_all(here.join("dictionaries"))?;
    fs::write(here.join("dictionaries/json.dict"), words().iter().map(entry).collect::<String>())
}
