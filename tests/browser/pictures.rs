//! The pictures of the page in a tab.

use super::driver::Tab;

/// Waits until there are so many, all decoded and visible; those that are lazy are scrolled to. A broken one never gets there.
pub async fn all_shown(tab: &Tab, count: usize) {
    tab.wait_for(&format!(
        "(() => {{
            const pictures = [...document.images];
            const isShown = (picture) => picture.complete && picture.naturalWidth > 0
                && picture.checkVisibility({{ opacityProperty: true, visibilityProperty: true }});
            const missing = pictures.find((picture) => !isShown(picture));
            missing?.scrollIntoView();
            return pictures.length === {count} && !missing;
        }})()"
    ))
    .await;
}
