//! Servers that mean harm: what they cost in memory, and what they get to know.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sureness_faultserver::{
    Asked, Capacity, Coding, Fault, FaultServer, Key, Routes, Rule, Script, Target,
};

use super::{Case, SHORT, ends_with, figures, text};

/// Each with words of its error message.
fn harmful() -> Vec<(Fault, &'static str)> {
    let gibibyte = |coding| Fault::HugeBody {
        bytes: 1 << 30,
        coding,
    };
    let large = "the answer is larger than 16 MiB";
    let late = "no answer within 3 s";
    vec![
        (gibibyte(Coding::Plain), large),
        (gibibyte(Coding::Chunked), large),
        (gibibyte(Coding::Gzip), large),
        (Fault::EndlessHead, "headers are larger than 64 KiB"),
        (Fault::DeepJson { depth: 5_000_000 }, "nested too deep"),
        (Fault::NeverEnds { every_ms: 20 }, late),
        (Fault::NeverStarts, late),
    ]
}

/// Requests at once.
const WORKERS: u64 = 8;
/// Memory for the program and that many answers of the maximum size.
const MEBIBYTES: u64 = 64 + WORKERS * 2 * 16;

/// Runs the command and measures its memory; returns the peak in MiB, if the system reports it.
fn watched(mut command: Command) -> (Output, u64) {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    // Too little is said to fill a pipe.
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        if let Some(line) = text.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
            let kibibytes = line.trim().trim_end_matches(" kB");
            peak = kibibytes.parse::<u64>().unwrap() / 1024;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    (child.wait_with_output().unwrap(), peak)
}

/// Of the questions, and none of the probe's prompts, about one in two.
fn half_the_questions(asked: &Asked) -> bool {
    let chosen = |prompt: &str| prompt.bytes().map(u32::from).sum::<u32>().is_multiple_of(2);
    let mut prompts = asked.prompts.iter();
    prompts.any(|prompt| prompt.contains("Answer:") && chosen(prompt))
}

#[test]
fn answers_without_measure_cost_little_and_are_told_by_name() {
    let check = |fault: Fault, words: &str| {
        let timeout = if words.contains("within") { 3 } else { 60 };
        let line = format!(
            "run --tasks qa --sample-size 8 --prompt-strategies base --progress none \
             --max-retries 0 --timeout {timeout} --max-workers {WORKERS}"
        );
        // In mid-run: the other questions are answered all the same.
        let rule = Rule::matching(half_the_questions, fault.clone());
        let case = Case::new(Script::with(rule));
        let (output, peak) = watched(case.command(&line));
        ends_with(&output, 1);
        let said = text(&output.stderr);
        assert!(said.contains("hint: ") && said.contains(words), "{said}");
        assert!(peak < MEBIBYTES, "{fault:?}: {peak} MiB");
        let group = &figures(&case)[0]["groups"][0];
        let answered = group["answered"].as_u64().unwrap();
        assert!((1..=7).contains(&answered), "{fault:?}: {group}");

        // From the first byte.
        let case = Case::new(Script::with(Rule::always(fault.clone()).on(Routes::Any)));
        let (output, peak) = watched(case.command(&line));
        ends_with(&output, 2);
        let said = text(&output.stderr);
        assert!(said.contains("hint: ") && said.contains(words), "{said}");
        assert!(peak < MEBIBYTES, "{fault:?}: {peak} MiB");
    };
    std::thread::scope(|scope| {
        for (fault, words) in harmful() {
            scope.spawn(move || check(fault, words));
        }
    });
}

const KEY: &str = "sk-0815-do-not-tell";

/// No file in the folder and nothing that was said holds any of these.
#[track_caller]
fn nowhere(secrets: &[&str], folder: &Path, said: &Output) {
    let mut folders = vec![folder.to_owned()];
    let mut texts = vec![
        ("stdout".to_owned(), said.stdout.clone()),
        ("stderr".to_owned(), said.stderr.clone()),
    ];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let content = std::fs::read(&path).unwrap();
                texts.push((path.display().to_string(), content));
            }
        }
    }
    // The store, the results in two forms, the log.
    let names = |end: &str| texts.iter().any(|(name, _)| name.ends_with(end));
    for end in [".sqlite", "results.json", "results.csv", "log.jsonl"] {
        assert!(names(end), "no {end}");
    }
    for (name, content) in &texts {
        for secret in secrets {
            let mut places = content.windows(secret.len());
            let there = places.any(|place| place == secret.as_bytes());
            assert!(!there, "{secret} is in {name}");
        }
    }
}

/// A server that requires the key and repeats it: in some good answers, and in the refusal of one
/// question.
fn gossip(key: &str, secrets: &[&str]) -> Script {
    let message = format!("what do you want with {}?", secrets.join(" and "));
    let error = |status| Fault::Status {
        status,
        message: message.clone(),
    };
    let mut script = Script::with(Rule::containing("Answer:", error(400)).limit(1))
        .rule(Rule::containing("Answer:", error(500)).per_prompt(1));
    script.server.key = Some(key.to_owned());
    script.capacity(Capacity::default())
}

