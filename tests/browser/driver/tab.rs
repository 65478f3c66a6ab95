//! A tab: goes to pages, asks them by JavaScript, presses keys, takes pictures of them.

use base64::Engine;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{PATIENCE, Wire, troubles};

/// How often a page is asked again whether it is ready.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

pub struct Tab {
    wire: Wire,
    target: String,
    session: String,
}

impl Tab {
    pub(super) async fn open(wire: Wire) -> Self {
        let call = async |method, params| wire.call(None, method, params).await.unwrap();
        let target = call("Target.createTarget", json!({"url": "about:blank"})).await;
        let target = target["targetId"].as_str().unwrap().to_owned();
        let attached = call("Target.attachToTarget", json!({"targetId": target, "flatten": true})).await;
        let session = attached["sessionId"].as_str().unwrap().to_owned();
        let tab = Self { wire, target, session };
        for domain in ["Page", "Runtime", "Log", "Network", "Audits"] {
            tab.call(&format!("{domain}.enable"), json!({})).await;
        }
        tab.resize(1280, 800).await;
        tab
    }

    pub async fn call(&self, method: &str, params: Value) -> Value {
        self.wire.call(Some(&self.session), method, params).await.unwrap_or_else(|error| panic!("{error}"))
    }

    pub async fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// As a system set to `light` or `dark`, without animations.
    pub async fn prefer(&self, scheme: &str) {
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.call("Emulation.setEmulatedMedia", json!({"features": features})).await;
    }

    /// Goes there and waits for the page's `load`.
    pub async fn go_to(&self, url: &str) {
        self.loading(async {
            let answer = self.call("Page.navigate", json!({"url": url})).await;
            assert!(answer["errorText"].is_null(), "{url}: {answer}");
            assert!(answer["loaderId"].is_string(), "{url} is the page that is there already");
        })
        .await;
    }

    /// As F5 does.
    pub async fn reload(&self) {
        self.loading(async {
            self.call("Page.reload", json!({})).await;
        })
        .await;
    }

    async fn loading(&self, start: impl Future<Output = ()>) {
        let loads = self.events("Page.loadEventFired").len();
        start.await;
        self.until("load", async || (self.events("Page.loadEventFired").len() > loads).then_some(())).await;
    }

    pub async fn close(self) {
        self.wire.call(None, "Target.closeTarget", json!({"targetId": self.target})).await.unwrap();
    }

    /// What an expression is, promises awaited.
    pub async fn eval<T: DeserializeOwned>(&self, expression: &str) -> T {
        let found = self.try_eval(expression).await.unwrap_or_else(|error| panic!("{expression}: {error}"));
        serde_json::from_value(found.clone()).unwrap_or_else(|error| panic!("{expression}: {error}: {found}"))
    }

    async fn try_eval(&self, expression: &str) -> Result<Value, String> {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.wire.call(Some(&self.session), "Runtime.evaluate", params).await?;
        match answer.get("exceptionDetails") {
            Some(thrown) => Err(thrown.to_string()),
            None => Ok(answer["result"]["value"].take()),
        }
    }

    /// Waits until an expression is true.
    pub async fn wait_for(&self, expression: &str) {
        // while a page goes away there is nobody to ask
        self.until(expression, async || (self.try_eval(expression).await == Ok(true.into())).then_some(()))
            .await;
    }

    /// Asks until there is an answer; fails with what the page shows when there is none.
    pub async fn until<T>(&self, what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
        let asking = async {
            loop {
                if let Some(answer) = ask().await {
                    return answer;
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        if let Ok(answer) = tokio::time::timeout(PATIENCE, asking).await {
            return answer;
        }
        let page = self.try_eval("location.href + '\\n' + document.body.innerText").await;
        let troubles = troubles::found_in(&self.wire.events());
        panic!("in vain: {what}\n{page:?}\n{troubles:#?}");
    }

    /// Clicks with the mouse on the middle of the first such element.
    pub async fn click(&self, selector: &str) {
        let middle = format!(
            "(() => {{
                const element = document.querySelector(\"{selector}\");
                element.scrollIntoView({{ block: 'nearest', behavior: 'instant' }});
                const box = element.getBoundingClientRect();
                return [box.left + box.width / 2, box.top + box.height / 2];
            }})()"
        );
        let (x, y): (f64, f64) = self.eval(&middle).await;
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", event).await;
        }
    }

    /// `Tab`, `Enter`, `Escape` or `ArrowRight`, pressed and released.
    pub async fn press(&self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            "ArrowRight" => (39, ""),
            other => panic!("no key {other}"),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code});
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = text.into();
            }
            self.call("Input.dispatchKeyEvent", event).await;
        }
    }

    /// The back button.
    pub async fn back(&self) {
        let history = self.call("Page.getNavigationHistory", json!({})).await;
        let entry = usize::try_from(history["currentIndex"].as_u64().unwrap()).unwrap();
        let before = &history["entries"][entry.checked_sub(1).expect("a page before")];
        self.call("Page.navigateToHistoryEntry", json!({"entryId": before["id"]})).await;
    }

    /// A PNG of what is in view.
    pub async fn screenshot(&self) -> Vec<u8> {
        let answer =
            self.call("Page.captureScreenshot", json!({"format": "png", "optimizeForSpeed": true})).await;
        base64::engine::general_purpose::STANDARD.decode(answer["data"].as_str().unwrap()).unwrap()
    }

    /// The parameters of this tab's events of one kind so far.
    pub fn events(&self, method: &str) -> Vec<Value> {
        let events = self.wire.events();
        let mine =
            events.iter().filter(|event| event["sessionId"] == self.session && event["method"] == method);
        mine.map(|event| event["params"].clone()).collect()
    }

    /// The URLs that this tab has asked for so far whose text contains `part`, those answered from a cache included.
    pub fn requests(&self, part: &str) -> Vec<String> {
        let requests = self.events("Network.requestWillBeSent");
        let urls = requests.iter().filter_map(|event| event["request"]["url"].as_str());
        urls.filter(|url| url.contains(part)).map(str::to_owned).collect()
    }
}
