//! The server under load, as others meet it: over sockets, with a schedule that waits for no answer (an open loop), so that a
//! request that is held up holds up the figures and not the load.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Outcome;
use crate::cargo::{self, Metadata};

/// Connections that ask.
const CONNECTIONS: usize = 200;
/// Requests a second over all of them.
const RATE: u32 = 300;
/// Connections that send a byte of a head each few seconds.
const SLOW: usize = 1000;
/// What is asked, in turn.
const ASKED: [&str; 6] = [
    "/api/v1/devices?limit=50",
    "/api/v1/devices?q=maker:quectel&sort=-severity",
    "/api/v1/devices/facets",
    "/api/v1/findings?limit=50",
    "/api/v1/devices?q=cellular:yes%20confidence%3E0.8",
    "/api/v1/devices/DEVICE",
];

/// Measures and prints a table.
pub fn run(devices: u64, seconds: u32, profile: &str) -> Outcome {
    let metadata = Metadata::load()?;
    let binary = cargo::binary(&metadata, profile)?;
    let dir = metadata.target_directory.join("bench");
    let home = dir.join("serve-home");
    let _ = fs::remove_dir_all(&home);
    fs::create_dir_all(&home).map_err(|e| format!("{}: {e}", home.display()))?;
    let sims = dir.join(format!("sims-{devices}.csv"));
    if !sims.exists() {
        crate::make_sims(devices, &sims, 1)?;
    }
    println!("{}, profile {profile}, {devices} devices\n", crate::bench::machine());
    let server = Serving::start(&binary, &home)?;
    let idle = server.rss();
    let begun = Instant::now();
    let token = server.prepare(&sims).map_err(|e| format!("the server could not be filled: {e}"))?;
    println!("import and first answer: {:.1} s", begun.elapsed().as_secs_f64());
    println!("resident: {} MB after the start, {} MB after the import\n", shown(idle), shown(server.rss()));
    let device = server.device(&token).map_err(|e| e.to_string())?;
    let asked: Vec<String> = ASKED.iter().map(|p| p.replace("DEVICE", &device)).collect();
    println!("| load | requests | errors | p50 ms | p99 ms | slowest ms | MB |\n|---|---|---|---|---|---|---|");
    let row = |what: &str, heard: &Heard| {
        let at = |part: f64| heard.at(part);
        let errors = heard.errors;
        println!("| {what} | {} | {errors} | {} | {} | {} | {} |", heard.ms.len(), at(0.5), at(0.99), at(1.0), shown(server.rss()));
    };
    let quiet = server.load(&token, &asked, seconds);
    row(&format!("{RATE}/s for {seconds} s from {CONNECTIONS} connections"), &quiet);
    let (ends, held) = (AtomicBool::new(false), AtomicUsize::new(0));
    let slow = std::thread::scope(|scope| {
        scope.spawn(|| server.hold(&ends, &held));
        std::thread::sleep(Duration::from_secs(3));
        let heard = server.load(&token, &asked, seconds);
        ends.store(true, Ordering::SeqCst);
        heard
    });
    row(&format!("the same beside {} slow connections", held.load(Ordering::SeqCst)), &slow);
    Ok(())
}

fn shown(mb: Option<u64>) -> String {
    mb.map_or_else(|| "–".into(), |mb| mb.to_string())
}

/// What came back.
#[derive(Default)]
struct Heard {
    /// From the time at which a request was to be sent to the last byte of its answer.
    ms: Vec<f64>,
    /// Other answers than 200, and none.
    errors: usize,
}

impl Heard {
    fn at(&self, part: f64) -> String {
        let mut all = self.ms.clone();
        all.sort_by(f64::total_cmp);
        let n = ((all.len() as f64 * part).ceil() as usize).clamp(1, all.len().max(1));
        all.get(n - 1).map_or_else(|| "–".into(), |ms| format!("{ms:.1}"))
    }
}

struct Serving {
    child: Child,
    address: String,
    link: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Serving {
    fn start(binary: &Path, home: &Path) -> Result<Self, String> {
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--log", "off", "--home"]).arg(home);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().map_err(|e| e.to_string())?;
        let out = child.stdout.take().ok_or("the server has no standard output")?;
        let lines: Vec<String> = BufReader::new(out).lines().take(3).map_while(Result::ok).collect();
        let after = |n: usize, what: &str| {
            let found = lines.get(n).and_then(|l| l.trim().split_once(what)).map(|(_, rest)| rest.to_owned());
            found.ok_or_else(|| format!("the server said something else: {lines:?}"))
        };
        let address = after(0, "http://")?;
        let link = after(2, &address)?;
        std::thread::sleep(Duration::from_secs(1));
        Ok(Self { child, address, link })
    }

    /// Megabytes that are resident.
    fn rss(&self) -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
    }

