//! The page's accessibility as axe-core sees it: names, roles, contrasts, what belongs into what.

use std::path::Path;

use serde_json::Value;

use super::states;

#[actix_web::test]
async fn axe_finds_nothing_serious_in_any_state_light_and_dark() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/node_modules/axe-core/axe.min.js");
    let script =
        std::fs::read_to_string(script).expect("axe-core is not installed: run ./scripts/test --peers");
    states::each(async |state, tab| {
        for scheme in ["light", "dark"] {
            tab.prefer(scheme).await;
            tab.eval::<Value>(&format!("{script}; null")).await;
            let report: Value = tab.eval("axe.run(document).then(({ passes, violations }) => ({ passes: passes.length, violations }))").await;
            assert!(report["passes"].as_u64().unwrap() > 10, "{state} {scheme}: {report:#}");
            let violations = report["violations"].as_array().unwrap();
            let is_serious = |violation: &&Value| ["serious", "critical"].iter().any(|impact| violation["impact"] == *impact);
            let serious: Vec<_> = violations.iter().filter(is_serious).collect();
            assert!(serious.is_empty(), "{state} {scheme}: {serious:#?}");
            for violation in violations {
                println!("{state} {scheme}: {} ({})", violation["help"], violation["impact"]);
            }
        }
    })
    .await;
}
