//! Request bodies that git clients send gzipped, inflated as they come. A small body can inflate a
//! thousandfold, so the input is fed in small slices and the sum can be bounded. It never holds
//! more than one slice's output.

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::write::GzDecoder;
use futures_util::{Stream, StreamExt as _, stream};

/// Enough for the negotiation of the largest repositories; fetch requests are only lines of ids.
pub const UPLOAD_PACK_LIMIT: u64 = 32 * 1024 * 1024;

/// One slice inflates to at most about 64 KiB: pieces wait in channels.
const SLICE: usize = 64;

/// The inflated form of a gzip `body`. `limit` bounds the sum of inflated bytes: give one for
/// fetches (`UPLOAD_PACK_LIMIT`), none for pushes (`Receive::max_bytes` bounds those). Bad or cut
/// off gzip is an `InvalidData` error, too much is `FileTooLarge`.
pub fn inflate<S>(body: S, limit: Option<u64>) -> impl Stream<Item = io::Result<Bytes>> + use<S>
where
    S: Stream<Item = io::Result<Bytes>> + 'static,
{
    let state = Inflating {
        body: Box::pin(body),
        decoder: GzDecoder::new(Vec::new()),
        pending: Bytes::new(),
        left: limit.unwrap_or(u64::MAX),
        started: false,
    };
    stream::try_unfold(Some(state), |state| async move {
        match state {
            None => Ok(None),
            Some(state) => state.step().await,
        }
    })
}

struct Inflating<S> {
    body: std::pin::Pin<Box<S>>,
    decoder: GzDecoder<Vec<u8>>,
    pending: Bytes,
    left: u64,
    started: bool,
}

impl<S: Stream<Item = io::Result<Bytes>>> Inflating<S> {
    /// The next non-empty piece and what remains to do (`None` after the last piece).
    async fn step(mut self) -> io::Result<Option<(Bytes, Option<Self>)>> {
        loop {
            if self.pending.is_empty() {
                match self.body.next().await {
                    Some(chunk) => self.pending = chunk?,
                    None if !self.started => return Ok(None),
                    None => {
                        self.decoder.try_finish().map_err(bad)?;
                        let rest = self.take()?;
                        return Ok((!rest.is_empty()).then_some((rest, None)));
                    }
                }
                continue;
            }
            self.started = true;
            let slice = &self.pending[..self.pending.len().min(SLICE)];
            let taken = self.decoder.write(slice).map_err(bad)?;
            if taken == 0 && self.decoder.get_ref().is_empty() {
                return Err(bad("bytes after the end"));
            }
            let _ = self.pending.split_to(taken);
            let piece = self.take()?;
            if !piece.is_empty() {
                return Ok(Some((piece, Some(self))));
            }
        }
    }

    fn take(&mut self) -> io::Result<Bytes> {
        let piece = std::mem::take(self.decoder.get_mut());
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(length).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(Bytes::from(piece))
    }
}

fn bad(cause: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("gzip: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use futures_util::TryStreamExt as _;
    use proptest::prelude::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn run(body: &[u8], chunk: usize, limit: Option<u64>) -> io::Result<Vec<u8>> {
        let chunks: Vec<_> = body.chunks(chunk).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
        let pieces = inflate(stream::iter(chunks), limit).map_ok(|b| b.to_vec());
        futures_util::FutureExt::now_or_never(pieces.try_concat()).unwrap()
    }

    #[test]
    fn bombs_and_cut_bodies_are_refused() {
        let bomb = gzip(&vec![0u8; 64 * 1024 * 1024]);
        assert_eq!(run(&bomb, 65536, Some(1 << 20)).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(run(&bomb, 65536, None).unwrap().len(), 64 * 1024 * 1024);
        let body = gzip(b"0000");
        assert!(run(&body[..body.len() - 3], 5, None).is_err());
        assert!(run(b"0000 not gzip", 5, None).is_err());
        assert!(run(&[&body[..], b"more"].concat(), 500, None).is_err());
        assert_eq!(run(b"", 5, None).unwrap(), b"");
    }

    proptest! {
        #[test]
        fn inflates_what_was_deflated(bytes in proptest::collection::vec(any::<u8>(), 0..5000), chunk in 1usize..700) {
            prop_assert_eq!(run(&gzip(&bytes), chunk, Some(5000)).unwrap(), bytes);
        }

        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = run(&bytes, 7, Some(1000));
            let _ = run(&[&[0x1f, 0x8b, 8, 0][..], &bytes].concat(), 7, Some(1000));
        }
    }
}
