//! XML into a small tree, bounded: no document type, so no entity can be defined and none expands; no more than so deep
//! and so many elements. Names are told by their namespace, not by the prefix that a server happens to use.

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;

/// How deep elements may stand in one another.
const DEPTH: usize = 48;
/// How many elements one document may have.
const ELEMENTS: usize = 1_000_000;

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not XML that can be read: {0}")]
pub struct XmlError(String);

/// An element with what is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// The namespace; empty where there is none.
    pub(crate) namespace: String,
    /// The name without its prefix.
    pub(crate) name: String,
    /// Attributes by their names as written.
    pub(crate) attributes: Vec<(String, String)>,
    /// The elements in it, in order.
    pub(crate) children: Vec<Element>,
    /// The text in it, all of its own pieces together.
    pub(crate) text: String,
    /// Where it stands in the document, in bytes.
    span: (usize, usize),
}

impl Element {
    /// The first child of this name, whatever its namespace.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Every child of this name.
    pub(crate) fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of this name, without blanks around it; nothing where it is blank.
    pub(crate) fn said(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }

    /// An attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The namespaces it declares, as they are written: the attribute's name and the namespace.
    pub(crate) fn declared(&self) -> impl Iterator<Item = &(String, String)> {
        self.attributes.iter().filter(|(name, _)| name == "xmlns" || name.starts_with("xmlns:"))
    }

    /// The element as it stands in the document, with the namespaces that it inherits from `above` declared on it, so
    /// that it is a document of its own.
    pub(crate) fn alone(&self, document: &str, above: &[&Self]) -> String {
        let written = document.get(self.span.0..self.span.1).unwrap_or_default();
        let own: Vec<&str> = self.declared().map(|(name, _)| name.as_str()).collect();
        let mut inherited: Vec<(&str, &str)> = Vec::new();
        for (name, value) in above.iter().rev().flat_map(|element| element.declared()) {
            if !own.contains(&name.as_str()) && !inherited.iter().any(|(known, _)| known == name) {
                inherited.push((name, value));
            }
        }
        let after_name = written.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).unwrap_or(written.len());
        let mut text = written[..after_name].to_owned();
        for (name, value) in inherited {
            text.push_str(&format!(" {name}=\"{}\"", quick_xml::escape::escape(value)));
        }
        text.push_str(&written[after_name..]);
        text
    }
}

/// Reads a document.
pub(crate) fn parse(document: &str) -> Result<Element, XmlError> {
    let broken = |reason: &dyn std::fmt::Display| XmlError(reason.to_string());
    let too_large = || XmlError(format!("it has more than {DEPTH} levels or {ELEMENTS} elements"));
    let mut reader = NsReader::from_str(document);
    let mut open: Vec<Element> = vec![Element::default()];
    let mut count = 0;
    loop {
        let from = place(&reader);
        let (namespace, event) = reader.read_resolved_event().map_err(|error| broken(&error))?;
        let namespace = match namespace {
            ResolveResult::Bound(name) => String::from_utf8_lossy(name.as_ref()).into_owned(),
            _ => String::new(),
        };
        if count > ELEMENTS {
            return Err(too_large());
        }
        match event {
            Event::Start(start) => {
                count += 1;
                if open.len() > DEPTH {
                    return Err(too_large());
                }
                open.push(element(namespace, &start, from)?);
            }
            Event::Empty(start) => {
                count += 1;
                let mut empty = element(namespace, &start, from)?;
                empty.span.1 = place(&reader);
                put(&mut open, empty);
            }
            Event::End(_) => {
                let mut closed = open.pop().unwrap_or_default();
                closed.span.1 = place(&reader);
                put(&mut open, closed);
            }
            Event::Text(text) => {
                let text = text.unescape().map_err(|error| broken(&error))?;
                if let Some(current) = open.last_mut() {
                    current.text.push_str(&text);
                }
            }
            Event::CData(data) => {
                let text = String::from_utf8_lossy(&data).into_owned();
                if let Some(current) = open.last_mut() {
                    current.text.push_str(&text);
                }
            }
            Event::DocType(_) => return Err(broken(&"it has a document type, which is never needed here")),
            Event::Eof => break,
            _ => {}
        }
    }
    match open.pop() {
        Some(mut top) if open.is_empty() && top.children.len() == 1 => Ok(top.children.swap_remove(0)),
        _ => Err(broken(&"it breaks off, or is no document")),
    }
}

fn place(reader: &NsReader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

fn put(open: &mut [Element], closed: Element) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(closed);
    }
}

fn element(namespace: String, start: &BytesStart<'_>, from: usize) -> Result<Element, XmlError> {
    let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| XmlError(error.to_string()))?;
        let value = attribute.unescape_value().map_err(|error| XmlError(error.to_string()))?;
        attributes.push((String::from_utf8_lossy(attribute.key.as_ref()).into_owned(), value.into_owned()));
    }
    Ok(Element { namespace, name, attributes, span: (from, from), ..Element::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_told_by_their_namespace_and_stand_alone_with_what_they_inherit() {
        let document = r#"<?xml version="1.0"?><a xmlns="urn:a" xmlns:b="urn:b"><x>one <![CDATA[& two]]></x><b:c d="&lt;">t</b:c></a>"#;
        let top = parse(document).unwrap();
        assert_eq!((top.namespace.as_str(), top.said("x")), ("urn:a", Some("one & two")));
        let inner = top.child("c").unwrap();
        assert_eq!((inner.namespace.as_str(), inner.attribute("d")), ("urn:b", Some("<")));
        let alone = inner.alone(document, &[&top]);
        assert_eq!(alone, r#"<b:c xmlns="urn:a" xmlns:b="urn:b" d="&lt;">t</b:c>"#);
        assert_eq!(parse(&alone).unwrap().namespace, "urn:b");
    }

    #[test]
    fn entities_document_types_depth_and_broken_ends_are_refused() {
        let bomb = r#"<!DOCTYPE a [<!ENTITY x "yyyyyyyy"><!ENTITY z "&x;&x;&x;">]><a>&z;</a>"#;
        let outside = r#"<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>"#;
        let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        let wide = format!("<a>{}</a>", "<b/>".repeat(ELEMENTS + 1));
        for bad in [bomb, outside, &deep, &wide, "<a>&x;</a>", "<a><b></a>", "<a>", "", "no", "<a/><b/>"] {
            assert!(parse(bad).is_err(), "{}", &bad[..bad.len().min(60)]);
        }
    }
}
