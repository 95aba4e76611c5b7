//! Telephone numbers, bank accounts, national numbers and ORCID ids in a text. What has check digits counts only where
//! they agree, so that a measurement or a file number is not taken for somebody.

use super::{Seen, What};

/// Words before a telephone number, in lower case, and without their final point.
const PHONE_WORDS: &[&str] = &[
    "tel",
    "tél",
    "téléphone",
    "telefon",
    "telefoon",
    "telefono",
    "teléfono",
    "telefone",
    "phone",
    "fon",
    "mobile",
    "mobil",
    "gsm",
    "puh",
    "puhelin",
    "fax",
    "tlf",
    "τηλ",
];

pub(super) fn find(text: &str, found: &mut Vec<Seen>) {
    for (start, token) in runs(text) {
        if let Some((what, length)) = read(token, &text[..start]) {
            found.push(Seen { what, start, end: start + length });
        }
    }
    for (start, word) in words(text) {
        let what = if is_fiscal_code(word) || is_finnish(word) {
            What::NationalNumber
        } else if is_orcid(word) {
            What::Orcid
        } else {
            continue;
        };
        found.push(Seen { what, start, end: start + word.len() });
    }
    ibans(text, found);
}

/// Stretches of digits with what stands between the digits of one number.
fn runs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let part = |c: char| c.is_ascii_digit() || "+() .-/\u{a0}\u{202f}".contains(c);
    let mut at = 0;
    std::iter::from_fn(move || {
        let begin = at + text[at..].find(|c: char| c.is_ascii_digit() || c == '+' || c == '(')?;
        let rest = &text[begin..];
        let length = rest.find(|c: char| !part(c)).unwrap_or(rest.len());
        at = begin + length.max(1);
        Some((begin, rest[..length].trim_end_matches(|c: char| !c.is_ascii_digit())))
    })
}

fn read(token: &str, before: &str) -> Option<(What, usize)> {
    // A digit or a letter right before makes it part of something else.
    if before.ends_with(|c: char| c.is_alphanumeric() || "_-=/.,&?#%".contains(c)) {
        return None;
    }
    if is_belgian(token) || is_french(token) {
        return Some((What::NationalNumber, token.len()));
    }
    let digits = token.bytes().filter(u8::is_ascii_digit).count();
    let is_labelled = ends_with_phone_word(before) && (7..=15).contains(&digits);
    (is_labelled || is_international(token, digits)).then_some((What::Phone, token.len()))
}

fn ends_with_phone_word(before: &str) -> bool {
    let before = before.trim_end_matches(|c: char| c.is_whitespace() || ":.°º".contains(c));
    let word = before.rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default().to_lowercase();
    PHONE_WORDS.contains(&word.as_str())
}

/// `+32 2 123 45 67`: a country code and at least nine digits; a coordinate has one point, an offset of time fewer digits.
fn is_international(token: &str, digits: usize) -> bool {
    let Some(rest) = token.strip_prefix('+') else { return false };
    let groups = rest.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).count();
    let is_decimal = groups == 2 && rest.contains('.');
    (9..=15).contains(&digits) && rest.starts_with(|c: char| c.is_ascii_digit() && c != '0') && !is_decimal
}

/// A Belgian national number in its usual writing, `85.07.30-033.28`: check digits modulo 97.
fn is_belgian(token: &str) -> bool {
    let shape = |pattern: &str| {
        token.len() == pattern.len()
            && token.bytes().zip(pattern.bytes()).all(|(c, p)| if p == b'9' { c.is_ascii_digit() } else { c == p })
    };
    if !shape("99.99.99-999.99") {
        return false;
    }
    let digits: String = token.chars().filter(char::is_ascii_digit).collect();
    let (Ok(body), Ok(check)) = (digits[..9].parse::<u64>(), digits[9..].parse::<u64>()) else { return false };
    [body, 2_000_000_000 + body].iter().any(|number| 97 - number % 97 == check) && is_day(&digits[4..6], &digits[2..4])
}

/// A French social security number, written in its groups: `1 85 07 75 056 123 45`.
fn is_french(token: &str) -> bool {
    let groups: Vec<&str> = token.split([' ', '\u{a0}', '\u{202f}']).collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    if lengths != [1, 2, 2, 2, 3, 3, 2] || !groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_digit())) {
        return false;
    }
    let (body, check) = (groups[..6].concat().parse::<u64>(), groups[6].parse::<u64>());
    matches!((body, check), (Ok(body), Ok(check)) if 97 - body % 97 == check) && ["1", "2"].contains(&groups[0])
}

fn is_day(day: &str, month: &str) -> bool {
    day.parse::<u8>().is_ok_and(|day| (1..=31).contains(&day))
        && month.parse::<u8>().is_ok_and(|month| (1..=12).contains(&month))
}

