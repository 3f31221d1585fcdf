//! Starts the binary in a folder of its own and ends it with the test. The tests speak to it as any client does.

use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Certificate, Client, ClientBuilder, Method, Response};
use serde_json::{Value, json};

static FOLDERS: AtomicU32 = AtomicU32::new(0);

pub struct Sandbox {
    child: Child,
    pub dir: PathBuf,
    pub ports: Value,
    control: Client,
}

impl Sandbox {
    pub fn start() -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("sandbox-crm-test-{}-{number}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        let _none = std::fs::remove_dir_all(&dir);
        Self::start_in(dir)
    }

    pub fn start_in(dir: PathBuf) -> Self {
        // Another test of this process may have been first.
        let _second = rustls::crypto::ring::default_provider().install_default();
        let child = Command::new(env!("CARGO_BIN_EXE_sandbox-crm"))
            .arg("--dir")
            .arg(&dir)
            .spawn()
            .unwrap();
        let started = Instant::now();
        let ports = loop {
            if let Ok(text) = std::fs::read(dir.join("sandbox.json")) {
                break serde_json::from_slice(&text).unwrap();
            }
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "the sandbox does not become ready"
            );
            std::thread::sleep(Duration::from_millis(5));
        };
        let control = Client::builder().no_proxy().build().unwrap();
        Self {
            child,
            dir,
            ports,
            control,
        }
    }

    /// Asked to end, not killed.
    pub fn terminate(&mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        self.child.wait().unwrap()
    }

    pub fn tls(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.ports["tls_port"])
    }

    pub fn plain(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.ports["plain_port"])
    }

    /// A client with the key and the sandbox's CA, no redirects, no connection kept.
    pub fn client(&self, key: &str) -> ClientBuilder {
        let ca = std::fs::read(self.dir.join("ca.pem")).unwrap();
        let headers = [
            ("authorization", format!("Bearer {key}")),
            ("accept", "application/json".into()),
        ];
        Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(0)
            .timeout(Duration::from_secs(20))
            .tls_certs_only([Certificate::from_pem(&ca).unwrap()])
            .default_headers(
                headers
                    .iter()
                    .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                    .collect(),
            )
    }

    /// A client without a credential.
    pub fn anonymous(&self) -> Client {
        let ca = std::fs::read(self.dir.join("ca.pem")).unwrap();
        Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(20))
            .tls_certs_only([Certificate::from_pem(&ca).unwrap()])
            .build()
            .unwrap()
    }

    /// A call of the control API that has to succeed.
    pub async fn tell(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.control(method, path, body).await;
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub async fn control(&self, method: &str, path: &str, body: Value) -> Response {
        let url = format!("http://127.0.0.1:{}{path}", self.ports["control_port"]);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.control.request(method, url);
        let request = match body {
            Value::Null => request,
            body => request.json(&body),
        };
        request.send().await.unwrap()
    }

    pub async fn ask(&self, path: &str) -> Value {
        self.tell("GET", path, Value::Null).await
    }

    /// A tenant `name` with the key `key-name`.
    pub async fn tenant(&self, name: &str, mut config: Value) {
        config["id"] = json!(name);
        config["key"] = json!(format!("key-{name}"));
        self.tell("POST", "/tenants", config).await;
    }

    pub async fn seed(&self, tenant: &str, count: usize) {
        let seed = json!({ "tenant": tenant, "object": "leads", "count": count });
        self.tell("POST", "/seed", seed).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // A test that failed half-way leaves the process running.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
        let _gone = std::fs::remove_dir_all(&self.dir);
    }
}

pub async fn json_of(answer: Response) -> Value {
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}
