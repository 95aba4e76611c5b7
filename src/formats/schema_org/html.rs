//! JSON-LD that stands in a web page.

/// Whether a text is a web page and not JSON.
pub(crate) fn is_page(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('<')
}

/// What stands in the page's `<script type="application/ld+json">` elements. One pass, and no layout: the content of a
/// script ends at its end tag and nowhere else, so nothing has to be understood but these two tags.
pub(crate) fn scripts(page: &str) -> Vec<&str> {
    let lower = page.to_ascii_lowercase(); // the same length, so that places in it are places in the page
    let mut scripts = Vec::new();
    let mut at = 0;
    while let Some(open) = lower[at..].find("<script").map(|found| at + found) {
        let Some(content) = lower[open..].find('>').map(|found| open + found + 1) else { break };
        let Some(end) = lower[content..].find("</script").map(|found| content + found) else { break };
        let attributes = &lower[open..content];
        if attributes.contains("application/ld+json") {
            let script = page[content..end].trim();
            let script = script.strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->")).unwrap_or(script);
            scripts.push(script.trim());
        }
        at = end;
    }
    scripts
}