/// Words of letters, digits and dashes.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let part = |c: char| c.is_alphanumeric() || c == '-' || c == '+';
    let mut at = 0;
    std::iter::from_fn(move || {
        let begin = at + text[at..].find(part)?;
        let rest = &text[begin..];
        let length = rest.find(|c: char| !part(c)).unwrap_or(rest.len());
        at = begin + length;
        Some((begin, &rest[..length]))
    })
}

/// A Finnish personal identity code, `131052-308T`: a day, a sign of the century, a number and a check character.
fn is_finnish(word: &str) -> bool {
    let bytes = word.as_bytes();
    let is_shape = bytes.len() == 11
        && bytes[..6].iter().chain(&bytes[7..10]).all(u8::is_ascii_digit)
        && b"+-ABCDEFYXWVU".contains(&bytes[6]);
    if !is_shape || !is_day(&word[..2], &word[2..4]) {
        return false;
    }
    let number: usize = format!("{}{}", &word[..6], &word[7..10]).parse().unwrap_or_default();
    b"0123456789ABCDEFHJKLMNPRSTUVWXY"[number % 31] == bytes[10]
}

/// An Italian fiscal code, `RSSMRA85T10A562S`: letters and digits in their places, and the check letter.
fn is_fiscal_code(word: &str) -> bool {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let bytes = word.as_bytes();
    let is_shape = bytes.len() == 16
        && bytes
            .iter()
            .zip(b"AAAAAA99A99A999A")
            .all(|(c, p)| if *p == b'A' { c.is_ascii_uppercase() } else { c.is_ascii_digit() });
    if !is_shape {
        return false;
    }
    let value = |b: u8| u32::from(if b.is_ascii_digit() { b - b'0' } else { b - b'A' });
    let sum: u32 = bytes[..15]
        .iter()
        .enumerate()
        .map(|(at, b)| if at % 2 == 0 { ODD[value(*b) as usize] } else { value(*b) })
        .sum();
    sum % 26 == value(bytes[15])
}

/// An ORCID id, `0000-0002-1825-0097`: ISO 7064 modulo 11-2.
fn is_orcid(word: &str) -> bool {
    let is_shape = word.len() == 19
        && word.bytes().enumerate().all(|(at, b)| match at {
            4 | 9 | 14 => b == b'-',
            18 => b.is_ascii_digit() || b == b'X',
            _ => b.is_ascii_digit(),
        });
    if !is_shape {
        return false;
    }
    let sum =
        word.bytes().take(18).filter(u8::is_ascii_digit).fold(0u32, |sum, b| (sum + u32::from(b - b'0')) * 2 % 11);
    let check = (12 - sum) % 11;
    word.ends_with(&if check == 10 { "X".to_owned() } else { check.to_string() })
}

/// The lengths of the account numbers of the countries that have them here.
const IBANS: &str = "AT20 BE16 BG22 CH21 CY28 CZ24 DE22 DK18 EE20 ES24 FI18 FR27 GB22 GR27 HR21 HU28 IE22 IS26 IT27 LI21 LT20 LU20 LV21 MT31 NL18 NO15 PL28 PT25 RO24 SE24 SI19 SK24";

/// International bank account numbers, in one or in groups of four: the country's length, and modulo 97.
fn ibans(text: &str, found: &mut Vec<Seen>) {
    let bytes = text.as_bytes();
    for start in 0..bytes.len().saturating_sub(14) {
        let is_head = bytes[start..start + 2].iter().all(u8::is_ascii_uppercase)
            && bytes[start + 2..start + 4].iter().all(u8::is_ascii_digit);
        if !is_head || start > 0 && bytes[start - 1].is_ascii_alphanumeric() {
            continue;
        }
        let country = &text[start..start + 2];
        let Some(length) = IBANS.split(' ').find_map(|entry| entry.strip_prefix(country)?.parse::<usize>().ok()) else {
            continue;
        };
        let mut compact = Vec::with_capacity(length);
        let mut end = start;
        while compact.len() < length && end < bytes.len() {
            match bytes[end] {
                b if b.is_ascii_digit() || b.is_ascii_uppercase() => compact.push(b),
                b' ' if compact.len() % 4 == 0 => {}
                _ => break,
            }
            end += 1;
        }
        if compact.len() == length && !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric) && remainder(&compact) == 1
        {
            found.push(Seen { what: What::BankAccount, start, end });
        }
    }
}

fn remainder(iban: &[u8]) -> u32 {
    iban[4..].iter().chain(&iban[..4]).fold(0, |rest, b| {
        if b.is_ascii_digit() {
            (rest * 10 + u32::from(b - b'0')) % 97
        } else {
            (rest * 100 + u32::from(b - b'A') + 10) % 97
        }
    })
}
