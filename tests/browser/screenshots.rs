//! The page in three widths, light and dark, as files for whoever wants to look: `target/screenshots`.

use std::collections::HashSet;
use std::path::Path;

use super::pictures::in_view_shown;
use super::states;

const SIZES: [(u32, u32); 3] = [(360, 740), (1280, 800), (3840, 2160)];

/// Decoded, and a frame later: or the screenshot is that of the frame before.
const PICTURES_DRAWN: &str = "Promise.all([...document.images]
    .filter((picture) => picture.complete && picture.naturalWidth > 0)
    .map((picture) => picture.decode()))
    .then(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn()))))";

#[actix_web::test]
async fn every_state_is_drawn_in_three_widths_light_and_dark() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    states::each(async |state, tab| {
        for (width, height) in SIZES {
            tab.resize(width, height).await;
            for scheme in ["light", "dark"] {
                tab.prefer(scheme).await;
                in_view_shown(tab).await;
                // text alone has some shades; a picture has many
                let expected = if ["people", "person", "photo"].contains(&state) { 200 } else { 8 };
                let what = format!("more than {expected} colours: {state} {width} {scheme}");
                // a picture that is loaded may be drawn a frame later, because it is decoded beside the page's thread
                let (png, size) = tab
                    .until(&what, async || {
                        tab.eval::<()>(PICTURES_DRAWN).await;
                        let png = tab.screenshot().await;
                        let picture = image::load_from_memory(&png).unwrap().into_rgb8();
                        let colours: HashSet<_> = picture.pixels().step_by(97).collect();
                        (colours.len() > expected).then(|| (png, picture.dimensions()))
                    })
                    .await;
                std::fs::write(folder.join(format!("{state}-{width}-{scheme}.png")), png).unwrap();
                assert_eq!(size, (width, height));
            }
        }
        tab.resize(1280, 800).await;
        tab.prefer("light").await;
    })
    .await;
}
