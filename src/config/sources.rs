//! The harvests' sources, from what was written to what is meant.

use std::collections::BTreeSet;
use std::time::Duration;

use url::Url;

use super::ConfigError;
use super::settings::SourceSettings;
use crate::domain::ids::{Identity, LocalId, TrustDomain};
use crate::harvest::{Kind, Source};

/// The shortest interval: a portal is not a page of news.
const SHORTEST: Duration = Duration::from_secs(5 * 60);
/// The most that one may be: a year.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Every source, checked.
pub(super) fn meant(written: Vec<SourceSettings>, domain: &TrustDomain) -> Result<Vec<Source>, ConfigError> {
    let mut names = BTreeSet::new();
    let mut sources = Vec::with_capacity(written.len());
    for (number, one) in (1..).zip(written) {
        let source = source(number, one, domain)?;
        if !names.insert(source.name.clone()) {
            return Err(refused(&source.name, "name", "stands twice: the records of a source are known by its name"));
        }
        sources.push(source);
    }
    Ok(sources)
}

fn refused(name: &str, key: &str, detail: impl std::fmt::Display) -> ConfigError {
    ConfigError::Refused { key: format!("harvest.sources ({name}).{key}"), detail: detail.to_string() }
}

fn source(number: usize, written: SourceSettings, domain: &TrustDomain) -> Result<Source, ConfigError> {
    let name = written.name;
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || name.len() > 100 || !name.chars().all(is_name) {
        let detail = format!("is {name:?}: write letters, digits, '.', '-' or '_', such as data.example");
        return Err(refused(&number.to_string(), "name", detail));
    }
    let kind = match written.kind.as_str() {
        "ckan" => Kind::Ckan,
        "dcat" => Kind::Dcat,
        "oai_pmh" => Kind::OaiPmh,
        other => return Err(refused(&name, "kind", format!("is {other:?}: write \"ckan\", \"dcat\" or \"oai_pmh\""))),
    };
    let is_web =
        |url: &Url| matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    let address = written.address.parse::<Url>().ok().filter(is_web).ok_or_else(|| {
        refused(&name, "address", "is no address such as https://data.example/catalog.ttl, without user and password")
    })?;
    let owner: LocalId = written
        .owner
        .parse()
        .map_err(|error| refused(&name, "owner", format!("is no participant's id such as csc: {error}")))?;
    let every = written.every.map(|text| interval(&name, "every", &text)).transpose()?;
    if every.is_some_and(|every| every < SHORTEST) {
        return Err(refused(&name, "every", "is below 5m: the other side is somebody else's machine"));
    }
    let deadline = written.deadline.map(|text| interval(&name, "deadline", &text)).transpose()?;
    let withdraw_percent = written.withdraw_percent.unwrap_or(20);
    if withdraw_percent > 100 {
        return Err(refused(&name, "withdraw_percent", "is above 100"));
    }
    Ok(Source {
        kind,
        address,
        owner: Identity::participant(domain.clone(), owner),
        country: written.country,
        every,
        deadline: deadline.unwrap_or(Duration::from_secs(6 * 60 * 60)),
        max_bytes: written.max_megabytes.unwrap_or(2048).clamp(1, 1 << 20) << 20,
        withdraw_percent,
        prefix: written.prefix,
        set: written.set,
        name,
    })
}

/// A length of time such as `1d`, `6h`, `30m` or `45s`.
fn interval(name: &str, key: &str, text: &str) -> Result<Duration, ConfigError> {
    let parse = || {
        let (number, unit) = text.trim().split_at_checked(text.trim().len().checked_sub(1)?)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        let number: u64 = number.parse().ok()?;
        let found = Duration::from_secs(number.checked_mul(seconds)?);
        (!found.is_zero() && found <= LONGEST).then_some(found)
    };
    parse().ok_or_else(|| refused(name, key, format!("is {text:?}: write a time such as 1d, 6h or 30m, up to 366d")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> SourceSettings {
        SourceSettings {
            name: "data.example".to_owned(),
            kind: "dcat".to_owned(),
            address: "https://data.example/catalog.ttl".to_owned(),
            owner: "csc".to_owned(),
            every: Some("1d".to_owned()),
            ..SourceSettings::default()
        }
    }

    fn check(written: Vec<SourceSettings>) -> Result<Vec<Source>, String> {
        meant(written, &"fi.pleiad.example".parse().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_source_has_its_defaults() {
        let source = check(vec![written()]).unwrap().remove(0);
        assert_eq!(source.every, Some(Duration::from_secs(86_400)));
        assert_eq!(source.owner.to_string(), "spiffe://fi.pleiad.example/participant/csc");
        assert_eq!((source.withdraw_percent, source.max_bytes), (20, 2048 << 20));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        let mut wrong: Vec<(&str, SourceSettings)> = Vec::new();
        wrong.push(("name", SourceSettings { name: "a b".to_owned(), ..written() }));
        wrong.push(("kind", SourceSettings { kind: "ftp".to_owned(), ..written() }));
        for address in ["ftp://x.example/", "https://user:word@x.example/", "x", ""] {
            wrong.push(("address", SourceSettings { address: address.to_owned(), ..written() }));
        }
        wrong.push(("owner", SourceSettings { owner: "a/b".to_owned(), ..written() }));
        for every in ["1", "d", "1m", "0d", "1w", "-1d", "99999999999999999999d", "é", ""] {
            wrong.push(("every", SourceSettings { every: Some(every.to_owned()), ..written() }));
        }
        wrong.push(("withdraw_percent", SourceSettings { withdraw_percent: Some(101), ..written() }));
        for (key, one) in wrong {
            let refusal = check(vec![one.clone()]).expect_err(key);
            assert!(refusal.contains(&format!(".{key}")), "{refusal}");
        }
        assert!(check(vec![written(), written()]).unwrap_err().contains("twice"));
    }
}
