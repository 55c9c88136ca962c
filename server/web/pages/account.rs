//! The pages around accounts: sign in, one's own settings, and the list of users for admins.

use askama::Template;
use jiff::Timestamp;

use super::Page;
use crate::model::Message;

#[derive(Template)]
#[template(path = "sign_in.html")]
pub struct SignIn {
    pub page: Page,
    /// Where to go afterwards: a path on this server.
    pub next: String,
    /// As it was typed, when the form is shown again.
    pub name: String,
    pub error: Option<Message>,
}

#[derive(Template)]
#[template(path = "settings.html")]
pub struct Settings {
    pub page: Page,
    pub tokens: Vec<TokenRow>,
    /// A token made just now: the only time it is ever shown.
    pub new_token: Option<String>,
    pub password_error: Option<Message>,
    pub token_error: Option<Message>,
    pub typed: TokenFields,
}

/// The form for a new token, as it was typed.
pub struct TokenFields {
    pub name: String,
    pub scope: String,
    pub expires: String,
}

impl Default for TokenFields {
    fn default() -> Self {
        let expires = crate::store::accounts::TOKEN_DAYS.to_string();
        TokenFields { name: String::new(), scope: "write".to_owned(), expires }
    }
}

/// An API token, without the token.
pub struct TokenRow {
    pub id: i64,
    pub name: String,
    pub scope: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub used_at: Option<Timestamp>,
}

impl TokenRow {
    pub fn at(&self, action: &str) -> String {
        format!("/settings/tokens/{}/{action}", self.id)
    }
}

#[derive(Template)]
#[template(path = "admin.html")]
pub struct Admin {
    pub page: Page,
    pub users: Vec<UserRow>,
    /// As it was typed, when the form is shown again.
    pub name: String,
    pub error: Option<Message>,
}

pub struct UserRow {
    pub name: String,
    pub admin: bool,
    pub disabled: bool,
    /// The viewer: nobody takes their own rights away.
    pub is_self: bool,
    pub created_at: Timestamp,
    pub signed_in_at: Option<Timestamp>,
}
