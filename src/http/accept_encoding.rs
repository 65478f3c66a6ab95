//! `Accept-Encoding` (RFC 9110, 12.5.3): which coding a client wants.

use actix_web::http::header::{self, HeaderMap};

use crate::gallery::Coding;

/// Quality in thousandths.
const FULL: u16 = 1000;

/// The coding that the client likes best; among equals the first of [`Coding::BY_PREFERENCE`].
///
/// Without the header, and when nothing that is offered is accepted, it is `identity`: the contract knows no 406, and a client
/// that reads JSON can read it.
pub(super) fn preferred(headers: &HeaderMap) -> Coding {
    let mut fields = headers.get_all(header::ACCEPT_ENCODING);
    let Some(first) = fields.next() else { return Coding::Identity };
    match first.as_bytes() {
        // what browsers, curl and HTTP libraries send, without the work below
        b"gzip, deflate, br, zstd" | b"gzip, br, zstd, deflate" => Coding::Zstd,
        b"gzip, deflate, br" | b"br, gzip, deflate" => Coding::Brotli,
        b"gzip, deflate" | b"gzip" => Coding::Gzip,
        b"identity" => Coding::Identity,
        _ => {
            let mut wishes = Wishes::default();
            for field in std::iter::once(first).chain(fields) {
                field.as_bytes().split(|byte| *byte == b',').for_each(|item| wishes.read(item));
            }
            wishes.best()
        }
    }
}

/// The quality of each coding that was named.
#[derive(Default)]
struct Wishes {
    zstd: Option<u16>,
    brotli: Option<u16>,
    gzip: Option<u16>,
    identity: Option<u16>,
    /// `*`: all that are not named.
    others: Option<u16>,
}

impl Wishes {
    fn read(&mut self, item: &[u8]) {
        let mut parts = item.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let name = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| {
            let (name, value) = part.split_at_checked(2)?;
            name.eq_ignore_ascii_case(b"q=").then(|| thousandths(value))
        });
        let place = match name.to_ascii_lowercase().as_slice() {
            b"zstd" => &mut self.zstd,
            b"br" => &mut self.brotli,
            b"gzip" | b"x-gzip" => &mut self.gzip,
            b"identity" => &mut self.identity,
            b"*" => &mut self.others,
            _ => return,
        };
        *place = Some(quality.unwrap_or(FULL));
    }

    fn best(&self) -> Coding {
        let others = self.others.unwrap_or(0);
        let quality = |coding| match coding {
            Coding::Zstd => self.zstd.unwrap_or(others),
            Coding::Brotli => self.brotli.unwrap_or(others),
            Coding::Gzip => self.gzip.unwrap_or(others),
            // accepted unless it is refused, but whoever names another one wants that
            Coding::Identity => self.identity.unwrap_or(0),
        };
        let mut best = (Coding::Identity, 0);
        for coding in Coding::BY_PREFERENCE {
            if quality(coding) > best.1 {
                best = (coding, quality(coding));
            }
        }
        best.0
    }
}

/// `0`, `1`, `0.5` … as thousandths; an odd value is no wish at all.
fn thousandths(value: &[u8]) -> u16 {
    let value = std::str::from_utf8(value).ok().and_then(|text| text.trim().parse::<f32>().ok());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    value.filter(|value| (0.0..=1.0).contains(value)).map_or(0, |value| (value * 1000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn preferred_of(fields: &[&str]) -> Coding {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(header::ACCEPT_ENCODING, HeaderValue::from_str(field).unwrap());
        }
        preferred(&headers)
    }

    #[test]
    fn the_coding_with_the_highest_quality_wins_and_ours_among_equals() {
        use Coding::{Brotli, Gzip, Identity, Zstd};
        for (fields, coding) in [
            (&[][..], Identity),
            (&[""], Identity),
            (&["identity"], Identity),
            (&["gzip, deflate, br, zstd"], Zstd),
            (&["gzip, deflate, br"], Brotli),
            (&["gzip, deflate"], Gzip),
            (&["gzip"], Gzip),
            (&["GZip"], Gzip),
            (&["x-gzip"], Gzip),
            (&["deflate, compress"], Identity),
            (&["gzip;q=1, br;q=0.5"], Gzip),
            (&["gzip; Q=0.2 ,br ; q=0.201"], Brotli),
            (&["gzip;q=0.8, identity"], Identity),
            (&["gzip;q=0.8, identity;q=0.8"], Gzip),
            (&["gzip;q=0"], Identity),
            (&["gzip;q=0, *"], Zstd),
            (&["*"], Zstd),
            (&["*;q=0"], Identity),
            (&["*;q=0, gzip"], Gzip),
            (&["zstd;q=0, *;q=0.1"], Brotli),
            (&["identity;q=0"], Identity),
            (&["identity;q=0, gzip;q=0.001"], Gzip),
            (&["gzip;q=2"], Identity),
            (&["gzip;q=nan, br;q=-1"], Identity),
            (&["deflate", "br"], Brotli),
        ] {
            assert_eq!(preferred_of(fields), coding, "{fields:?}");
        }
    }

    proptest! {
        #[test]
        fn any_header_has_an_answer_and_none_that_it_refuses(field in "[ -~]{0,60}") {
            let coding = preferred_of(&[&field]);
            if coding != Coding::Identity {
                prop_assert!(field.to_lowercase().contains(coding.name()) || field.contains('*'));
            }
        }

        #[test]
        fn the_short_way_and_the_long_way_agree(
            known in prop::sample::select(vec![
                "gzip, deflate, br, zstd", "gzip, br, zstd, deflate", "gzip, deflate, br", "br, gzip, deflate", "gzip, deflate", "gzip", "identity",
            ]),
        ) {
            prop_assert_eq!(preferred_of(&[known]), preferred_of(&[known, ""]));
        }
    }
}
