//! A stream on its way to a registry: counted, hashed, and broken off before its end when it is not what it was
//! announced as. It keeps no piece.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use super::state::Trouble;
use crate::model::Digest;

/// A transfer in which nothing moves for so long has come to its end.
const STALL: Duration = Duration::from_secs(60);
/// So many times as long may a registry take to look at what it has got.
const LOOKS: u32 = 10;

/// Why a stream was broken off.
pub(super) type Fault = Arc<Mutex<Option<Trouble>>>;

/// What to say of the digest at the end, or (`None`) of the length; nothing when it is right.
type Wrong = Box<dyn Fn(Option<Digest>) -> Option<Trouble> + Send>;

/// What is known of a stream so far.
pub(super) struct Meter {
    hasher: Sha256,
    count: u64,
    size: Option<u64>,
    wrong: Wrong,
    moved: Arc<AtomicU64>,
    fault: Fault,
}

impl Meter {
    /// For a stream of `size` bytes, if that is known.
    pub fn new(size: Option<u64>, wrong: Wrong, (moved, fault): (Arc<AtomicU64>, Fault)) -> Self {
        Meter { hasher: Sha256::new(), count: 0, size, wrong, moved, fault }
    }

    /// Takes the next piece, or the end; the trouble with it, if there is any.
    fn take(&mut self, piece: Option<&Bytes>) -> Option<Trouble> {
        if let Some(piece) = piece {
            self.hasher.update(piece);
            self.count += piece.len() as u64;
            self.moved.store(self.count, Ordering::Relaxed);
        }
        let ends = match (self.size, piece) {
            (Some(size), Some(_)) if self.count > size => return (self.wrong)(None),
            (Some(size), None) if self.count < size => return (self.wrong)(None),
            (Some(size), _) => self.count == size,
            (None, piece) => piece.is_none(),
        };
        if !ends {
            return None;
        }
        let found: String = self.hasher.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        (self.wrong)(Digest::new(format!("sha256:{found}")).ok())
    }
}

/// The stream as it is sent: broken off before its end when it is not what it should be.
pub(super) fn metered(
    meter: Meter,
    stream: impl Stream<Item = Result<Bytes, Trouble>> + Send + 'static,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    let broken = || std::io::Error::other("the blob is not what it should be");
    stream::unfold(Some((meter, Box::pin(stream))), move |state| async move {
        let (mut meter, mut stream) = state?;
        let piece = timeout(STALL, stream.next()).await;
        let trouble = match &piece {
            Ok(Some(Ok(piece))) => meter.take(Some(piece)),
            Ok(Some(Err(trouble))) => Some(trouble.clone()),
            Ok(None) => meter.take(None),
            Err(_) => (meter.wrong)(None).map(|trouble| Trouble { again: true, ..trouble }),
        };
        if let Some(trouble) = trouble {
            *meter.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
            return Some((Err(broken()), None));
        }
        match piece {
            Ok(Some(Ok(piece))) => Some((Ok(piece), Some((meter, stream)))),
            _ => None,
        }
    })
}

/// `None` when nothing moves any more.
pub(super) async fn moving<T>(moved: &AtomicU64, work: impl Future<Output = T>) -> Option<T> {
    let mut work = std::pin::pin!(work);
    let (mut before, mut looks) = (0, 0);
    loop {
        if let Ok(done) = timeout(STALL, &mut work).await {
            return Some(done);
        }
        let now = moved.load(Ordering::Relaxed);
        looks = if now == before { looks + 1 } else { 0 };
        if looks >= LOOKS {
            return None;
        }
        before = now;
    }
}
