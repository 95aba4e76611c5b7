//! Signing in with an API token, until accounts and OpenID Connect take its place.

use maud::{Markup, html};

/// The body of the page.
pub fn body() -> Markup {
    html! {
        h1 { "Sign in" }
        p {
            "Stewards and operators sign in with the token that their node's administrator made for them. "
            "Searching needs no sign-in."
        }
        form .form method="post" action="/session" {
            label { "Token" input type="password" name="token" required autocomplete="current-password" maxlength="200"; }
            div { button type="submit" { "Sign in" } }
        }
    }
}