/// A run, with everything that can be written down about it.
fn talkative(case: &Case, base: &str, environment: &[(&str, &str)]) -> Output {
    let line = format!(
        "{} --verbose --max-workers 4 --max-retries 3 --retry-delay 0.01 --allowed-failures 0.5",
        SHORT.replace("--progress none", "--progress json")
    );
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("sureness"));
    command
        .env_clear()
        .env("SURENESS_HOME", case.folder.path().join("home"))
        .envs(environment.iter().copied())
        .arg("run")
        .args(line.split_whitespace())
        .args(["--api-base", base])
        .arg("--output-dir")
        .arg(case.results())
        .arg("--log-file")
        .arg(case.folder.path().join("log.jsonl"));
    command.output().unwrap()
}

/// A proxy that lets everything through, whatever host it is meant for.
struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<String>>,
}

impl Proxy {
    fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::default());
        let heard = Arc::clone(&heads);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let heard = Arc::clone(&heard);
                std::thread::spawn(move || pass_on(client, server, &heard));
            }
        });
        Self { address, heads }
    }

    fn heard(&self, words: &str) -> bool {
        self.heads.lock().unwrap().contains(words)
    }
}

/// Each request names its host in the first line, which a server does not expect.
fn pass_on(mut client: TcpStream, server: SocketAddr, heard: &Mutex<String>) {
    let mut upstream = TcpStream::connect(server).unwrap();
    let (mut answers, mut back) = (upstream.try_clone().unwrap(), client.try_clone().unwrap());
    std::thread::spawn(move || std::io::copy(&mut answers, &mut back));
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = client.read(&mut buffer) {
        let piece = String::from_utf8_lossy(&buffer[..length]);
        heard.lock().unwrap().push_str(&piece);
        let piece = piece.replacen(" http://model.example/", " /", 1);
        if upstream.write_all(piece.as_bytes()).is_err() {
            return;
        }
    }
    let _ = upstream.shutdown(Shutdown::Both);
}

#[test]
fn a_key_is_nowhere_to_be_found() {
    // Through a proxy with its own password.
    let case = Case::new(gossip(KEY, &[KEY]));
    let proxy = Proxy::before(case.server.address());
    let door = proxy.address;
    let url = format!("http://porter:pw-of-the-proxy@{door}");
    let environment = [
        ("SURENESS_API_KEY", KEY),
        ("HTTP_PROXY", &*url),
        ("http_proxy", &*url),
    ];
    let output = talkative(&case, "http://model.example/v1", &environment);
    ends_with(&output, 0);
    let said = text(&output.stderr);
    assert!(said.contains("what do you want with ***"), "{said}");
    assert!(
        case.server
            .log()
            .iter()
            .all(|entry| entry.asked.key == Key::Right)
    );
    // porter:pw-of-the-proxy, as it goes over the wire.
    let basic = "cG9ydGVyOnB3LW9mLXRoZS1wcm94eQ";
    assert!(proxy.heard(basic));
    let secrets = [KEY, "pw-of-the-proxy", basic];
    nowhere(&secrets, case.folder.path(), &output);

    // As part of the address: a user name with its password, and a query.
    let basic = "cm9ib3Q6cGFAc3MtNDcxMQ";
    let secrets = ["pa@ss-4711", "pa%40ss-4711", basic, "token-2357"];
    let case = Case::new(gossip(&format!("Basic {basic}=="), &secrets));
    let base = format!(
        "http://robot:pa%40ss-4711@{}/v1?token=token-2357",
        case.server.address()
    );
    let output = talkative(&case, &base, &[]);
    ends_with(&output, 0);
    assert!(text(&output.stderr).contains("what do you want with *** and ***"));
    nowhere(&secrets, case.folder.path(), &output);
}

#[test]
fn a_redirect_to_another_host_does_not_carry_the_key() {
    let stranger = FaultServer::start(Script::healthy()).unwrap();
    let origin = format!("http://{}", stranger.address());
    let away = || Fault::Redirect {
        to: Target::Origin(origin.clone()),
    };
    let line = format!("run {SHORT} --api-key {KEY} --max-retries 1 --retry-delay 0");
    // The first request, or the questions alone.
    let first = Rule::always(away()).on(Routes::Any);
    let later = Rule::containing("Answer:", away());
    for (rule, code) in [(first, 2), (later, 1)] {
        let mut script = Script::with(rule);
        script.server.key = Some(KEY.to_owned());
        let case = Case::new(script);
        let output = case.run(&line);
        ends_with(&output, code);
        let said = text(&output.stderr);
        assert!(said.contains("redirects are not followed"), "{said}");
        assert!(said.contains(&origin) && !said.contains(KEY), "{said}");
    }
    assert_eq!(stranger.counts().requests, 0);
}