    fn connect(&self) -> io::Result<Connection> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Connection { stream: BufReader::new(stream), host: self.address.clone() })
    }

    /// Makes the first user and a token, and brings the evidence in.
    fn prepare(&self, sims: &Path) -> io::Result<String> {
        // Of this run alone; it may not hold the login.
        let password = format!("seven-quiet-lamps-{}-{}", std::process::id(), std::time::UNIX_EPOCH.elapsed().map_or(0, |d| d.as_nanos()));
        let form = format!("login=bench&name=Bench&password={password}&again={password}");
        let mut connection = self.connect()?;
        let answer = connection.ask("POST", &self.link, &["content-type: application/x-www-form-urlencoded"], form.as_bytes())?;
        let cookie = answer.header("set-cookie").and_then(|c| c.split(';').next()).map(|c| format!("cookie: {c}"));
        let cookie = cookie.ok_or_else(|| io::Error::other(format!("nobody was signed in: {}", answer.status)))?;
        let me = connection.ask("GET", "/api/v1/me", &[&cookie], b"")?.json()?;
        let csrf = format!("x-csrf-token: {}", me.get("csrf").and_then(Value::as_str).unwrap_or_default());
        let wanted = br#"{"name": "bench", "scopes": ["read", "import"]}"#;
        let made = connection.ask("POST", "/api/v1/tokens", &[&cookie, &csrf, "content-type: application/json"], wanted)?.json()?;
        let token = made.get("secret").and_then(Value::as_str).ok_or_else(|| io::Error::other(format!("no token: {made}")))?;
        let token = format!("authorization: Bearer {token}");
        let bytes = fs::read(sims)?;
        let kept = connection.ask("POST", "/api/v1/evidence?name=sims.csv", &[&token], &bytes)?.json()?;
        let job = kept.get("job").and_then(Value::as_i64).ok_or_else(|| io::Error::other(format!("no job: {kept}")))?;
        for _ in 0..1200 {
            let state = connection.ask("GET", &format!("/api/v1/jobs/{job}"), &[&token], b"")?.json()?;
            match state.get("state").and_then(Value::as_str) {
                Some("done") => return Ok(token),
                Some("failed") => return Err(io::Error::other(state.to_string())),
                _ => std::thread::sleep(Duration::from_millis(500)),
            }
        }
        Err(io::Error::other("the import does not end"))
    }

    /// One of the devices.
    fn device(&self, token: &str) -> io::Result<String> {
        let list = self.connect()?.ask("GET", "/api/v1/devices?limit=1", &[token], b"")?.json()?;
        let id = list.pointer("/devices/0/id").and_then(Value::as_str);
        id.map(str::to_owned).ok_or_else(|| io::Error::other("there is no device"))
    }

    /// Request `k` is sent `k / RATE` seconds after the beginning, by connection `k % CONNECTIONS`, or as soon as that one is free: its
    /// time runs from the schedule.
    fn load(&self, token: &str, asked: &[String], seconds: u32) -> Heard {
        let begin = Instant::now() + Duration::from_millis(500);
        let requests = (RATE * seconds) as usize;
        let one = |first: usize| {
            let (mut heard, mut connection) = (Heard::default(), self.connect().ok());
            for k in (first..requests).step_by(CONNECTIONS) {
                let due = begin + Duration::from_secs_f64(k as f64 / f64::from(RATE));
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                let path = asked.get(k % asked.len()).map_or("/", String::as_str);
                let answer = connection.as_mut().map(|c| c.ask("GET", path, &[token], b""));
                match answer {
                    Some(Ok(answer)) if answer.status == 200 => {}
                    other => {
                        heard.errors += 1;
                        if !matches!(other, Some(Ok(_))) {
                            connection = self.connect().ok();
                        }
                    }
                }
                heard.ms.push(due.elapsed().as_secs_f64() * 1000.0);
            }
            heard
        };
        let mut all = Heard::default();
        std::thread::scope(|scope| {
            let one = &one;
            let threads: Vec<_> = (0..CONNECTIONS).map(|first| scope.spawn(move || one(first))).collect();
            for thread in threads {
                let heard = thread.join().unwrap_or(Heard { errors: 1, ms: Vec::new() });
                all.errors += heard.errors;
                all.ms.extend(heard.ms);
            }
        });
        all
    }

    /// Holds connections that send a byte of a head each five seconds, and opens those anew that the server ends.
    fn hold(&self, ends: &AtomicBool, held: &AtomicUsize) {
        let begun = || {
            let mut stream = TcpStream::connect(&self.address).ok()?;
            stream.write_all(format!("GET / HTTP/1.1\r\nhost: {}\r\nx-slow: ", self.address).as_bytes()).ok()?;
            Some(stream)
        };
        let mut slow: Vec<Option<TcpStream>> = (0..SLOW).map(|_| begun()).collect();
        held.store(slow.iter().flatten().count(), Ordering::SeqCst);
        while !ends.load(Ordering::SeqCst) {
            for place in &mut slow {
                if place.as_mut().is_none_or(|stream| stream.write_all(b"x").is_err()) {
                    *place = begun();
                }
            }
            for _ in 0..50 {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// A connection that is kept.
struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    fn json(&self) -> io::Result<Value> {
        serde_json::from_slice(&self.body).map_err(|e| io::Error::other(format!("{}: {e}", self.status)))
    }
}

impl Connection {
    /// Sends a request and reads its answer to the end (RFC 9112).
    fn ask(&mut self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> io::Result<Answer> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n", self.host, body.len());
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        let stream = self.stream.get_mut();
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let first = self.line()?;
        let status = first.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(|| io::Error::other(format!("no answer: {first}")))?;
        let mut answer = Answer { status, headers: Vec::new(), body: Vec::new() };
        loop {
            let line = self.line()?;
            match line.split_once(':') {
                Some((name, value)) => answer.headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned())),
                None => break,
            }
        }
        if let Some(length) = answer.header("content-length").and_then(|n| n.parse::<u64>().ok()) {
            self.stream.by_ref().take(length).read_to_end(&mut answer.body)?;
        } else if answer.header("transfer-encoding") == Some("chunked") {
            loop {
                let length = u64::from_str_radix(self.line()?.trim(), 16).map_err(io::Error::other)?;
                self.stream.by_ref().take(length).read_to_end(&mut answer.body)?;
                self.line()?;
                if length == 0 {
                    break;
                }
            }
        }
        Ok(answer)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}
