//! Lists in pieces: `?limit=` and a key, never an offset, so that nothing is skipped or seen twice while
//! rows are added. Where there is more, the address of what follows is in a `Link` header.

use actix_web::HttpResponse;
use actix_web::http::header::LINK;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::super::state::Door;

const USUAL: u32 = 30;
const MOST: u32 = 100;

/// `limit` (1 to 100, 30 unless given) and the key of the last item of the page before.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// 1 to 100; 30 unless given.
    pub limit: Option<u32>,
    /// From the `Link` header of the page before.
    pub after: Option<String>,
}

impl Paging {
    pub fn limit(&self) -> u32 {
        self.limit.unwrap_or(USUAL).clamp(1, MOST)
    }

    /// The key as a number; what is none begins at the start.
    pub fn after_number<T: std::str::FromStr>(&self) -> Option<T> {
        self.after.as_deref().and_then(|key| key.parse().ok())
    }
}

/// The page as JSON; `path` may have a query. `next` is the key of its last item when there is more.
pub fn answer<T: Serialize>(
    door: &Door,
    path: &str,
    paging: &Paging,
    items: &[T],
    next: Option<String>,
) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Some(key) = next {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("limit", &paging.limit().to_string())
            .append_pair("after", &key)
            .finish();
        let joint = if path.contains('?') { '&' } else { '?' };
        response.insert_header((LINK, format!("<{}{path}{joint}{query}>; rel=\"next\"", door.settings.url)));
    }
    response.json(items)
}

/// Items that were asked for with one more than wanted: cuts the last off and says whether it was there.
pub fn cut<T>(items: &mut Vec<T>, limit: u32) -> bool {
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    more
}

/// `name=value`, encoded for a query.
pub fn pair(name: &str, value: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish()
}
