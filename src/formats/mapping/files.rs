//! The parts of a distribution, each from one cell.

use serde_json::Value;

use crate::domain::bounds;
use crate::domain::dataset::Distribution;
use crate::domain::text::Text;
use crate::formats::dcat::distribution::{format_of, media_type_of};
use crate::formats::dcat::rights::plain;
use crate::formats::draft::{parse_iri, shown, undetermined};
use crate::formats::said::count;
use crate::formats::text::{line, shortened};
use crate::vocabulary::licence::resolve;

pub(super) fn title(file: &mut Distribution, text: &str) -> Result<(), String> {
    let (name, _) = shortened(line(text), bounds::TITLE);
    file.title = Text::new(undetermined(), name).ok();
    Ok(())
}

pub(super) fn access_url(file: &mut Distribution, text: &str) -> Result<(), String> {
    file.access_url = Some(parse_iri(text).ok_or_else(|| format!("access URL: {:?} is not an IRI", shown(text)))?);
    Ok(())
}

pub(super) fn download_url(file: &mut Distribution, text: &str) -> Result<(), String> {
    file.download_url = Some(parse_iri(text).ok_or_else(|| format!("download URL: {:?} is not an IRI", shown(text)))?);
    Ok(())
}

pub(super) fn format(file: &mut Distribution, text: &str) -> Result<(), String> {
    file.format = format_of(&[text.to_owned()], None);
    Ok(())
}

pub(super) fn media_type(file: &mut Distribution, text: &str) -> Result<(), String> {
    file.media_type = media_type_of(text)?;
    if file.format.is_none() {
        file.format = format_of(&[], file.media_type.as_deref());
    }
    Ok(())
}

pub(super) fn bytes(file: &mut Distribution, text: &str) -> Result<(), String> {
    let bytes = count(&Value::String(text.to_owned()));
    file.bytes = Some(bytes.ok_or_else(|| format!("size: {:?} is not a number of bytes", shown(text)))?);
    Ok(())
}

pub(super) fn sha256(file: &mut Distribution, text: &str) -> Result<(), String> {
    let digest = text.to_ascii_lowercase().parse();
    file.sha256 = Some(digest.map_err(|_| format!("checksum: {:?} is not a SHA-256 digest", shown(text)))?);
    Ok(())
}

pub(super) fn licence(file: &mut Distribution, text: &str) -> Result<(), String> {
    file.licence = resolve(text).map(plain);
    Ok(())
}
