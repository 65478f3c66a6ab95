//! The page in three widths, light and dark, as files for whoever wants to look: `target/screenshots`.

use std::collections::HashSet;
use std::path::Path;

use super::pictures::in_view_shown;
use super::states;

const SIZES: [(u32, u32); 3] = [(360, 740), (1280, 800), (3840, 2160)];

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
                let png = tab.screenshot().await;
                std::fs::write(folder.join(format!("{state}-{width}-{scheme}.png")), &png).unwrap();
                let picture = image::load_from_memory(&png).unwrap().into_rgb8();
                assert_eq!(picture.dimensions(), (width, height));
                // text alone has some shades; a picture has many
                let colours: HashSet<_> = picture.pixels().step_by(97).collect();
                let expected = if ["people", "person", "photo"].contains(&state) { 200 } else { 8 };
                assert!(colours.len() > expected, "{state} {width} {scheme}: {} colours", colours.len());
            }
        }
        tab.resize(1280, 800).await;
        tab.prefer("light").await;
    })
    .await;
}
