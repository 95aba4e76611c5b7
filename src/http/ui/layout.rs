//! The frame of every page: head, skip link, navigation, footer.

use maud::{DOCTYPE, Markup, html};

/// Who looks at the page, as far as the frame shows it.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// What the visitor signed in as, in words; `None` when not signed in.
    pub signed_in: Option<String>,
    /// The token that a form must carry to change anything.
    pub csrf: String,
}

/// Which entry of the navigation is the current page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The search.
    Search,
    /// The federation.
    Federation,
    /// Requests.
    Requests,
    /// None of them.
    Other,
}

/// What the frame says about the node.
#[derive(Debug, Clone)]
pub struct Site {
    /// The node's name in the interface's language.
    pub name: String,
    /// Its trust domain.
    pub domain: String,
}

/// A whole page.
pub fn page(site: &Site, visitor: &Visitor, section: Section, title: &str, body: &Markup) -> Markup {
    let entry = |target: Section, href: &str, label: &str| {
        html! { a href=(href) aria-current=[(section == target).then_some("page")] { (label) } }
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Pleiad" }
                link rel="stylesheet" href="/ui/style.css";
                link rel="icon" href="/ui/icon.svg" type="image/svg+xml";
            }
            body {
                a .skip href="#content" { "Skip to the content" }
                header .site {
                    div .wrap {
                        a .brand href="/" { "Pleiad" small { (site.name) } }
                        nav aria-label="Main" {
                            (entry(Section::Search, "/", "Search"))
                            (entry(Section::Federation, "/federation", "Federation"))
                            (entry(Section::Requests, "/requests", "Requests"))
                            @match &visitor.signed_in {
                                Some(who) => {
                                    form method="post" action="/session/end" {
                                        input type="hidden" name="csrf" value=(visitor.csrf);
                                        button .link type="submit" title={ "Signed in as " (who) } { "Sign out" }
                                    }
                                }
                                None => { a href="/sign-in" { "Sign in" } }
                            }
                        }
                    }
                }
                main #content { div .wrap { (body) } }
                footer .site {
                    div .wrap {
                        "Node " code { (site.domain) } ". Queries travel; raw data does not. "
                        a href="/help/query" { "How to ask" } " · " a href="/openapi.json" { "API" }
                    }
                }
            }
        }
    }
}
