//! What a screen reader gets to know, from Chromium's own accessibility tree. `--peers` adds axe-core.

use serde_json::{Value, json};

use super::driver::Tab;
use super::states;

/// What must have a name, or nobody knows what it is for.
const NAMED: [&str; 8] =
    ["button", "complementary", "dialog", "heading", "image", "link", "RootWebArea", "term"];

async fn tree(tab: &Tab) -> Vec<Node> {
    tab.call("Accessibility.enable", json!({})).await;
    let tree = tab.call("Accessibility.getFullAXTree", json!({})).await;
    let nodes = tree["nodes"].as_array().unwrap().iter();
    nodes.filter(|node| node["ignored"] == false).map(Node::from).collect()
}

#[derive(Debug)]
struct Node {
    role: String,
    name: String,
    level: Option<u64>,
}

impl From<&Value> for Node {
    fn from(node: &Value) -> Self {
        let text = |name: &str| node[name]["value"].as_str().unwrap_or_default().to_owned();
        let level = node["properties"].as_array().into_iter().flatten().find(|one| one["name"] == "level");
        let level = level.and_then(|level| level["value"]["value"].as_u64());
        Self { role: text("role"), name: text("name"), level }
    }
}

#[actix_web::test]
async fn whatever_can_be_used_has_a_name_and_a_place() {
    states::each(async |state, tab| {
        let nodes = tree(tab).await;
        for node in &nodes {
            assert!(
                !NAMED.contains(&&*node.role) || !node.name.trim().is_empty(),
                "{state}: {node:?} has no name: {nodes:#?}"
            );
        }
        let count = |role: &str| nodes.iter().filter(|node| node.role == role).count();
        if state == "photo" {
            // what is behind a modal dialog is not there
            assert_eq!(count("dialog"), 1, "{nodes:#?}");
            assert!(count("image") >= 1 && count("button") >= 3, "{nodes:#?}");
            return;
        }
        for landmark in ["banner", "main", "complementary"] {
            assert_eq!(count(landmark), 1, "{state}: {landmark}: {nodes:#?}");
        }
        let headings = nodes.iter().filter(|node| node.role == "heading");
        let levels: Vec<u64> = headings.filter_map(|node| node.level).collect();
        assert_eq!(levels, [1], "{state}: {nodes:#?}");
        let pictures = match state {
            "people" | "person" => 24,
            _ => 0,
        };
        // one person has no picture, and that is said in its place
        assert_eq!(count("image"), pictures, "{state}: {nodes:#?}");
    })
    .await;
}
