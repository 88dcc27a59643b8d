//! Schemas that nobody should have written: thousands of them, and never a panic.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod generate;

use generate::Random;
use pagecast::{Code, Schema};

const PIECES: [&str; 24] = [
    "0",
    "-1",
    "1e9",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "99999999999999999999",
    "null",
    "true",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\"",
    "\\u0000",
    "\\ud800",
    "\"struct\"",
    "\"array\"",
    "\"type\":",
    "{\"text\":2147483647}",
    "{\"array\":\"u64\",\"length\":2147483647}",
    "\u{fffd}",
];

fn mutate(json: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(json.len().max(1));
    let end = (at + random.below(12)).min(json.len());
    match random.below(5) {
        0 if !json.is_empty() => json[at] ^= 1 << random.below(8),
        1 => drop(json.drain(at..end)),
        2 => drop(json.splice(at..end, random.pick(&PIECES).bytes())),
        3 => drop(json.splice(at..at, random.pick(&PIECES).bytes())),
        _ => {
            let copy = json[at..end].to_vec();
            let to = random.below(json.len() + 1);
            json.splice(to..to, copy);
        }
    }
}

/// Another number in the place of one of the numbers: the JSON stays well formed, so that the layout rules are what is tried.
fn mutate_number(json: &[u8], random: &mut Random) -> Vec<u8> {
    let text = String::from_utf8(json.to_vec()).unwrap();
    let starts: Vec<usize> = (1..text.len()).filter(|&at| json[at].is_ascii_digit() && json[at - 1] == b':').collect();
    let start = *random.pick(&starts);
    let end = start + text[start..].find(|other: char| !other.is_ascii_digit()).unwrap();
    let small = random.below(64).to_string();
    let number = if random.below(4) == 0 { random.pick(&PIECES[3..7]) } else { small.as_str() };
    format!("{}{number}{}", &text[..start], &text[end..]).into_bytes()
}

/// What is accepted is whole: it can be written, read again and matched, and every copy stays inside.
fn examine(json: &[u8]) -> bool {
    let schema = match Schema::parse(json) {
        Ok(schema) => schema,
        Err(error) => {
            assert_eq!(error.code(), Code::InvalidSchema);
            assert!(!error.message().contains(char::is_control), "{error:?}");
            return false;
        }
    };
    assert_eq!(Schema::parse(schema.to_json().as_bytes()).as_ref(), Ok(&schema));
    let plan = Schema::match_fields(&schema, &schema).unwrap();
    assert!(plan.is_identity());
    assert!(plan.runs().iter().all(|run| run.from + run.byte_length <= schema.byte_length));
    true
}

#[test]
fn random_damage_never_panics() {
    let mut accepted = 0;
    for seed in 0..20_000 {
        let mut random = Random::new(seed);
        let mut json = random.schema(3).to_json().into_bytes();
        for _ in 0..1 + random.below(4) {
            mutate(&mut json, &mut random);
        }
        accepted += usize::from(examine(&json));
    }
    assert!((1..10_000).contains(&accepted), "{accepted} of 20000 damaged schemas were accepted");
}

#[test]
fn wrong_numbers_never_panic() {
    let mut accepted = 0;
    for seed in 0..20_000 {
        let mut random = Random::new(seed);
        let json = random.schema(3).to_json().into_bytes();
        accepted += usize::from(examine(&mutate_number(&json, &mut random)));
    }
    assert!((1..10_000).contains(&accepted), "{accepted} of 20000 wrong layouts were accepted");
}

#[test]
fn undamaged_schemas_are_accepted() {
    assert!((0..2_000).all(|seed| examine(Random::new(seed).schema(4).to_json().as_bytes())));
}

#[test]
fn the_largest_inputs_are_refused_in_good_time() {
    for piece in ["[", "{\"a\":", "0,", "\"", "{\"fields\":[", "[],"] {
        let json = piece.repeat(pagecast::schema::MAX_JSON_BYTES / piece.len());
        assert!(!examine(json.as_bytes()));
        assert!(!examine(format!("[{}", &json[..json.len() - 1]).as_bytes()));
    }
}
