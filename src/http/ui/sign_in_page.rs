//! Signing in with an API token, until accounts and OpenID Connect take its place.

use maud::{Markup, html};

/// The body of the page.
/// `csrf` is that of the session, where somebody is signed in already.
pub fn body(csrf: &str) -> Markup {
    html! {
        h1 { "Sign in" }
        p {
            "Stewards and operators sign in with the token that their node's administrator made for them. "
            "Searching needs no sign-in."
        }
        form .form method="post" action="/session" {
            @if !csrf.is_empty() { input type="hidden" name="csrf" value=(csrf); }
            label { "Token" input type="password" name="token" required autocomplete="current-password" maxlength="200"; }
            div { button type="submit" { "Sign in" } }
        }
    }
}
