//! The pictures of a page that is shown in a tab.

use super::driver::Tab;

/// Those of lists and of a large photo: not the page's own icon, and not those of a list behind the present one.
const PICTURES: &str = "[...document.images].filter((picture) => !picture.closest('header, [hidden]'))";

/// Decoded, and not hidden or faded out.
const IS_SHOWN: &str = "((picture) => picture.complete && picture.naturalWidth > 0
    && picture.checkVisibility({ opacityProperty: true, visibilityProperty: true }))";

/// Waits until there are so many, all decoded and visible; those that are lazy are scrolled to. A broken one never gets there.
pub async fn all_shown(tab: &Tab, count: usize) {
    tab.wait_for(&format!(
        "(() => {{
            const pictures = {PICTURES};
            const missing = pictures.find((picture) => !{IS_SHOWN}(picture));
            missing?.scrollIntoView();
            return pictures.length === {count} && !missing;
        }})()"
    ))
    .await;
}

/// Waits until those that can be seen without scrolling are shown, and nothing moves or fades any more.
pub async fn in_view_shown(tab: &Tab) {
    tab.wait_for(&format!(
        "(() => {{
            const isInView = (picture) => {{
                const box = picture.getBoundingClientRect();
                return box.bottom > 0 && box.top < innerHeight;
            }};
            const isStill = document.getAnimations().length === 0;
            return isStill && {PICTURES}.filter(isInView).every({IS_SHOWN});
        }})()"
    ))
    .await;
}
