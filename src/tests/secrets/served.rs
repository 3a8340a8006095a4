//! The real program, over real sockets.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use crate::kit::Answer;

/// The real program, with its log open to everything: every thread and every library below us.
pub struct Served {
    process: Child,
    folder: tempfile::TempDir,
    authority: String,
    pub setup_token: String,
}

impl Served {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let authority = probe.local_addr().unwrap().to_string();
        drop(probe);
        let mut process = Command::new(env!("CARGO_BIN_EXE_keywright"))
            .args([
                "serve",
                "--log",
                "trace",
                "--listen",
                &authority,
                "--public-origin",
                &format!("http://{authority}"),
            ])
            .env("KEYWRIGHT_DATA", folder.path().join("data"))
            .stdout(Stdio::piped())
            .stderr(File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let link = lines
            .map(Result::unwrap)
            .find(|line| line.contains("/setup?token="))
            .unwrap();
        let setup_token = link.split_once("token=").unwrap().1.trim().to_owned();
        Self {
            process,
            folder,
            authority,
            setup_token,
        }
    }

    /// One request on a connection of its own.
    pub fn ask(&self, cookie: &str, path: &str, form: Option<&[(&str, &str)]>) -> Answer {
        let body = form.map(|form| serde_urlencoded::to_string(form).unwrap());
        let (method, length) = (
            if body.is_some() { "POST" } else { "GET" },
            body.as_ref().map_or(0, String::len),
        );
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nAccept: text/html\r\nSec-Fetch-Site: same-origin\r\nCookie: {cookie}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{}",
            self.authority,
            body.unwrap_or_default()
        );
        let mut stream = TcpStream::connect(&self.authority).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = axum::http::HeaderMap::new();
        for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
            headers.append(
                axum::http::HeaderName::try_from(name).unwrap(),
                value.parse().unwrap(),
            );
        }
        Answer {
            status,
            headers,
            body: body.to_owned(),
        }
    }

    /// Stops it and gives what it logged.
    pub fn stop(mut self) -> (tempfile::TempDir, Vec<u8>) {
        let stopped = Command::new("kill")
            .args(["-TERM", &self.process.id().to_string()])
            .status();
        assert!(stopped.unwrap().success() && self.process.wait().unwrap().success());
        let log = std::fs::read(self.folder.path().join("log")).unwrap();
        (self.folder, log)
    }
}

pub fn cookie_of(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}
