//! A browser without a screen: keeps its cookie, says where it comes from.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, header};
use http_body_util::BodyExt;
use keywright::server::http::middleware::client_ip::Peer;
use tower::ServiceExt;

pub const ORIGIN: &str = "http://127.0.0.1:3000";
pub const HOST: &str = "127.0.0.1:3000";

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// What lies between two marks.
    pub fn between(&self, from: &str, to: &str) -> &str {
        let start = self
            .body
            .find(from)
            .unwrap_or_else(|| panic!("{from} is not in {}", self.body))
            + from.len();
        let length = self.body[start..].find(to).unwrap();
        &self.body[start..start + length]
    }
}

pub struct Browser {
    router: Router,
    pub cookie: Option<String>,
    /// Sent as `Authorization: Bearer`.
    pub bearer: Option<String>,
    pub peer: String,
    /// What it says it is; empty: nothing.
    pub agent: &'static str,
}

/// Server functions are called by script, which asks for data.
fn accept_of(path: &str) -> &'static str {
    if path.starts_with("/api/") {
        "application/json"
    } else {
        "text/html"
    }
}

impl Browser {
    pub fn new(router: Router) -> Self {
        Self {
            router,
            cookie: None,
            bearer: None,
            peer: "203.0.113.7:4711".to_owned(),
            agent: "",
        }
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = serde_urlencoded::to_string(fields).unwrap();
        self.send(Method::POST, path, Some(body)).await
    }

    /// A form that is written down already.
    pub async fn post_body(&mut self, path: &str, body: &str) -> Answer {
        self.send(Method::POST, path, Some(body.to_owned())).await
    }

    /// A form with a file.
    pub async fn upload(&mut self, path: &str, project: &str, file: &[u8]) -> Answer {
        let part = |rest: &str| format!("--border\r\nContent-Disposition: form-data; {rest}\r\n\r\n");
        let body = [
            part("name=\"project\"").as_bytes(),
            project.as_bytes(),
            b"\r\n",
            part("name=\"file\"; filename=\"legacy.csv\"\r\nContent-Type: text/csv").as_bytes(),
            file,
            b"\r\n--border--\r\n",
        ]
        .concat();
        self.send_as(
            Method::POST,
            path,
            Some(("multipart/form-data; boundary=border", body)),
        )
        .await
    }

    async fn send(&mut self, method: Method, path: &str, body: Option<String>) -> Answer {
        let body = body.map(|body| ("application/x-www-form-urlencoded", body.into_bytes()));
        self.send_as(method, path, body).await
    }

    async fn send_as(&mut self, method: Method, path: &str, body: Option<(&str, Vec<u8>)>) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, HOST)
            .header(header::ACCEPT, accept_of(path));
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, format!("kw_s={cookie}"));
        }
        if let Some(token) = &self.bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if !self.agent.is_empty() {
            request = request.header(header::USER_AGENT, self.agent);
        }
        if let Some((media_type, _)) = &body {
            request = request
                .header(header::CONTENT_TYPE, *media_type)
                .header("sec-fetch-site", "same-origin");
        }
        let body = body.map(|(_, body)| body).unwrap_or_default();
        let mut request = request.body(Body::from(body)).unwrap();
        request.extensions_mut().insert(Peer(self.peer.parse().unwrap()));
        let answer = Answer::read(self.router.clone().oneshot(request).await.unwrap()).await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            if let Some(value) = cookie.to_str().unwrap().strip_prefix("kw_s=") {
                let value = value.split(';').next().unwrap().to_owned();
                self.cookie = (!value.is_empty()).then_some(value);
            }
        }
        answer
    }
}
