//! A headless Chromium, driven over the pipe of its `DevTools` protocol: no port, no driver program
//! and no library.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// How long one command may take; a machine that is busy otherwise may need most of it.
const PATIENCE: Duration = Duration::from_secs(180);

/// A browser with one page.
#[derive(Debug)]
pub struct Browser {
    process: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    number: u64,
    session: Option<String>,
    events: Vec<Value>,
    /// What addresses of the page's own begin with.
    own: String,
    _profile: tempfile::TempDir,
}

/// The browser's program; `None`, with a word about it, where there is none.
pub fn program() -> Option<String> {
    let named = std::env::var("SURENESS_CHROMIUM").ok();
    let usual = ["chromium", "chromium-browser", "google-chrome"].map(str::to_owned);
    let found = named.into_iter().chain(usual).find(|program| {
        Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    });
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI needs Chromium");
        println!("skipped: no Chromium (SURENESS_CHROMIUM may name one)");
    }
    found
}

impl Browser {
    /// Starts the browser with an empty page.
    pub fn start(program: &str) -> Self {
        let profile = tempfile::tempdir().unwrap();
        // Chromium reads commands from descriptor 3 and answers on 4.
        let mut process = Command::new("sh")
            .args([
                "-c",
                "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1",
            ])
            .arg(program)
            .args(["--headless=new", "--remote-debugging-pipe", "--no-sandbox"])
            .args(["--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            .args(["--hide-scrollbars", "--disable-extensions"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = process.stdin.take().unwrap();
        let answers = process.stdout.take().unwrap();
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(answers).split(0) {
                let Ok(message) = message else { break };
                let message = serde_json::from_slice(&message).unwrap();
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut browser = Self {
            process,
            commands,
            messages,
            number: 0,
            session: None,
            events: Vec::new(),
            own: String::new(),
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let target = &target["targetId"];
        let attach = json!({ "targetId": target, "flatten": true });
        let session = browser.call("Target.attachToTarget", attach);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Calls a method and gives its result.
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.attempt(method, parameters)
            .unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Calls a method; gives its result or its error.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "parameters are made where they are passed"
    )]
    fn attempt(&mut self, method: &str, parameters: Value) -> Result<Value, Value> {
        self.number += 1;
        let mut command = json!({ "id": self.number, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        self.commands
            .write_all(format!("{command}\0").as_bytes())
            .unwrap();
        loop {
            let message = self.next(method);
            if message["id"] == self.number {
                return match &message["error"] {
                    Value::Null => Ok(message["result"].clone()),
                    error => Err(error.clone()),
                };
            }
            self.events.push(message);
        }
    }

    fn next(&self, what: &str) -> Value {
        self.messages
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|e| panic!("Chromium does not answer to {what}: {e}"))
    }

    /// Opens a file and waits until it is loaded.
    pub fn open(&mut self, file: &Path) {
        self.go("file://", &format!("file://{}", file.display()));
    }

    /// Opens a page of a server, such as `http://127.0.0.1:8080/`, and waits until it is loaded.
    ///
    /// # Panics
    ///
    /// If the address has no host.
    pub fn visit(&mut self, url: &str) {
        let (scheme, rest) = url.split_once("://").unwrap();
        let host = rest.split('/').next().unwrap();
        self.go(&format!("{scheme}://{host}/"), url);
    }

    fn go(&mut self, own: &str, url: &str) {
        self.events.clear();
        own.clone_into(&mut self.own);
        self.call("Page.navigate", json!({ "url": url }));
        let loaded = |e: &Value| e["method"] == "Page.loadEventFired";
        while !self.events.iter().any(loaded) {
            let event = self.next("the page");
            self.events.push(event);
        }
    }

    /// The value of an expression; promises are waited for.
    pub fn eval(&mut self, expression: &str) -> Value {
        let result = self.call(
            "Runtime.evaluate",
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true }),
        );
        assert!(
            result["exceptionDetails"].is_null(),
            "{expression}: {}",
            result["exceptionDetails"]
        );
        result["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub fn wait_for(&mut self, expression: &str) {
        let came = self.eval(&format!(
            "new Promise((done) => {{
               const until = Date.now() + 120000;
               const look = () => (({expression}) ? done(true)
                 : Date.now() > until ? done(false) : setTimeout(look, 20));
               look();
             }})"
        ));
        assert_eq!(came, true, "never came: {expression}");
    }

    /// Waits until an expression is true of this page or of the one that follows it.
    pub fn wait_for_page(&mut self, expression: &str) {
        crate::wait_for(
            || format!("never came: {expression}"),
            || {
                let parameters = json!({ "expression": expression, "returnByValue": true });
                let found = self.attempt("Runtime.evaluate", parameters);
                found.is_ok_and(|found| found["result"]["value"] == true)
            },
        );
    }

    /// Types a text where the focus is.
    pub fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Presses and releases a key, such as `ArrowDown`.
    pub fn press(&mut self, key: &str, code: u32) {
        // Enter presses a button only where it comes as a character too.
        let text = if key == "Enter" { "\r" } else { "" };
        for kind in ["keyDown", "keyUp"] {
            self.call(
                "Input.dispatchKeyEvent",
                json!({
                    "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code,
                    "text": text,
                }),
            );
        }
    }

    /// Gives the page another size, in CSS pixels.
    pub fn resize(&mut self, width: u32, height: u32) {
        let mobile = width < 600;
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile }),
        );
    }

    /// Keeps a picture of what is seen in the folder that `SURENESS_SCREENSHOTS` names, for people
    /// to look at.
    pub fn screenshot(&mut self, name: &str) {
        if let Some(folder) = std::env::var_os("SURENESS_SCREENSHOTS") {
            let picture = self.call("Page.captureScreenshot", json!({}));
            let bytes = base64(picture["data"].as_str().unwrap());
            std::fs::write(Path::new(&folder).join(name), bytes).unwrap();
        }
    }

    /// The page as it would be printed.
    pub fn pdf(&mut self) -> Vec<u8> {
        let pdf = self.call(
            "Page.printToPDF",
            json!({ "printBackground": true, "preferCSSPageSize": true }),
        );
        base64(pdf["data"].as_str().unwrap())
    }

    /// What went wrong since the page was opened: messages in the console, exceptions, and
    /// requests for anything but a file itself or addresses of the page's server.
    pub fn complaints(&mut self) -> Vec<String> {
        // Whatever was under way is heard before the answer to this.
        self.eval("new Promise((done) => setTimeout(done, 100))");
        let mut pages = 0;
        let mut complaints = Vec::new();
        for event in &self.events {
            let of_interest = match event["method"].as_str().unwrap_or_default() {
                "Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Log.entryAdded" => true,
                // Leaving a page cancels what it has asked for.
                "Network.loadingFailed" => event["params"]["canceled"] != true,
                "Network.requestWillBeSent" => {
                    let url = event["params"]["request"]["url"]
                        .as_str()
                        .unwrap_or_default();
                    let is_file = url.starts_with("file://");
                    pages += usize::from(is_file);
                    !url.starts_with(&self.own) && !url.starts_with("data:") || pages > 1
                }
                _ => false,
            };
            if of_interest {
                complaints.push(event.to_string());
            }
        }
        complaints
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let close = json!({ "id": 0, "method": "Browser.close" });
        let _ = self.commands.write_all(format!("{close}\0").as_bytes());
        // It closes in a moment; one that hangs is not waited for.
        for _ in 0..50 {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The bytes of a text in Base64.
fn base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut group, mut bits) = (0_u32, 0);
    for digit in text.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        group = group << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((group >> bits) as u8);
        }
    }
    bytes
}
