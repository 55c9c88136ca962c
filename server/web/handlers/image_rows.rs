//! Images that registries told of, as rows with what came of each.

use super::pieces::brief_of;
use super::provenance::visible_run;
use super::visit::Visit;
use crate::model::{Event, Happened, Result};
use crate::web::pages::activity::ImageRow;

/// `None` for events of another kind.
pub async fn image_row(visit: &Visit, event: Event) -> Result<Option<ImageRow>> {
    let Happened::ImageAnnounced { webhook, delivery_id, image, .. } = event.happened else {
        return Ok(None);
    };
    let outcome = event.outcome.and_then(|all| all.into_iter().next());
    let (message, run_id) = outcome.map_or((None, None), |outcome| (Some(outcome.message), outcome.run_id));
    let run = match run_id {
        Some(id) => visible_run(visit, id)?,
        None => None,
    };
    let run = match run {
        Some(run) => Some(brief_of(visit, &run).await?),
        None => None,
    };
    Ok(Some(ImageRow {
        id: event.id,
        at: event.at,
        host: image.host,
        namespace: image.namespace,
        name: image.name,
        tag: image.tag,
        owner: image.owner,
        digest: image.digest.map(|digest| digest.short().to_string()),
        tag_digest: image.tag_digest.map(|digest| digest.short().to_string()),
        webhook,
        delivery_id,
        message,
        run,
    }))
}
