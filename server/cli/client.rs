//! The API as the verbs use it: one server, one set of credentials, JSON in and out.
//!
//! The server's words are data: they are shown cleaned, never acted on. Redirects are not followed, so
//! that credentials go where they were meant for.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde_json::Value;
use url::Url;

use super::Session;
use super::exit::Exit;
use super::language::language;
use crate::config;
use crate::model::Secret;
use crate::msg;

/// How long one request may take. Logs are followed with many short ones.
const ONE_REQUEST: Duration = Duration::from_secs(60);
/// Longest answer that is read, in bytes.
const LONGEST: usize = 64 << 20;
/// Pages of a list that are read at most.
const MOST_PAGES: usize = 100;

pub struct Client {
    http: reqwest::Client,
    /// Ends in `/api/v1`.
    base: Url,
    credentials: Option<Credentials>,
}

enum Credentials {
    Token(Secret),
    Password { user: String, password: Secret },
}

impl Client {
    /// From `ROPEWALK_URL` (may hold `user:password@`) and `ROPEWALK_TOKEN` or `ROPEWALK_TOKEN_FILE`.
    pub fn new(session: &Session) -> Result<Self, Exit> {
        let text = first_url(session.variable("ROPEWALK_URL").unwrap_or("http://localhost:3000"));
        let (base, credentials) = address(text)?;
        let token = match (session.variable("ROPEWALK_TOKEN"), session.variable("ROPEWALK_TOKEN_FILE")) {
            (Some(token), _) => Some(Secret::new(token)),
            (None, Some(path)) => Some(config::read_secret(path)?),
            (None, None) => None,
        };
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let mut http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .timeout(ONE_REQUEST)
            .user_agent(concat!("ropewalk/", env!("CARGO_PKG_VERSION")));
        if base.scheme() == "http" {
            // The machine's certificates take longer to read than the request, and it may have none.
            http = http.tls_certs_only([]);
        }
        let http = http.build().map_err(|e| Exit::failed(msg!("cli-internal", cause = e)))?;
        Ok(Client { http, base, credentials: token.map(Credentials::Token).or(credentials) })
    }

    /// `/api/v1` and the parts, each as one part of the path.
    pub fn url(&self, parts: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend(parts);
        }
        url
    }

    pub async fn get(&self, parts: &[&str]) -> Result<Value, Exit> {
        json(self.send(Method::GET, self.url(parts), None).await?).await
    }

    pub async fn post(&self, parts: &[&str], body: &Value) -> Result<Value, Exit> {
        json(self.send(Method::POST, self.url(parts), Some(body)).await?).await
    }

    /// Text of another kind than JSON, such as YAML.
    pub async fn post_text(&self, parts: &[&str], text: String) -> Result<Value, Exit> {
        let request = self.request(Method::POST, self.url(parts));
        let request = request.header(header::CONTENT_TYPE, "application/yaml").body(text);
        json(self.answer(request).await?).await
    }

    /// A list, following its `Link: rel="next"` until `limit` items are there.
    pub async fn list(&self, parts: &[&str], limit: usize) -> Result<Vec<Value>, Exit> {
        let mut url = self.url(parts);
        url.query_pairs_mut().append_pair("limit", &limit.clamp(1, 100).to_string());
        let mut items = Vec::new();
        for _ in 0..MOST_PAGES {
            let response = self.send(Method::GET, url.clone(), None).await?;
            let next = next_page(response.headers());
            let Value::Array(page) = json(response).await? else { return Err(strange()) };
            items.extend(page);
            // Only the query is taken from the server: the rest of our address is not its to change.
            let Some(query) = next.filter(|_| items.len() < limit) else { break };
            url.set_query(Some(&query));
        }
        items.truncate(limit);
        Ok(items)
    }

    /// A successful answer; anything else is an `Exit` with the server's sentence.
    pub async fn send(&self, method: Method, url: Url, body: Option<&Value>) -> Result<Response, Exit> {
        let mut request = self.request(method, url);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.answer(request).await
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self.http.request(method, url).header(header::ACCEPT_LANGUAGE, language().as_str());
        match &self.credentials {
            Some(Credentials::Token(token)) => request.bearer_auth(token.reveal()),
            Some(Credentials::Password { user, password }) => {
                request.basic_auth(user, Some(password.reveal()))
            }
            None => request,
        }
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Response, Exit> {
        let response = request.send().await.map_err(|cause| self.unreachable(&cause))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refused(response).await)
    }

    fn unreachable(&self, cause: &reqwest::Error) -> Exit {
        let mut source: &dyn std::error::Error = cause;
        while let Some(inner) = source.source() {
            source = inner;
        }
        let origin = self.base.origin().ascii_serialization();
        Exit::unreachable(msg!("cli-unreachable", url = origin, cause = source))
    }
}

/// The API's address and the credentials that stood in it.
fn address(text: &str) -> Result<(Url, Option<Credentials>), Exit> {
    let refuse = || Exit::usage(msg!("cli-setting-value", name = "ROPEWALK_URL", value = "…"));
    let mut url = Url::parse(text).map_err(|_| refuse())?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(refuse());
    }
    let plain = |part: &str| percent_decoded(part);
    let credentials = (!url.username().is_empty()).then(|| Credentials::Password {
        user: plain(url.username()),
        password: Secret::new(plain(url.password().unwrap_or_default())),
    });
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.set_path(&format!("{}/api/v1", url.path().trim_end_matches('/')));
    Ok((url, credentials))
}

fn percent_decoded(part: &str) -> String {
    // A form's `+` is a space; in an address it is itself.
    let text = part.replace('+', "%2B");
    url::form_urlencoded::parse(format!("x={text}").as_bytes())
        .next()
        .map(|(_, v)| v.into_owned())
        .unwrap_or_default()
}

/// The query of `Link: <...?query>; rel="next"`.
fn next_page(headers: &header::HeaderMap) -> Option<String> {
    let link = headers.get(header::LINK)?.to_str().ok()?;
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    let (_, rest) = next.split_once('<')?;
    let (address, _) = rest.split_once('>')?;
    address.split_once('?').map(|(_, query)| query.to_owned())
}

async fn json(mut response: Response) -> Result<Value, Exit> {
    if response.status() == StatusCode::NO_CONTENT {
        return Ok(Value::Null);
    }
    let body = read(&mut response).await?;
    serde_json::from_slice(&body).map_err(|_| strange())
}

async fn read(response: &mut Response) -> Result<Vec<u8>, Exit> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|e| Exit::failed(msg!("cli-answer", cause = e)))? {
        body.extend_from_slice(&piece);
        if body.len() > LONGEST {
            return Err(strange());
        }
    }
    Ok(body)
}

async fn refused(mut response: Response) -> Exit {
    let status = response.status();
    let body = read(&mut response).await.unwrap_or_default();
    let said = serde_json::from_slice::<Value>(&body).ok();
    let said = said.as_ref().and_then(|value| value.pointer("/error/message")?.as_str());
    Exit::of_status(status.as_u16(), said.map_or_else(|| status.to_string(), str::to_owned))
}

/// Not what this version understands.
pub fn strange() -> Exit {
    Exit::failed(msg!("cli-strange"))
}

/// The server's own variable may name several addresses; the first is the main one.
pub fn first_url(text: &str) -> &str {
    text.split(',').next().unwrap_or(text).trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tests::session_with;

    #[test]
    fn credentials_are_taken_out_of_the_address() {
        let variables = [("ROPEWALK_URL", "https://marta:p%40ss+w@ci.example/rope/?x#y")];
        let client = Client::new(&session_with(&variables)).unwrap();
        let url = client.url(&["repos", "marta", "a b/..", "runs"]).to_string();
        assert_eq!(url, "https://ci.example/rope/api/v1/repos/marta/a%20b%2F../runs");
        let Some(Credentials::Password { user, password }) = client.credentials else { panic!() };
        assert_eq!((user.as_str(), password.reveal()), ("marta", "p@ss+w"));
        for bad in ["ftp://x", "not an address", "/etc/passwd"] {
            assert_eq!(
                Client::new(&session_with(&[("ROPEWALK_URL", bad)])).err().unwrap().number(),
                2,
                "{bad}"
            );
        }
    }

    #[test]
    fn only_the_query_of_the_next_page_is_taken() {
        let mut headers = header::HeaderMap::new();
        let link = "<http://evil/api/v1/x?limit=2&after=9>; rel=\"next\"";
        headers.insert(header::LINK, link.parse().unwrap());
        assert_eq!(next_page(&headers).as_deref(), Some("limit=2&after=9"));
        headers.insert(header::LINK, "<x>; rel=\"prev\", nonsense rel=\"next\"".parse().unwrap());
        assert_eq!(next_page(&headers), None);
    }
}
